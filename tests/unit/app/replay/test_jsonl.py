import gzip
import json
from collections.abc import Callable

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.replay import EventLog, LogRecord
from models.errors import LogError

Open = Callable[..., EventLog]

GOOD = b'{"user_id": "u1",  "item_id":"i", "event_type":"view","timestamp":1700000000012}'


def test_a_line_is_sent_byte_for_byte(open_made: Open) -> None:
    """Blanks, key order and unknown fields survive; only the line end goes."""
    for end in (b"\n", b"\r\n", b""):
        (record,) = open_made("log.jsonl", GOOD + end)
        assert (record.key, record.value, record.timestamp_ms) == (b"u1", GOOD, 1_700_000_000_012)


def test_blank_lines_are_skipped(open_made: Open) -> None:
    """Lines of white space are no records."""
    assert len(list(open_made("log.jsonl", b"\n \t\n" + GOOD + b"\n\r\n\n" + GOOD))) == 2


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"null", b'"u"', b"\xff\xfe!", b'{"user_id": 5.5}', b'{"item_id":"i"}', b"[" * 3000, b"\x00"]
)
def test_a_malformed_line_is_sent_as_it_is(open_made: Open, line: bytes) -> None:
    """What is no event goes out unchanged, without a key, between its neighbours."""
    records = list(open_made("log.jsonl", GOOD + b"\n" + line + b"\n" + GOOD))
    assert [record.value for record in records] == [GOOD, line, GOOD]
    assert (records[1].key, records[1].timestamp_ms) == (b"", None)


def test_a_byte_order_mark_belongs_to_the_file(open_made: Open) -> None:
    """It is not sent as part of the first event."""
    assert [record.value for record in open_made("log.jsonl", b"\xef\xbb\xbf" + GOOD)] == [GOOD]


def test_gzip_shows_in_the_bytes_not_in_the_name(open_made: Open) -> None:
    """Packed under a plain name and plain under a packed name read the same."""
    assert [record.value for record in open_made("log.jsonl", gzip.compress(GOOD))] == [GOOD]
    assert [record.value for record in open_made("log.jsonl.gz", GOOD)] == [GOOD]


def test_unnamed_kinds_are_told_by_the_first_line(open_made: Open) -> None:
    """A file without a telling name is JSONL if it begins with an object."""
    assert [record.value for record in open_made("events.log", b"\n" + GOOD)] == [GOOD]


def test_an_empty_file_has_no_records(open_made: Open) -> None:
    """It is a log of nothing, and has no catalogue."""
    log = open_made("log.jsonl", b"")
    assert (list(log), list(log.catalogue()), log.n_records()) == ([], [], None)


def test_a_log_can_be_read_twice_and_tells_how_far_it_is(open_made: Open) -> None:
    """Iteration starts over; the bytes read end at the size."""
    log = open_made("log.jsonl", (GOOD + b"\n") * 5000)
    first = iter(log)
    next(first)
    assert 0 < log.bytes_read < log.size_bytes
    assert len(list(first)) == 4999
    assert log.bytes_read == log.size_bytes
    assert len(list(log)) == 5000


def test_a_mapping_rewrites_objects_only(open_made: Open) -> None:
    """Columns are renamed, whole-number ids become text, the time its unit; other lines go out as they are."""
    row = {
        "visitor": 7,
        "aid": 9,
        "ts": 1_700_000_001.5,
        "type": "view",
        "context": {"a": 1},
        "dev": "tv",
        "more": True,
    }
    flags = {"user_id": "visitor", "item_id": "aid", "timestamp": "ts", "event_type": "type", "context.device": "dev"}
    content = json.dumps(row).encode() + b"\nnope"
    first, second = open_made("log.jsonl", content, columns=flags, timestamp_unit="s")
    assert first.value == (
        b'{"user_id":"7","item_id":"9","event_type":"view","timestamp":1700000001500,"context":{"a":1,"device":"tv"}}'
    )
    assert (first.key, first.timestamp_ms, second.value) == (b"7", 1_700_000_001_500, b"nope")


def test_a_mapping_keeps_bad_values_for_the_worker_to_refuse(open_made: Open) -> None:
    """Missing stays missing, and a wrong type stays wrong."""
    (record,) = open_made("log.jsonl", b'{"user_id":true,"timestamp":[1],"context":"x"}', event_type="view")
    assert orjson.loads(record.value) == {"user_id": True, "event_type": "view", "timestamp": [1], "context": "x"}


@pytest.mark.parametrize("kept", [20, -9, -1])
def test_a_gzip_cut_short_is_an_error_after_what_could_be_read(open_made: Open, kept: int) -> None:
    """Lines before the cut are given, then the error names the file and the line that was reached."""
    packed = gzip.compress(b"".join(b'{"user_id":"%d"}\n' % n for n in range(50_000)))
    read: list[LogRecord] = []
    with pytest.raises(LogError, match=r"log\.jsonl\.gz, line (\d+): the compressed data end too early") as caught:
        read.extend(open_made("log.jsonl.gz", packed[:kept]))
    assert f"line {len(read) + 1}:" in str(caught.value)


def test_a_damaged_gzip_is_an_error(open_made: Open) -> None:
    """A flipped byte is found by the checksum at the latest."""
    packed = bytearray(gzip.compress((GOOD + b"\n") * 100))
    packed[-6] ^= 0xFF
    with pytest.raises(LogError, match=r"line 101: damaged compressed data"):
        list(open_made("log.jsonl.gz", bytes(packed)))


def test_utf16_is_an_error(open_made: Open) -> None:
    """A wide encoding makes every line malformed, so it is said once, at the start."""
    with pytest.raises(LogError, match="line 1: the file is UTF-16"):
        list(open_made("log.jsonl", GOOD.decode().encode("utf-16")))


def test_an_endless_line_is_an_error(open_made: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without line ends does not fill the memory."""
    monkeypatch.setattr("app.replay.files.MAX_LINE_BYTES", 100)
    with pytest.raises(LogError, match="line 2: a line of more than 100 bytes"):
        list(open_made("log.jsonl", b"{}\n" + b"x" * 200))


events = st.fixed_dictionaries(
    {"user_id": st.text(min_size=1), "item_id": st.text(), "timestamp": st.integers(10**11, 2**53)},
    optional={
        "value": st.floats(allow_nan=False, allow_infinity=False),
        "context": st.dictionaries(st.text(), st.text()),
    },
)


@given(st.lists(events), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_what_was_written_comes_back(open_made: Open, written: list[dict[str, object]], packed: bool) -> None:
    """Any events, one per line, plain or gzip, come back in order with their keys and times."""
    lines = [orjson.dumps(event) for event in written]
    content = b"\n".join(lines)
    records = list(open_made("log.jsonl", gzip.compress(content) if packed else content))
    assert [record.value for record in records] == lines
    assert [record.key.decode() for record in records] == [event["user_id"] for event in written]
    assert [record.timestamp_ms for record in records] == [event["timestamp"] for event in written]
