"""What the types of events mean: how much each counts, and whether it speaks for or against an item."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from models.errors import SettingsError
from models.ids import hash64

RATING = "rating"
"""The one type whose value, not its polarity, says whether it is positive."""

MAX_WEIGHT = 1e6
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


@dataclass(frozen=True, slots=True)
class EventType:
    """One type of event.

    Parameters
    ----------
    weight
        How much one such event counts when it is learned; 0 to a million.
    polarity
        1 speaks for the item, -1 against it, 0 says nothing about it.
    """

    name: str
    weight: float
    polarity: int

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise SettingsError(
                f"event type name has value {self.name!r}: not a name. Use 1 to 64 of A-Za-z0-9_.:-, e.g. 'share'."
            )
        if not 0 <= self.weight <= MAX_WEIGHT:
            raise SettingsError(
                f"weight of event type {self.name!r} has value {self.weight!r}: "
                f"use 0 to {MAX_WEIGHT:,.0f}; the sign belongs into the polarity."
            )
        if self.polarity not in (-1, 0, 1):
            raise SettingsError(f"polarity of event type {self.name!r} has value {self.polarity!r}: use -1, 0 or 1.")
        if self.name == RATING and self.polarity:
            raise SettingsError(
                f"polarity of event type 'rating' has value {self.polarity!r}: use 0, a rating is judged by its value."
            )


DEFAULT_TYPES: Mapping[str, EventType] = MappingProxyType(
    {
        name: EventType(name, weight, polarity)
        for name, weight, polarity in (
            ("impression", 0.0, 0),
            ("view", 1.0, 1),
            ("click", 1.0, 1),
            ("add_to_cart", 1.0, 1),
            ("purchase", 1.0, 1),
            (RATING, 1.0, 0),
            ("like", 1.0, 1),
            ("dislike", 0.5, -1),
            ("skip", 0.0, 0),
        )
    }
)
"""The types that are known without configuration, by name."""

_FIRST_CODE, _N_CODES = 1024, 60_000
_CODES = {name: code for code, name in enumerate(DEFAULT_TYPES)}


def type_codes(types: Iterable[str]) -> dict[str, int]:
    """The number (16 bits) that stands for each type in stored counts: a function of its name alone.

    Raises
    ------
    SettingsError
        If two configured names have the same number.
    """
    codes: dict[str, int] = {}
    for name in types:
        code = _CODES.get(name, _FIRST_CODE + hash64(name) % _N_CODES)
        if code in codes.values():
            raise SettingsError(f"event type {name!r} has the same number as another one: use another name.")
        codes[name] = code
    return codes
