"""How much later a slower service would serve its lists: in records of the log, or in its event time."""

import re
from dataclasses import dataclass
from typing import Final

from models.errors import SettingsError

UNITS_MS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
MAX_RECORDS: Final = 10_000_000
MAX_DAYS: Final = 3650
_FORM: Final = re.compile(r"(\d{1,15})(ms|s|m|h|d)?", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Delay:
    """A delay: times come before records, the short before the long.

    Parameters
    ----------
    in_records
        Whether it is counted in records; else it is a time.
    amount
        Records, or milliseconds.
    """

    in_records: bool
    amount: int

    @property
    def text(self) -> str:
        """As it is written, in the widest unit that needs no fraction.

        >>> Delay(False, 60_000).text, Delay(False, 90_000).text, Delay(True, 1000).text
        ('1m', '90s', '1000')
        """
        if self.in_records:
            return str(self.amount)
        unit = next(unit for unit in reversed(UNITS_MS) if self.amount % UNITS_MS[unit] == 0)
        return f"{self.amount // UNITS_MS[unit]}{unit}"

    @property
    def list_name(self) -> str:
        """What the list that is so late is called.

        >>> Delay(False, 60_000).list_name, Delay(True, 1000).list_name
        ('1m ago', '1,000 records ago')
        """
        if not self.in_records:
            return f"{self.text} ago"
        return f"{self.amount:,} record{'s' if self.amount > 1 else ''} ago"

    def as_json(self) -> dict[str, object]:
        """The text, and the records or the seconds that it stands for."""
        return {"delay": self.text} | (
            {"records": self.amount} if self.in_records else {"seconds": self.amount / UNITS_MS["s"]}
        )


def parse_delays(text: str) -> tuple[Delay, ...]:
    """Delays between commas, in order, each once; 0 is the list itself and needs no other.

    >>> [delay.text for delay in parse_delays("0,1000,60s,1s,1m")]
    ['1s', '1m', '1000']

    Raises
    ------
    SettingsError
        If one is neither a number of records nor a time, or too long.
    """
    found = {_parsed(part.strip(), text) for part in text.split(",")}
    return tuple(sorted(delay for delay in found if delay.amount))


def _parsed(part: str, text: str) -> Delay:
    match = _FORM.fullmatch(part)
    if match is None:
        raise SettingsError(
            f"{part!r} in {text!r} is no delay: use numbers of records (1000) and times with one of the units "
            f"{', '.join(UNITS_MS)}, with commas between, e.g. 0,1s,10s,1m,1h,1d."
        )
    delay = Delay(match[2] is None, int(match[1]) * UNITS_MS.get(match[2] or "", 1))
    if delay.amount > (MAX_RECORDS if delay.in_records else MAX_DAYS * UNITS_MS["d"]):
        raise SettingsError(f"{part!r} in {text!r} is too long: use at most {MAX_RECORDS:,} records or {MAX_DAYS}d.")
    return delay
