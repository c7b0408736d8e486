"""What the types of events mean: how much each counts, and whether it speaks for or against an item."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from models.errors import SettingsError

RATING = "rating"
"""The one type whose value, not its polarity, says whether it is positive."""

_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


@dataclass(frozen=True, slots=True)
class EventType:
    """One type of event.

    Parameters
    ----------
    weight
        How much one such event counts when it is learned; finite, 0 or more.
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
        if not (math.isfinite(self.weight) and self.weight >= 0):
            raise SettingsError(
                f"weight of event type {self.name!r} has value {self.weight!r}: "
                "use a finite number of 0 or more; the sign belongs into the polarity."
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
