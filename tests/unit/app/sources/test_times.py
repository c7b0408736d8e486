"""Times in the unit or form that is declared."""

import pytest

from app.sources.times import UNITS, time_reader

MS = 1_700_000_000_000


@pytest.mark.parametrize(
    ("form", "raw", "ms"),
    [
        ("s", 1_700_000_000, MS),
        ("s", "1700000000.9996", MS + 999),
        ("s", 1_700_000_000.5, MS + 500),
        ("ms", MS, MS),
        ("ms", str(MS), MS),
        ("us", str(MS * 1000 + 999), MS),
        ("ns", MS * 1_000_000 + 1, MS),
        ("s", -1, -1000),
        ("iso", "2023-11-14T22:13:20Z", MS),
        ("iso", "2023-11-14T22:13:20.123456789Z", MS + 123),
        ("iso", "2023-11-14 22:13:20", MS),
        ("iso", "2023-11-14 22:13:20 UTC", MS),
        ("iso", "2023-11-14 22:13:20.25 UTC", MS + 250),
        ("iso", "2023-11-14T22:13:20utc", MS),
        ("iso", "2023-11-14 22:13:20 GMT", MS),
        ("iso", "2023-11-14 22:13:20 Z", MS),
        ("iso", " 2023-11-14 22:13:20 ", MS),
        ("iso", "2023-11-15 00:13:20 +02:00", MS),
        ("iso", "2023-11-14 22:13:20 +0000 UTC", MS),
        ("iso", "2023-11-15T00:13:20+02:00", MS),
        ("array", [2023, 11, 14, 22, 13, 20, 5_000_000], MS + 5),
        ("array", [2023, 11, 14, 22, 13], MS - 20_000),
        ("%m/%d/%Y %I:%M:%S %p", "11/14/2023 10:13:20 PM", MS),
        ("%d.%m.%Y %H:%M:%S %z", "15.11.2023 00:13:20 +0200", MS),
        ("%Y-%m-%d %H:%M:%S.%f", "2023-11-14 22:13:20.250000", MS + 250),
    ],
)
def test_each_form_gives_milliseconds(form: str, raw: object, ms: int) -> None:
    """Units and forms, fractions rounded down, zones applied, UTC where there is none."""
    assert time_reader(form)(raw) == ms


@pytest.mark.parametrize("form", [*UNITS, "%Y-%m-%d"])
@pytest.mark.parametrize(
    "raw",
    [
        None,
        True,
        "",
        "yesterday",
        "2023-11-14T22:61:00Z",
        "2023-11-15T00:13:20+02:00 UTC",
        "1" * 9999,
        {},
        [2023],
        [2023, 13, 1],
        [2023, 1, 1, 0, 0, 0, -1],
    ],
)
def test_what_is_no_time_in_this_form_is_none(form: str, raw: object) -> None:
    """None, never an exception, and never a guess."""
    assert time_reader(form)(raw) is None


def test_numbers_are_no_iso_times_and_texts_no_arrays() -> None:
    """A number where a text is declared, or the other way, is no time."""
    assert time_reader("iso")(MS) is None
    assert time_reader("iso")(str(MS)) is None
    assert time_reader("array")("2023") is None
    assert time_reader("%Y")(2023) is None
    assert time_reader("ms")("2023-11-14") is None
    assert time_reader("s")(1e300) is None


@pytest.mark.parametrize("form", ["", "seconds", "MS", "%Q", "%"])
def test_what_is_no_form_is_refused(form: str) -> None:
    """A form that no time could be read by is told at once."""
    with pytest.raises(ValueError, match=r"form|stray|directive"):
        time_reader(form)
