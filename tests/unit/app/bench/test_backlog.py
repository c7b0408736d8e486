"""The backlog: copies of a log."""

import orjson
import pytest

from app.bench.backlog import SHIFT, Backlog
from app.replay.records import LogRecord, event_record
from models.errors import LogError


def rating(user_id: str, timestamp: int) -> LogRecord:
    """A record as the MovieLens reader gives it."""
    fields = {"user_id": user_id, "item_id": "7", "event_type": "rating", "timestamp": timestamp, "value": 4.0}
    return event_record(fields)


def test_copies_are_interleaved_and_have_other_users() -> None:
    """Each record comes once per copy before the next one, under its own user; nothing else changes."""
    backlog = Backlog([rating("1", 100), rating("2", 200)], copies=3)

    events = [(record.key.decode(), orjson.loads(record.value)) for record in backlog]

    assert len(backlog) == len(events) == 6
    shifted = [(str(user + copy * SHIFT), time) for user, time in ((1, 100), (2, 200)) for copy in range(3)]
    assert [(event["user_id"], event["timestamp"]) for _, event in events] == shifted
    assert all(key == event["user_id"] for key, event in events)
    assert {(event["item_id"], event["event_type"], event["value"]) for _, event in events} == {("7", "rating", 4.0)}


def test_one_copy_is_the_log_itself() -> None:
    """Copy 0 keeps user ids and bytes."""
    log = [rating("196", 100), rating("22", 100)]

    assert [(record.key, record.value) for record in Backlog(log, 1)] == [(one.key, one.value) for one in log]


@pytest.mark.parametrize("user_id", ["anna", str(SHIFT), "-1"])
def test_users_that_could_mix_are_refused(user_id: str) -> None:
    """An id that cannot be shifted, or would meet another copy's, is refused by name."""
    with pytest.raises(LogError, match=f"'{user_id}' cannot be shifted"):
        list(Backlog([rating(user_id, 100)], copies=2))
