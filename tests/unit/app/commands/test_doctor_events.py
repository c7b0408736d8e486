"""What the doctor makes of the events themselves: those refused, their times, and who stamps them."""

from types import SimpleNamespace

import orjson
import pytest

from app.broker import Broker
from app.dead_letters import DeadLetter
from app.doctor.bad_events import Kind, findings_of_kinds, hint_of
from app.doctor.create_time import check_create_time
from app.doctor.finding import Finding
from app.doctor.samples import Saved
from app.doctor.times import Stamp, late, seconds, stamps_of
from app.doctor.units import unit_of
from models.events import REASONS
from tables.marker import Marker, Metrics

NOW_MS = 1_790_000_000_000
HOUR_MS = 3_600_000


def letter(reason: str, *, offset: int = 0, sent_ms: int = NOW_MS, value: object = None) -> DeadLetter:
    """A dead letter; a value that is no bytes is sent as JSON."""
    raw = value if isinstance(value, bytes) else orjson.dumps(value)
    return DeadLetter(reason, f"why {offset}", "user_events", 1, offset, sent_ms, sent_ms, b"u", raw)


def told(*letters: DeadLetter) -> list[Finding]:
    """What is said of letters."""
    kinds: dict[str, Kind] = {}
    for one in letters:
        kinds.setdefault(one.reason, Kind()).take(one)
    return findings_of_kinds(kinds, NOW_MS / 1000 + 60)


@pytest.mark.parametrize("reason", sorted({*REASONS, "unknown"} - {"wrong_partition"}))
def test_dead_letters_of_any_reason_are_a_finding(reason: str) -> None:
    """Fresh ones are wrong: how many, since when, the newest as an example, and what to do."""
    (finding,) = told(letter(reason, offset=3, sent_ms=NOW_MS - HOUR_MS), letter(reason, offset=7))

    assert finding.status == "wrong"
    assert f"2 refused as {reason}, first 2026-09-21 13:13:20 UTC, newest 2026-09-21 14:13:20 UTC" in finding.found
    assert "why 7 (user_events, partition 1, offset 7)" in finding.found
    assert "freshet dead-letters" in finding.advice
    assert finding.details["n"] == 2


def test_old_dead_letters_are_a_note() -> None:
    """What was refused before the last hour alone is worth knowing."""
    (finding,) = told(letter("not_json", sent_ms=NOW_MS - 2 * HOUR_MS))

    assert (finding.status, "none in the last hour" in finding.found) == ("note", True)


def test_the_most_frequent_reason_comes_first_and_partitions_are_left_to_their_check() -> None:
    """One finding a reason; `wrong_partition` has a check that tells whose setting is at fault."""
    found = told(letter("bad_type"), *[letter("wrong_key", offset=n) for n in range(2)], letter("wrong_partition"))

    assert [finding.details["reason"] for finding in found] == ["wrong_key", "bad_type"]
    assert told() == []


def test_unknown_event_types_name_the_setting() -> None:
    """With the types that were sent, ready to be pasted; those that are ours but for their case are told apart."""
    sent = ["share", "share", "Click", 7]
    (finding,) = told(*[letter("unknown_event_type", value={"event_type": one}) for one in sent])

    assert "'share' 2, 'Click' 1" in finding.advice
    assert "Ours are in lower case: click." in finding.advice
    assert """FRESHET_EXTRA_EVENT_TYPES='{"share":[1.0,1]}'""" in finding.advice


@pytest.mark.parametrize(
    ("reason", "value", "words"),
    [
        ("future_timestamp", {"timestamp": 1_790_000_000_000_000}, "microseconds"),
        ("out_of_range", {"timestamp": 1_790_000_000_000_000_000}, "nanoseconds"),
        ("future_timestamp", {"timestamp": NOW_MS + HOUR_MS}, None),
        ("out_of_range", {"timestamp": 0}, None),
        ("not_json", b'\0\0\0\0\x07{"user_id": "u"}', "five bytes of a schema registry"),
        ("not_json", b"\0\0", None),
        ("not_json", b"plain", None),
        ("not_object", [1], None),
        ("bad_type", {"timestamp": "x"}, None),
    ],
)
def test_hints(reason: str, value: object, words: str | None) -> None:
    """The bytes of a letter tell a foreign unit and a serializer's frame; of others nothing is guessed."""
    hint = hint_of(letter(reason, value=value))

    assert hint is None if words is None else words in (hint or "")
    if words:
        (finding,) = told(letter(reason, value=value))
        assert finding.advice.startswith(f"1 of them: {hint}")


@pytest.mark.parametrize(
    ("timestamp", "unit"),
    [
        (0, None),
        (10**8 - 1, None),
        (10**8, "seconds"),
        (10**11 - 1, "seconds"),
        (10**11, "milliseconds"),
        (10**14 - 1, "milliseconds"),
        (10**14, "microseconds"),
        (10**17, "nanoseconds"),
    ],
)
def test_units(timestamp: int, unit: str | None) -> None:
    """Each size between 1973 and 5138 belongs to one unit."""
    assert unit_of(timestamp) == unit


def stamps(*timestamps: int) -> list[Stamp]:
    """Times of events of partition 0."""
    return [Stamp(0, offset, timestamp) for offset, timestamp in enumerate(timestamps)]


@pytest.mark.parametrize(("n", "status"), [(0, None), (1, "note"), (5, "wrong"), (100, "wrong")])
def test_seconds_are_named(n: int, status: str | None) -> None:
    """A few are a note, a twentieth or more is wrong; the example says what the fold takes it for."""
    found = seconds(stamps(*[NOW_MS] * (100 - n), *[1_700_000_000] * n))

    assert [finding.status for finding in found] == ([status] if status else [])
    for finding in found:
        assert f"{n} of the newest 100 events have a timestamp that looks like seconds" in finding.found
        assert "1700000000 at partition 0, offset 99: as milliseconds that is 1970-01-20 16:13:20 UTC" in finding.found
        assert "1000 times" in finding.advice


def saved(clock_ms: int, **counts: int) -> Saved:
    """A checkpoint with a clock."""
    latest = tuple((clock_ms, user_id) for user_id in "abc")
    return Saved(Marker(1, 9, 8, 9, latest, 1, "f"), Metrics(dict(counts)))


@pytest.mark.parametrize(("n", "status"), [(4, None), (5, "note"), (49, "note"), (50, "wrong"), (100, "wrong")])
def test_late_floods_are_named(n: int, status: str | None) -> None:
    """Events behind the partition's clock by more than the grace: from a twentieth a note, from half on wrong."""
    late_ms = NOW_MS - 48 * HOUR_MS
    sample = stamps(*[NOW_MS - HOUR_MS] * (100 - n), *[late_ms] * n)

    found = late(sample, {0: saved(NOW_MS, late=7, events=900)}, HOUR_MS)

    assert [finding.status for finding in found] == ([status] if status else [])
    for finding in found:
        assert f"{n} of the newest 100 events are more than 60 min behind" in finding.found
        assert "up to 2.0 days; 7 of all 900 folded were late" in finding.found
        assert "FRESHET_LATE_GRACE_S" in finding.advice


def test_lateness_needs_a_clock_and_some_events() -> None:
    """A partition that was never saved has no clock; of a handful of events no share is told; seconds are not late."""
    old = stamps(*[NOW_MS - 48 * HOUR_MS] * 30)

    assert late(old, {}, HOUR_MS) == []
    assert late(old[:19], {0: saved(NOW_MS)}, HOUR_MS) == []
    assert late(stamps(*[1_700_000_000] * 30), {0: saved(NOW_MS)}, HOUR_MS) == []


def test_times_of_whatever_lies_there() -> None:
    """Only records with a time count; whatever else lies in the topic is the dead letters' matter."""
    values = [b'{"timestamp": 5}', b"no", None, b"[]", b'{"timestamp": "5"}', b'{"timestamp": true}', b"{}"]
    records = [SimpleNamespace(partition=2, offset=offset, value=value) for offset, value in enumerate(values)]

    assert stamps_of(records) == [Stamp(2, 0, 5)]


@pytest.mark.parametrize(
    ("config", "statuses"),
    [
        ({"message.timestamp.type": "LogAppendTime"}, []),
        ({"message.timestamp.type": "CreateTime"}, ["note"]),
        ({}, ["note"]),
    ],
)
def test_create_time_is_explained(config: dict[str, str], statuses: list[str]) -> None:
    """Who stamps the records is said, with what hangs on it and how to change it."""
    found = check_create_time("user_events", config, Broker("b:1"))

    assert [finding.status for finding in found] == statuses
    for finding in found:
        assert "retention.ms goes by that time" in finding.advice
        assert finding.advice.endswith("--entity-name user_events --add-config message.timestamp.type=LogAppendTime")
