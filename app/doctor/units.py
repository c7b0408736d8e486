"""The unit that a time looks like: by its size alone, so for a doctor's guess, never for the fold."""

from typing import Final, Literal

Unit = Literal["seconds", "milliseconds", "microseconds", "nanoseconds"]

# From 1973 to 5138 in each unit: no number is of two.
_FROM: Final[tuple[tuple[int, Unit], ...]] = (
    (10**17, "nanoseconds"),
    (10**14, "microseconds"),
    (10**11, "milliseconds"),
    (10**8, "seconds"),
)


def unit_of(timestamp: int) -> Unit | None:
    """What an integer looks like as a time since 1970; None if like nothing.

    Examples
    --------
    >>> unit_of(1_700_000_000), unit_of(1_700_000_000_000), unit_of(1_700_000_000_000_000), unit_of(7)
    ('seconds', 'milliseconds', 'microseconds', None)
    """
    return next((unit for least, unit in _FROM if timestamp >= least), None)
