"""What shapes lists and no state: it may change from one start to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from models.errors import SettingsError
from models.event_types import EventType
from models.source_names import (
    AGAIN_LAST,
    AGAIN_OFTEN,
    CO_OCCURRENCE,
    HISTORY,
    MAX_WEIGHT,
    POPULARITY,
    SOURCE_NAMES,
)

RANKS, LOG_SHARES, SCORES, LEARNED = "ranks", "log_shares", "scores", "learned"
AGAIN: Final[Mapping[str, float]] = {AGAIN_LAST: 0.4, AGAIN_OFTEN: 0.4}
START: Final[Mapping[str, float]] = {CO_OCCURRENCE: 0.8, HISTORY: 0.8, POPULARITY: 0.1, **AGAIN}
WEIGHTS: Final[Mapping[str, Mapping[str, float]]] = {
    RANKS: {CO_OCCURRENCE: 0.4, HISTORY: 0.6, **AGAIN},
    LOG_SHARES: START,
    SCORES: {CO_OCCURRENCE: 0.6, HISTORY: 0.4, **AGAIN},
    LEARNED: START,
}
"""The blends, and what sources count in each unless settings say otherwise; found on the first 30 % of ML-100k.

Those of `AGAIN` are asked where settings let items return, and nowhere else."""

MAX_DEPTH: Final = 1000
MAX_LOOK: Final = 1_000_000
MAX_PER_CATEGORY: Final = 500


@dataclass(frozen=True, slots=True)
class ListSettings:
    """How lists are made of what sources propose.

    Parameters
    ----------
    blend
        `ranks`, `log_shares` or `scores` (`models.blend`) by fixed weights, or `learned`: log shares by weights that
        are learned from what users took (`models.blend_weights`).
    weights
        What each source counts, by its name, at the start if weights are learned; 0 or no name: it is not asked. Those
        of `WEIGHTS` if empty.
    depth
        Proposals of each source.
    look
        About how many items factors are scored for; in a partition that knows at most four times as many, for all.
    max_per_category
        Items of one category in a list, while there are others; 0: any number (`tables.stages.per_category`).
    returning
        The types of events whose items return, by kind from 1 on (`models.event_types.returning_types`).
    """

    blend: str = LEARNED
    weights: Mapping[str, float] = field(default_factory=dict)
    depth: int = 50
    look: int = 500
    max_per_category: int = 0
    returning: tuple[EventType, ...] = ()

    def __post_init__(self) -> None:
        if self.blend not in WEIGHTS:
            raise SettingsError(f"blend has value {self.blend!r}. Use one of {', '.join(WEIGHTS)}.")
        if not 1 <= self.depth <= MAX_DEPTH:
            raise SettingsError(f"depth has value {self.depth!r}. Use 1 to {MAX_DEPTH}, e.g. 50.")
        if not 1 <= self.look <= MAX_LOOK:
            raise SettingsError(f"look has value {self.look!r}. Use 1 to {MAX_LOOK}, e.g. 500.")
        if not 0 <= self.max_per_category <= MAX_PER_CATEGORY:
            value = self.max_per_category
            raise SettingsError(f"max_per_category has value {value!r}. Use 0 (off) to {MAX_PER_CATEGORY}, e.g. 3.")
        for name, weight in self.weights.items():
            if name not in SOURCE_NAMES:
                raise SettingsError(f"weights names the source {name!r}. There are {', '.join(SOURCE_NAMES)}.")
            if not 0.0 <= weight <= MAX_WEIGHT:
                raise SettingsError(f"{name} has weight {weight!r}. Use 0 (off) to {MAX_WEIGHT:.0f}, e.g. 0.5.")

    def weight(self, name: str) -> float:
        """What a source counts."""
        if name in AGAIN and not any(known.allow_repeats for known in self.returning):
            return 0.0
        return (self.weights or WEIGHTS[self.blend]).get(name, 0.0)
