"""Times as other people write them, in the unit or form that is declared; never guessed from a number's size."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from functools import lru_cache

import ciso8601

UNITS = ("s", "ms", "us", "ns", "iso", "array")
"""What `time` may be, beside a strptime form, which has a percent sign."""

DAY_MS = 86_400_000
NUMBER = re.compile(r"[+-]?(\d+)(\.\d*)?([eE][+-]?\d{1,3})?", re.ASCII)
MAX_DIGITS = 18  # what fits 64 bits, and so JSON as everybody reads it

_MS_RATIO = {"s": (1000, 1), "ms": (1, 1), "us": (1, 1000), "ns": (1, 1_000_000)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_MS = timedelta(milliseconds=1)
_PRINTED = re.compile(
    r"\s*(?P<time>\d.*?\d)(?:\s+(?P<offset>[+-]\d{2}:?\d{2}))?\s*(?P<zone>UTC|GMT|Z)?\s*", re.ASCII | re.IGNORECASE
)
_MAX_PRINTED = 64

ToMs = Callable[[object], int | None]


class Instant(int):
    """Unix milliseconds of a value whose own schema says that it is a time, and in which unit."""

    __slots__ = ()


def time_reader(form: str) -> ToMs:
    """What turns a value into Unix milliseconds UTC, rounded down; None for what is no time in this form.

    Parameters
    ----------
    form
        One of `UNITS` (`iso`: ISO 8601, UTC where no zone is given; `array`: year, month, day and so on to
        nanoseconds, as Jackson writes local times), or a strptime form, e.g. `%m/%d/%Y %I:%M:%S %p`.

    Raises
    ------
    ValueError
        Saying that there is no such form.
    """
    if form == "iso":
        return lambda raw: iso_ms(raw) if isinstance(raw, str) else None
    if form == "array":
        return _array_ms
    if form in _MS_RATIO:
        return lambda raw: to_ms(raw, form)
    if "%" not in form:
        raise ValueError(f"no unit or form of a time. Use one of {', '.join(UNITS)}, or a strptime form with %")
    datetime.strptime(_EPOCH.strftime(form), form)  # to see that it is a form
    return lambda raw: _form_ms(raw, form) if isinstance(raw, str) else None


def to_ms(raw: object, unit: str) -> int | None:
    """Unix milliseconds of a number, or of the text of one, in s, ms, us or ns; rounded down."""
    if isinstance(raw, str):
        if not (match := NUMBER.fullmatch(raw)):
            return None
        amount: int | Decimal = int(raw) if match[2] is None and match[3] is None and len(raw) < 40 else Decimal(raw)
    elif isinstance(raw, float):
        amount = Decimal(repr(raw))
    elif type(raw) is int:
        amount = raw
    else:
        return None
    if isinstance(amount, Decimal) and (not amount.is_finite() or amount.adjusted() > 2 * MAX_DIGITS):
        return None
    numerator, denominator = _MS_RATIO[unit]
    if isinstance(amount, int):
        ms = amount * numerator // denominator
    else:
        ms = int((amount * numerator / denominator).to_integral_value(ROUND_FLOOR))
    return ms if abs(ms) < 10**MAX_DIGITS else None


def iso_ms(text: str) -> int | None:
    """Unix milliseconds of an ISO 8601 time, UTC where no zone is given; also as databases print it.

    They write UTC, GMT or Z out behind it, or set the offset off by a blank.

    >>> iso_ms("2019-10-01 00:00:00 UTC") == iso_ms("2019-10-01T02:00:00.000+02:00") == 1569888000000
    True
    >>> iso_ms("2019-10-01 02:00:00 +0200"), iso_ms("2019-10-01 02:00:00+02:00 UTC")
    (1569888000000, None)
    """
    try:
        return _ms(ciso8601.parse_datetime(text))
    except (ValueError, OverflowError):
        return _printed_ms(text)


def _printed_ms(text: str) -> int | None:
    if len(text) > _MAX_PRINTED or not (match := _PRINTED.fullmatch(text)):
        return None
    try:
        moment = ciso8601.parse_datetime(match["time"] + (match["offset"] or ""))
        if match["zone"] and moment.utcoffset():
            return None  # two zones
        return _ms(moment)
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=256)  # the elements of one row have one time
def _form_ms(text: str, form: str) -> int | None:
    try:
        return _ms(datetime.strptime(text, form))
    except (ValueError, OverflowError):
        return None


def _array_ms(raw: object) -> int | None:
    if not isinstance(raw, list) or not 3 <= len(raw) <= 7 or not all(type(part) is int for part in raw):
        return None
    nanoseconds = raw[6] if len(raw) == 7 else 0
    if not 0 <= nanoseconds < 1_000_000_000:
        return None
    try:
        year, month, day, *clock = raw[:6]
        hour, minute, second = [*clock, 0, 0, 0][:3]
        return _ms(datetime(year, month, day, hour, minute, second, tzinfo=UTC)) + nanoseconds // 1_000_000
    except (ValueError, OverflowError):
        return None


def _ms(moment: datetime) -> int:
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _ONE_MS
