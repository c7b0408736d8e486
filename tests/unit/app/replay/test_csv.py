import csv
import gzip
import io
from collections.abc import Callable

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.replay import EventLog
from models.errors import LogError

Open = Callable[..., EventLog]

MS = 1_700_000_000_000
HEADER = b"user_id,item_id,event_type,timestamp\n"


def values(log: EventLog) -> list[dict[str, object]]:
    """Events as they are sent, decoded."""
    return [orjson.loads(record.value) for record in log]


def test_rows_become_events(open_made: Open) -> None:
    """A row is an event; other columns are left out, empty cells are missing fields."""
    header = b"timestamp,user_id,item_id,event_type,value,page\n"
    content = header + b"1700000000012,u1,i1,rating,4.5,home\n1700000000013,u2,i2,view,,\n"
    first, second = open_made("log.csv", content)
    assert first.value == b'{"user_id":"u1","item_id":"i1","event_type":"rating","timestamp":1700000000012,"value":4.5}'
    assert second.value == b'{"user_id":"u2","item_id":"i2","event_type":"view","timestamp":1700000000013}'
    assert [(first.key, first.timestamp_ms), (second.key, second.timestamp_ms)] == [(b"u1", MS + 12), (b"u2", MS + 13)]


def test_columns_are_mapped_by_flag(open_made: Open) -> None:
    """Names, unit and a constant type are what the flags say; context columns are found by themselves."""
    content = b"visitorid,itemid,time,context.device,where\nv,9,1.5,tv,home\n"
    flags = {"user_id": "visitorid", "item_id": "itemid", "timestamp": "time", "context.surface": "where"}
    log = open_made("log.csv", content, columns=flags, event_type="view", timestamp_unit="s")
    assert values(log) == [
        {
            "user_id": "v",
            "item_id": "9",
            "event_type": "view",
            "timestamp": 1500,
            "context": {"device": "tv", "surface": "home"},
        }
    ]


def test_ids_stay_text(open_made: Open) -> None:
    """An id keeps its leading zeros and blanks."""
    assert values(open_made("log.csv", HEADER + b"007, i ,view,1\n"))[0] | {"timestamp": 1} == {
        "user_id": "007",
        "item_id": " i ",
        "event_type": "view",
        "timestamp": 1,
    }


def test_bad_rows_are_sent_with_what_can_be_taken(open_made: Open) -> None:
    """Nothing is dropped: a missing cell, a time in seconds, one that is no number, too few and too many cells."""
    rows = b"u,,view,1\nu,i,view,noon\nu,i\nu,i,view,1,2\nu,i,view,1700000000005\n"
    log = open_made("log.csv", HEADER + rows)
    assert values(log) == [
        {"user_id": "u", "event_type": "view", "timestamp": 1},
        {"user_id": "u", "item_id": "i", "event_type": "view", "timestamp": "noon"},
        {"_row": ["u", "i"]},
        {"_row": ["u", "i", "view", "1", "2"]},
        {"user_id": "u", "item_id": "i", "event_type": "view", "timestamp": MS + 5},
    ]
    assert [record.timestamp_ms for record in log] == [None, None, None, None, MS + 5]


def test_a_stray_quote_spoils_one_row_only(open_made: Open) -> None:
    """A row that is no CSV goes out raw, and the next is read."""
    log = open_made("log.csv", HEADER + b'"u"x,i,view,1\nu,i,view,2\n')
    assert [event.get("_row", event.get("timestamp")) for event in values(log)] == [['"u"x,i,view,1'], 2]


def test_a_very_large_cell_spoils_one_row_only(open_made: Open) -> None:
    """The csv module's limit on a cell is no end of the log."""
    log = open_made("log.csv", HEADER + b"u," + b"i" * 200_000 + b",view,1\nu,i,view,2\n")
    first, second = values(log)
    assert list(first) == ["_row"]
    assert second["timestamp"] == 2


@pytest.mark.parametrize("rows", [b'u,"i,view,1\n', b'u,"i,view,1\n' + b"u,i,view,1\n" * 30_000])
def test_a_quote_that_never_closes_is_an_error(open_made: Open, rows: bytes) -> None:
    """It would swallow the rows behind it, so the line where it opens is named."""
    log = open_made("log.csv", HEADER + b"u,i,view,0\n" + rows)
    with pytest.raises(LogError, match=r"log\.csv, line 3: a quote in the row that begins here never closes"):
        list(log)


def test_blank_lines_are_skipped(open_made: Open) -> None:
    """They are no rows of too few cells."""
    assert len(values(open_made("log.csv", HEADER + b"\nu,i,view,1\r\n\r\n"))) == 1


def test_gzip_and_byte_order_mark_are_taken_in_stride(open_made: Open) -> None:
    """What spreadsheets and archives write reads the same."""
    content = b"\xef\xbb\xbf" + HEADER + b"u,i,view,1\n"
    assert values(open_made("log.csv", gzip.compress(content))) == values(open_made("log2.csv", content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"line 1: the file is empty: a header"),
        (b"a,b\n1,2\n", r"line 1: no column 'event_type', 'item_id', 'timestamp', 'user_id'; the header has 'a, b'"),
        (b"user_id,item_id,timestamp\n", r"line 1: no column 'event_type'.*--event-type"),
        (b"user_id,item_id,event_type,timestamp,user_id\n", r"line 1: the header has the column 'user_id' more than"),
        (HEADER + b"u,i,view,1\nu,\xe9,view,2\n", r"log\.csv, line 3: byte 0xe9 at column 3 is not UTF-8"),
    ],
)
def test_a_broken_file_is_an_error_with_its_line(open_made: Open, content: bytes, message: str) -> None:
    """What makes the whole file unreadable is said with file, line and fix."""
    with pytest.raises(LogError, match=message):
        list(open_made("log.csv", content))


def test_a_mapped_column_must_be_there(open_made: Open) -> None:
    """A flag that names a column of no such file is no silent loss."""
    with pytest.raises(LogError, match="no column 'stars'"):
        list(open_made("log.csv", HEADER, columns={"value": "stars"}))


def test_a_gzip_cut_short_is_an_error(open_made: Open) -> None:
    """The line that was reached is named."""
    packed = gzip.compress(HEADER + b"".join(b"u%d,i,view,1\n" % n for n in range(20_000)))
    with pytest.raises(LogError, match=r"line \d+: the compressed data end too early"):
        list(open_made("log.csv.gz", packed[: len(packed) // 2]))


cells = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(st.lists(st.tuples(cells, cells, cells, st.integers(1, 10**15), st.one_of(st.none(), st.integers(-99, 99)))))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_what_was_written_comes_back(open_made: Open, rows: list[tuple[str, str, str, int, int | None]]) -> None:
    """Any text in any cell, line ends, commas and quotes included, comes back as the event it was."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["user_id", "item_id", "event_type", "timestamp", "value"])
    writer.writerows(rows)
    expected = [
        {"user_id": user, "item_id": item, "event_type": kind, "timestamp": ms}
        | ({} if value is None else {"value": value})
        for user, item, kind, ms, value in rows
    ]
    assert values(open_made("log.csv", buffer.getvalue().encode())) == expected
