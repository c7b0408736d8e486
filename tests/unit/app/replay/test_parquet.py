import gzip
import io
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
import pytest
from pyarrow import parquet

from app.replay import EventLog
from models.errors import LogError

Open = Callable[..., EventLog]

NOON = datetime(2024, 2, 29, 12, 0, 0, 250_999, UTC)
NOON_MS = 1_709_208_000_250
MS = 1_700_000_000_000
COLUMNS: dict[str, list[object]] = {
    "item_id": ["i1", "i2"],
    "user_id": ["u1", "u2"],
    "page": [b"\xff", b""],
    "timestamp": [MS + 12, MS + 13],
    "event_type": ["rating", "view"],
    "value": [4.5, None],
}


def packed(table: Any, **options: Any) -> bytes:
    """The bytes of a Parquet file."""
    sink = io.BytesIO()
    parquet.write_table(table, sink, **options)
    return sink.getvalue()


def values(log: EventLog) -> list[dict[str, object]]:
    """Events as they are sent, decoded."""
    return [orjson.loads(record.value) for record in log]


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "brotli", "lz4"])
@pytest.mark.parametrize("name", ["log.parquet", "log.csv"])
def test_rows_become_events(open_made: Open, compression: str, name: str) -> None:
    """A row is an event; other columns are left out, nulls are missing fields; the name says nothing."""
    log = open_made(name, packed(pa.table(COLUMNS), compression=compression))
    first, second = log
    assert first.value == b'{"user_id":"u1","item_id":"i1","event_type":"rating","timestamp":1700000000012,"value":4.5}'
    assert second.value == b'{"user_id":"u2","item_id":"i2","event_type":"view","timestamp":1700000000013}'
    assert [(first.key, first.timestamp_ms), (second.key, second.timestamp_ms)] == [(b"u1", MS + 12), (b"u2", MS + 13)]
    assert log.n_records() == 2


def test_columns_are_mapped_by_flag(open_made: Open) -> None:
    """Names, unit and a constant type are what the flags say; whole-number ids become text."""
    table = pa.table(
        {"visitor": [7], "item": pa.array(["a"]).dictionary_encode(), "at": [1.5], "context.device": ["tv"], "w": ["x"]}
    )
    flags = {"user_id": "visitor", "item_id": "item", "timestamp": "at", "context.surface": "w"}
    log = open_made("log", packed(table), columns=flags, event_type="view", timestamp_unit="s")
    assert values(log) == [
        {
            "user_id": "7",
            "item_id": "a",
            "event_type": "view",
            "timestamp": 1500,
            "context": {"device": "tv", "surface": "x"},
        }
    ]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Vienna"])
def test_typed_times_know_their_unit(open_made: Open, unit: str, zone: str | None) -> None:
    """Whatever the flag says, a column of times is read as such, rounded down to milliseconds."""
    noon = pa.array([NOON.replace(tzinfo=None)], pa.timestamp("us")).cast(pa.timestamp("ns"))
    times = noon.cast(pa.timestamp(unit), safe=False)
    typed = times if zone is None else times.cast(pa.timestamp(unit, zone))
    table = pa.table({"user_id": ["u"], "item_id": ["i"], "event_type": ["view"], "timestamp": typed})
    (record,) = open_made("log", packed(table), timestamp_unit="s")
    assert record.timestamp_ms == (NOON_MS // 1000 * 1000 if unit == "s" else NOON_MS)


def test_what_json_cannot_say_is_spelled(open_made: Open) -> None:
    """Bytes, decimals, times and NaN are sent as text, numbers, text and nothing; distinct bytes stay distinct."""
    context = [{"at": NOON, "price": Decimal("1.50"), "raw": b"\xfe", "nan": float("nan"), "tags": [b"a"]}]
    table = pa.table(
        {
            "user_id": [b"u\xff"],
            "item_id": pa.array([Decimal("12")], pa.decimal128(20, 0)),
            "event_type": ["rating"],
            "timestamp": [1],
            "value": [float("nan")],
            "context": context,
        }
    )
    assert values(open_made("log", packed(table))) == [
        {
            "user_id": "u\\xff",
            "item_id": "12",
            "event_type": "rating",
            "timestamp": 1,
            "context": {"at": str(NOON), "price": 1.5, "raw": "\\xfe", "nan": None, "tags": ["a"]},
        }
    ]


def test_a_map_is_a_context_and_text_is_none(open_made: Open) -> None:
    """Key and value pairs become an object; a column of text that happens to be called so is left out, as in CSV."""
    base = {"user_id": ["u"], "item_id": ["i"], "event_type": ["view"], "timestamp": [1]}
    pairs = pa.array([[("device", "tv")]], pa.map_(pa.string(), pa.string()))
    assert values(open_made("a", packed(pa.table({**base, "context": pairs}))))[0]["context"] == {"device": "tv"}
    assert "context" not in values(open_made("b", packed(pa.table({**base, "context": ["{}"]}))))[0]


def test_large_files_are_read_in_batches(open_made: Open) -> None:
    """Rows come in file order, from every row group."""
    n = 25_000
    table = pa.table(
        {
            "user_id": [f"u{row}" for row in range(n)],
            "item_id": ["i"] * n,
            "event_type": ["view"] * n,
            "timestamp": range(MS, MS + n),
        }
    )
    log = open_made("log", packed(table, row_group_size=7_000))
    assert [record.timestamp_ms for record in log] == list(range(MS, MS + n))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "no column 'user_id'; the header has 'item_id, page, timestamp.*: name the columns with --column"),
        ({"user_id": ["u", "u"], "value": ["a", "b"]}, ""),
    ],
)
def test_missing_columns_are_named(open_made: Open, columns: dict[str, list[object]], message: str) -> None:
    """What is missing, and what there is; a value that is no number is sent as it is."""
    others = {name: cells for name, cells in COLUMNS.items() if name != "user_id"}
    log = open_made("log", packed(pa.table({**others, **columns})))
    if not message:
        assert [event["value"] for event in values(log)] == ["a", "b"]
        return
    with pytest.raises(LogError, match=message):
        list(log)


def test_a_damaged_file_is_an_error(open_made: Open) -> None:
    """Cut short there is no footer; with bytes flipped in its pages the rows before are given."""
    table = pa.table({**COLUMNS, "user_id": ["u" * 5000, "v" * 5000]})
    content = packed(table, compression="snappy", use_dictionary=False)
    with pytest.raises(LogError, match=r"log: not Parquet that can be read, its last part, the footer \("):
        open_made("log", content[:-20]).n_records()
    middle = bytearray(content)
    middle[8:200] = b"\xff" * 192
    with pytest.raises(LogError, match=r"log: not Parquet that can be read, after row 0 \(.*Copy or download it again"):
        list(open_made("log", bytes(middle)))


def test_parquet_in_gzip_is_refused_by_name(open_made: Open) -> None:
    """It is not taken for CSV that is broken."""
    with pytest.raises(LogError, match=r"a compressed Parquet file\. Unpack it"):
        open_made("log.parquet.gz", gzip.compress(packed(pa.table(COLUMNS))))


def test_without_pyarrow_the_extra_is_named(open_made: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing, what for, and how to get it."""
    log = open_made("log", packed(pa.table(COLUMNS)))
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(LogError, match=r"log is Parquet: reading it needs pyarrow.*pip install 'freshet\[logs\]'"):
        log.n_records()


def test_whole_floats_are_ids_as_in_text(open_made: Open) -> None:
    """A column with gaps, as pandas writes it, gives the ids of its whole numbers; fractions stay for the worker."""
    ids = [17850.0, None, 17850.5, 2.0**53, -1.0, 0.0]
    n = len(ids)
    table = pa.table(
        {
            "user_id": ids,
            "item_id": ["17850.0", "7.50", "1.10", "7", "007.0", "1e3"],
            "timestamp": list(range(1, n + 1)),
        }
    )
    events = values(open_made("log.parquet", packed(table), event_type="view"))
    assert [event.get("user_id") for event in events] == ["17850", None, 17850.5, 2.0**53, "-1", "0"]
    assert [event["item_id"] for event in events] == ["17850", "7.50", "1.10", "7", "007.0", "1e3"]
    text = "user_id,item_id,timestamp\n17850.0,85123.00,1\n17850,85123,2\n17850.5,x.0,3\n"
    assert [
        (event["user_id"], event["item_id"]) for event in values(open_made("a.csv", text.encode(), event_type="view"))
    ] == [
        ("17850", "85123"),
        ("17850", "85123"),
        ("17850.5", "x.0"),
    ]
