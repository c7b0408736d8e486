"""A log by time, or as its file has it: in memory and through a temporary file alike."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.replay import EventLog, LogRecord, OrderedLog, RatingRange, log_sha256
from app.replay.spill import RECORD_BYTES, SortedRecords
from models.errors import LogError, SettingsError

Open = Callable[..., EventLog]
START_MS = 1_700_000_000_000
HOUR_MS = 3_600_000


def record(number: int, time_ms: int | None, size: int = 0) -> LogRecord:
    """One that is told by its number."""
    return LogRecord(b"u%d" % number, b"%d" % number + b"x" * size, time_ms)


def lines(*events: tuple[str, int | None], **more: Any) -> bytes:
    """A log of views: item and time."""
    views = ({"user_id": f"u{n}", "item_id": item, "event_type": "view"} for n, (item, _) in enumerate(events))
    stamps = ({} if at is None else {"timestamp": at} for _, at in events)
    return b"\n".join(orjson.dumps({**view, **stamp, **more}) for view, stamp in zip(views, stamps, strict=True))


def items(log: EventLog) -> list[str]:
    """The items in the order of the events; what is broken as it is."""
    return [orjson.loads(each.value)["item_id"] if each.key else each.value.decode() for each in log]


def expected_order(records: list[LogRecord]) -> list[LogRecord]:
    """Sorted by the plain rule: each by its time, or by that of the one before it."""
    times, last = [], 0
    for each in records:
        last = last if each.timestamp_ms is None else each.timestamp_ms
        times.append(last)
    return [records[n] for n in sorted(range(len(records)), key=lambda n: (times[n], n))]


def test_events_come_by_time_and_equal_times_as_in_the_file(open_made: Open) -> None:
    """A log that is grouped by user is merged; who stood first in the file stays first."""
    content = lines(("c", START_MS + 5), ("a", START_MS), ("d", START_MS + 5), ("b", START_MS), ("e", START_MS + 5))
    log = OrderedLog(open_made("log.jsonl", content))
    assert (items(log), items(log), log.n_records()) == (["a", "b", "c", "d", "e"], ["a", "b", "c", "d", "e"], 5)


def test_what_has_no_time_stays_behind_the_row_before_it(open_made: Open) -> None:
    """Broken rows, rows without a time, in seconds or of no calendar move with their predecessor, or come first."""
    broken = b"{oops\n"
    content = (
        broken
        + lines(("late", START_MS + 9), ("no time", None), ("in seconds", START_MS // 1000), ("in us", START_MS * 1000))
        + b"\nnope\n"
        + lines(("early", START_MS), ("beside", None))
    )
    expected = ["{oops", "early", "beside", "late", "no time", "in seconds", "in us", "nope"]
    reader = open_made("log.jsonl", content)
    assert items(OrderedLog(reader)) == expected
    assert items(OrderedLog(reader, memory_bytes=1)) == expected


def test_as_filed_nothing_moves_and_late_events_are_counted(open_made: Open) -> None:
    """Late is what lies more than the grace behind the clock, the third-latest user; dead letters are not counted."""
    stamps = [(f"i{n}", START_MS + n) for n in range(4)]
    content = lines(*stamps, ("late", START_MS - HOUR_MS - 1), ("in time", START_MS - HOUR_MS + 9), ("dead", None))
    for memory_bytes in (10**6, 1):
        log = OrderedLog(open_made("log.jsonl", content), "file", memory_bytes=memory_bytes)
        assert items(log) == ["i0", "i1", "i2", "i3", "late", "in time", "dead"]
        assert (log.n_events, log.n_late, log.is_out_of_order, log.n_records()) == (6, 1, True, 7)


def test_by_time_nothing_is_late(open_made: Open) -> None:
    """A sorted log is worth no warning."""
    log = OrderedLog(open_made("log.jsonl", lines(("b", START_MS + 2 * HOUR_MS), ("a", START_MS))))
    assert items(log) == ["a", "b"] and (log.n_late, log.is_out_of_order) == (0, False)


@pytest.mark.parametrize("order", ["time", "file"])
def test_the_range_of_ratings_is_offered(open_made: Open, order: str) -> None:
    """The least and the greatest value of the rating events, and how many: of no other event and no dead letter."""
    values = [2.5, 10, 7, "9", None]
    content = b"\n".join(lines(("i", START_MS), event_type="rating", value=value) for value in values)
    content += b"\n" + lines(("i", START_MS), event_type="view", value=99) + b"\n" + lines(('"rating"', START_MS))
    assert OrderedLog(open_made("log.jsonl", content), order).ratings == RatingRange(2.5, 10.0, 3)
    assert OrderedLog(open_made("log.jsonl", lines(("i", START_MS))), order).ratings is None


def test_the_log_is_read_once(open_made: Open) -> None:
    """However often it is iterated over, and whatever is asked: a bar sees each record once."""
    reader = open_made("log.jsonl", lines(*((f"i{n}", START_MS - n) for n in range(50))))
    log, seen = OrderedLog(reader), list[int]()
    log.prepare(lambda: seen.append(reader.bytes_read))
    (reader.path).unlink()
    assert len(seen) == 50 == len(items(log)) == len(items(log)) == log.n_records()


def test_an_order_that_is_none_is_refused(open_made: Open) -> None:
    """The message names those that there are."""
    with pytest.raises(SettingsError, match="--order has value 'size': use one of time, file"):
        OrderedLog(open_made("log.jsonl", b""), "size")


timed = st.lists(
    st.tuples(st.none() | st.integers(START_MS, START_MS + 9), st.integers(0, 400) | st.just(300_000)), max_size=60
)


@given(timed, st.integers(1, 4000), st.integers(2, 5))
def test_memory_changes_nothing(made: list[tuple[int | None, int]], memory_bytes: int, max_runs: int) -> None:
    """Whatever the bound and however many runs are merged at once, the order is that of one sort in memory."""
    records = [record(n, time_ms, size) for n, (time_ms, size) in enumerate(made)]
    spilled = SortedRecords("log", memory_bytes=memory_bytes, max_runs=max_runs)
    kept = SortedRecords("log", memory_bytes=2**40)
    for each in records:
        spilled.add(each)
        kept.add(each)
    expected = expected_order(records)
    assert list(spilled) == list(spilled) == expected == list(kept)
    assert (kept.spilled_bytes, spilled.n) == (0, len(records))


def test_the_bound_decides_when_disk_is_used() -> None:
    """Up to it all is in memory; a record more, and it is not."""
    bound = 10 * (RECORD_BYTES + len(record(0, 1).key) + len(record(0, 1).value))
    sort = SortedRecords("log", memory_bytes=bound)
    for number in range(10):
        sort.add(record(number, START_MS - number))
    assert sort.spilled_bytes == 0
    sort.add(record(9, START_MS))
    assert sort.spilled_bytes > 0
    assert [each.timestamp_ms for each in sort] == [*range(START_MS - 9, START_MS + 1), START_MS]


def test_what_is_kept_is_a_copy() -> None:
    """Without the room that a writer of JSON leaves behind its bytes: the bound would be passed tenfold."""
    sort, made = SortedRecords("log"), record(1, START_MS, size=99)
    sort.add(made)
    (kept,) = sort
    assert kept == made and kept.value is not made.value


def test_two_readings_at_once_do_not_disturb_each_other() -> None:
    """Each has its own place in the file, also when blocks end in the middle of records."""
    records = [record(n, START_MS + n * 7919 % 1009, size=n * 13) for n in range(900)]
    sort = SortedRecords("log", memory_bytes=2_000_000)
    for each in records:
        sort.add(each)
    assert sort.spilled_bytes > 2_000_000
    assert list(zip(sort, sort, strict=True)) == [(each, each) for each in expected_order(records)]


def test_equal_logs_have_equal_sums(open_made: Open) -> None:
    """The sum is of the log as sent: of a spilled one as of one in memory; the file's order has another."""
    reader = open_made("log.jsonl", lines(*((f"i{n}", START_MS + n * 31 % 50) for n in range(80))))
    sums = [log_sha256(OrderedLog(reader, memory_bytes=size)) for size in (1, 1000, 10**9)]
    assert sums[0] == sums[1] == sums[2] != log_sha256(OrderedLog(reader, "file"))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of temporary files of the test's own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_nothing_lies_in_the_folder_of_temporary_files(place: Path) -> None:
    """The file has no name from the start, so that no way to end leaves it behind."""
    sort = SortedRecords("log", memory_bytes=1)
    for number in range(9):
        sort.add(record(number, START_MS - number))
    reading = iter(sort)
    next(reading)
    assert sort.spilled_bytes > 0 and list(place.iterdir()) == []


def test_a_disk_without_room_is_an_error_that_says_what_to_do(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the log, the folder, what the system says, TMPDIR and the way without sorting."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("a device that is always full is Linux's")
    with full.open("r+b", buffering=0) as device:
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda *how, **more: device)
        sort = SortedRecords("clicks.csv", memory_bytes=1)
        with pytest.raises(LogError) as caught:
            sort.add(record(1, START_MS))
    said = str(caught.value)
    assert said.startswith("clicks.csv: sorting it by time needs room on disk")
    assert str(place) in said and "No space left on device" in said
    assert "Set TMPDIR to" in said and "say --order file" in said


def test_a_folder_that_cannot_be_written_is_the_same_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No usable folder at all: named, not a traceback."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    with pytest.raises(LogError, match=r"log: sorting it by time needs room on disk, 0 bytes .*absent fails"):
        SortedRecords("log", memory_bytes=1).add(record(1, START_MS))
