"""The unit or form of times, as far as a sample can tell; a suggestion, which a person reads before it is used."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from app.sources.times import UNITS, time_reader

EARLIEST_MS: Final = 946_684_800_000  # 2000
LATEST_MS: Final = 2_051_222_400_000  # 2035
FORMS: Final = (
    "%m/%d/%Y %I:%M:%S %p",
    "%d/%m/%Y %I:%M:%S %p",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%a, %d %b %Y %H:%M:%S %Z",
    "%a %b %d %H:%M:%S %Z %Y",
    "%d/%b/%Y:%H:%M:%S %z",
)
_LEAST_SHARE: Final = 0.9


class Unit(NamedTuple):
    """What a time is written in (None: it cannot be told), and what speaks for it."""

    form: str | None
    why: str


def unit_of(values: Sequence[Any]) -> Unit:
    """The form by which at least nine in ten of the values are times between 2000 and 2035."""
    if not values:
        return Unit(None, "there is no value")
    fits = [form for form in (*UNITS, *FORMS) if _share(values, form) >= _LEAST_SHARE]
    first = values[0]
    if not fits:
        return Unit(None, f"{first!r} is a time between 2000 and 2035 in no unit or form that is known here")
    if len(fits) > 1:
        return Unit(None, f"{first!r} could be {' or '.join(fits)}: the sample does not tell, say which in `time`")
    ms = next(ms for value in values if (ms := time_reader(fits[0])(value)) is not None)
    return Unit(fits[0], f"{first!r} is {shown_ms(ms)}, and before 2000 or after 2035 in any other unit")


def shown_ms(ms: int) -> str:
    """A time for people; the number where there is no such date."""
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"{ms} ms"


def _share(values: Sequence[Any], form: str) -> float:
    read = time_reader(form)
    return sum((ms := read(value)) is not None and EARLIEST_MS <= ms < LATEST_MS for value in values) / len(values)
