"""What the types of events mean: how much each counts, whether it speaks for or against an item, what it takes back."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from models.errors import SettingsError
from models.ids import hash64

RATING = "rating"
"""The one type whose value, not its polarity, says whether it is positive."""

MAX_WEIGHT = 1e6
WITHDRAW = "withdraw"
MAX_RETURN_DAYS = 36_500
MAX_RETURNING = 15  # types: as many as words have kinds for (`models.words`)
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
    effect
        `withdraw`: takes back what the user said of the item before; empty: none beside what the polarity says.
    allow_repeats
        Whether such an item may be offered again to who has had it.
    returns_after_days
        After so many days without an event an item had in this way counts as new to its user again; 0: never.
    """

    name: str
    weight: float
    polarity: int
    effect: str = ""
    allow_repeats: bool = False
    returns_after_days: float = 0.0

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
        if self.effect not in ("", WITHDRAW):
            raise SettingsError(
                f"effect of event type {self.name!r} has value {self.effect!r}: use {WITHDRAW!r} or ''."
            )
        if self.effect and (self.polarity or self.name == RATING):
            raise SettingsError(
                f"effect of event type {self.name!r} has value {self.effect!r} beside polarity {self.polarity}: "
                "what takes back speaks neither for nor against. Use polarity 0, and another type than 'rating'."
            )
        if not 0 <= self.returns_after_days <= MAX_RETURN_DAYS:
            raise SettingsError(
                f"returns_after_days of event type {self.name!r} has value {self.returns_after_days!r}: "
                f"use 0 (never) to {MAX_RETURN_DAYS}, e.g. 30."
            )
        if self.may_return and self.polarity <= 0 and self.name != RATING:
            raise SettingsError(
                f"event type {self.name!r} does not speak for its item: nothing of it returns. "
                "Leave allow_repeats and returns_after_days to types with polarity 1 and ratings."
            )

    @property
    def makes_seen(self) -> bool:
        """Whether its items are seen ones: ratings, what has a polarity, and what takes back."""
        return self.name == RATING or self.polarity != 0 or self.effect == WITHDRAW

    @property
    def may_return(self) -> bool:
        """Whether an item had in this way is offered again, at once or in time."""
        return self.allow_repeats or self.returns_after_days > 0


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
            ("dislike", 0.0, -1),
            ("skip", 0.0, 0),
        )
    }
)
"""The types that are known without configuration, by name."""


def returning_types(types: Mapping[str, EventType]) -> tuple[EventType, ...]:
    """The types whose items are offered again: those of the kinds 1, 2 and so on (`models.words`).

    Raises
    ------
    SettingsError
        If there are too many.
    """
    found = tuple(known for _, known in sorted(types.items()) if known.may_return)
    if len(found) > MAX_RETURNING:
        raise SettingsError(
            f"{len(found)} types of events have allow_repeats or returns_after_days: use {MAX_RETURNING} at most."
        )
    return found


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
