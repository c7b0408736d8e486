import gzip
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from app.replay import EventLog, OrderedLog, open_log
from models.errors import SettingsError

Open = Callable[..., EventLog]

SESSIONS = (
    b'{"session":0,"events":[{"aid":10,"ts":1000000100000,"type":"clicks"},{"aid":11,"ts":1000000300000,"type":"carts"}]}\n'
    b'{"session":1,"events":[{"aid":10,"ts":1000000100000,"type":"orders"},{"aid":12,"ts":1000000200000,"type":"clicks"}]}\n'
)


def event(user_id: str, item_id: str, event_type: str, timestamp: int) -> dict[str, object]:
    """What is sent."""
    return {"user_id": user_id, "item_id": item_id, "event_type": event_type, "timestamp": timestamp}


SENT = [
    event("0", "10", "click", 1_000_000_100_000),
    event("1", "10", "purchase", 1_000_000_100_000),
    event("1", "12", "click", 1_000_000_200_000),
    event("0", "11", "add_to_cart", 1_000_000_300_000),
]


def values(log: EventLog) -> list[object]:
    """Events as they are sent, in the order of time, decoded where they are JSON."""
    sent = OrderedLog(log)
    return [orjson.loads(record.value) if record.value[:1] in b"{" else record.value for record in sent]


def test_sessions_are_users_in_the_order_of_time_then_row(open_made: Open) -> None:
    """Sessions are merged by time, equal times keep their rows' order, and types have our names."""
    log = open_made("train.jsonl", SESSIONS)
    assert values(log) == SENT
    first = next(iter(log))
    assert first.value == b'{"user_id":"0","item_id":"10","event_type":"click","timestamp":1000000100000}'
    assert (first.key, first.timestamp_ms) == (b"0", 1_000_000_100_000)


@pytest.mark.parametrize("name", ["train.jsonl.gz", "train", "sessions.json"])
def test_they_are_known_by_their_content(open_made: Open, name: str) -> None:
    """Whatever the name, behind blank lines, in gzip too."""
    assert values(open_made(name, gzip.compress(b"\n \n" + SESSIONS))) == SENT


def test_an_event_with_such_fields_is_an_event(open_made: Open) -> None:
    """A user_id makes it one of ours; unknown fields are no reason to take it for a session."""
    line = b'{"user_id":"u","item_id":"i","event_type":"view","timestamp":1,"session":1,"events":[]}'
    (record,) = open_made("log.jsonl", line)
    assert record.value == line


def test_what_is_no_event_is_sent_in_its_place(open_made: Open) -> None:
    """Nothing is dropped: each stays behind the event before it, with what could be read of it."""
    odd = (
        b"nope\n"
        b'{"session":"s","events":[{"aid":1,"ts":1000000250000,"type":"clicks"},{"aid":2,"type":"carts"},7]}\n'
        b'{"session":2,"events":[{"aid":null,"ts":1000000150000,"type":"wishes"},{"aid":5,"ts":1.00000015e12,"type":[]}]}\n'
        b'{"session":3,"events":[]}\n'
        b'{"session":3}\n'
    )
    assert values(open_made("train.jsonl", SESSIONS + odd)) == [
        *SENT[:2],
        {"user_id": "2", "event_type": "wishes", "timestamp": 1_000_000_150_000},
        {"user_id": "2", "item_id": "5", "event_type": [], "timestamp": 1_000_000_150_000},
        {"session": 3},
        SENT[2],
        b"nope",
        event("s", "1", "click", 1_000_000_250_000),
        {"user_id": "s", "item_id": "2", "event_type": "add_to_cart"},
        {"user_id": "s", "context": 7},
        SENT[3],
    ]


def test_a_mapping_does_not_go_with_sessions(tmp_path: Path) -> None:
    """Flags that would do nothing are refused, however the format is known."""
    path = tmp_path / "train.jsonl"
    path.write_bytes(SESSIONS)
    for log_format in ("auto", "otto"):
        with pytest.raises(SettingsError, match="holds OTTO sessions, whose columns are known: leave out --column"):
            open_log(path, dataset=None, columns={}, event_type="view", log_format=log_format)
