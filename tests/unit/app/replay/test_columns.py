import orjson
import pytest

from app.replay.columns import ColumnMapping, TableColumns, parse_columns, to_number
from app.sources.times import time_reader
from models.errors import SettingsError


@pytest.mark.parametrize(
    ("raw", "unit", "ms"),
    [
        ("1700000000", "s", 1_700_000_000_000),
        ("1700000000.1239", "s", 1_700_000_000_123),
        ("1.7e9", "s", 1_700_000_000_000),
        ("1700000000000", "ms", 1_700_000_000_000),
        ("1700000000000.0", "ms", 1_700_000_000_000),
        ("1700000000000999", "us", 1_700_000_000_000),
        ("1700000000000999999", "ns", 1_700_000_000_000),
        ("-1", "us", -1),
        (1_700_000_000, "s", 1_700_000_000_000),
        (1_700_000_000.5, "s", 1_700_000_000_500),
        ("2023-11-14T22:13:20Z", "iso", 1_700_000_000_000),
        ("2023-11-14 22:13:20.001", "iso", 1_700_000_000_001),
        ("2023-11-15T00:13:20+02:00", "iso", 1_700_000_000_000),
    ],
)
def test_a_time_in_its_unit_becomes_milliseconds(raw: object, unit: str, ms: int) -> None:
    """Each unit is turned into whole milliseconds, rounded down, exactly."""
    assert time_reader(unit)(raw) == ms


@pytest.mark.parametrize(
    "raw", ["", "abc", "1_000", " 1", "٣", "nan", "inf", "9" * 30, "9" * 5000, "1e999", True, None, []]
)
def test_what_is_no_time_is_none(raw: object) -> None:
    """No spelling that only Python takes for a number, and nothing beyond 64 bits, passes for a time."""
    assert time_reader("s")(raw) is None


@pytest.mark.parametrize("raw", ["yesterday", "2023-13-01", "0001-01-01T00:00:00+23:59", 5])
def test_what_is_no_iso_time_is_no_crash(raw: object) -> None:
    """Text that is no ISO 8601 time gives None, or a time before 1970, never an exception."""
    ms = time_reader("iso")(raw)
    assert ms is None or ms < 0


@pytest.mark.parametrize(
    ("text", "number"),
    [("4", 4), ("-4", -4), ("4.0", 4.0), ("3.5", 3.5), ("1e3", 1000.0), ("9" * 30, 1e30)],
)
def test_a_cell_that_spells_a_number_becomes_one(text: str, number: float) -> None:
    """Whole numbers become integers, others floats."""
    found = to_number(text)
    assert (found, type(found)) == (number, type(number))


@pytest.mark.parametrize("text", ["", "four", "nan", "inf", "1e999", "0x10", "1_0"])
def test_a_cell_that_spells_none_stays_text(text: str) -> None:
    """What JSON cannot say as a number is kept as it came."""
    assert to_number(text) == text


def test_flags_name_fields_and_columns() -> None:
    """A flag is cut at its first equals sign."""
    assert parse_columns(["user_id=visitor=id", "context.device=dev"]) == {
        "user_id": "visitor=id",
        "context.device": "dev",
    }


@pytest.mark.parametrize("flag", ["user_id", "user_id=", "=x", "who=x", "context.=x", "context=x"])
def test_a_flag_that_cannot_be_used_is_refused(flag: str) -> None:
    """The message shows the flag."""
    with pytest.raises(SettingsError, match=f"--column has value '{flag}'"):
        parse_columns([flag])


def test_a_field_named_twice_is_refused() -> None:
    """Two columns cannot both be the user."""
    with pytest.raises(SettingsError, match="'user_id' twice: 'a' and 'b'"):
        parse_columns(["user_id=a", "user_id=b"])


def test_an_unknown_unit_is_refused() -> None:
    """The message lists the units."""
    with pytest.raises(SettingsError, match="'h': use one of s, ms, us, ns, iso"):
        ColumnMapping(timestamp_unit="h")


def test_fields_stand_in_the_order_of_the_contract() -> None:
    """However the columns stand, the event's fields stand in one order."""
    header = ["value", "context.device", "event_id", "timestamp", "event_type", "item_id", "user_id"]
    record = TableColumns(header, ColumnMapping()).record(["3", "tv", "e1", "7", "view", "i", "u"])
    assert record.value == (
        b'{"user_id":"u","item_id":"i","event_type":"view","timestamp":7,'
        b'"event_id":"e1","value":3,"context":{"device":"tv"}}'
    )


def test_a_constant_event_type_fills_only_gaps() -> None:
    """Rows that name their type keep it."""
    columns = TableColumns(["user_id", "item_id", "event_type", "timestamp"], ColumnMapping(event_type="view"))
    types = [orjson.loads(columns.record(["u", "i", given, "1"]).value)["event_type"] for given in ("", "click")]
    assert types == ["view", "click"]


def test_a_row_that_does_not_fit_its_header_keeps_its_cells() -> None:
    """Too few and too many cells go out raw, without a key."""
    columns = TableColumns(["user_id", "item_id", "event_type", "timestamp"], ColumnMapping())
    for cells in (["u"], ["u", "i", "view", "1", "extra"]):
        record = columns.record(cells)
        assert (record.key, orjson.loads(record.value), record.timestamp_ms) == (b"", {"_row": cells}, None)
