"""What shapes lists and no state: it may change from one start to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.blend import BLENDS
from models.errors import SettingsError
from models.source_names import CO_OCCURRENCE, HISTORY, MAX_WEIGHT, SOURCE_NAMES

MAX_DEPTH = 1000


@dataclass(frozen=True, slots=True)
class ListSettings:
    """How lists are made of what sources propose.

    Parameters
    ----------
    blend
        One of `models.blend.BLENDS`.
    weights
        What each source counts, by its name; only their ratio matters. 0 or no name: the source is not asked.
    depth
        Proposals of each source that count.
    """

    blend: str = "ranks"
    weights: Mapping[str, float] = field(default_factory=lambda: {CO_OCCURRENCE: 0.4, HISTORY: 0.6})
    depth: int = 30

    def __post_init__(self) -> None:
        if self.blend not in BLENDS:
            raise SettingsError(f"blend has value {self.blend!r}. Use one of {', '.join(BLENDS)}.")
        if not 1 <= self.depth <= MAX_DEPTH:
            raise SettingsError(f"depth has value {self.depth!r}. Use 1 to {MAX_DEPTH}, e.g. 30.")
        for name, weight in self.weights.items():
            if name not in SOURCE_NAMES:
                raise SettingsError(f"weights names the source {name!r}. There are {', '.join(SOURCE_NAMES)}.")
            if not 0.0 <= weight <= MAX_WEIGHT:
                raise SettingsError(f"{name} has weight {weight!r}. Use 0 (off) to {MAX_WEIGHT:.0f}, e.g. 0.5.")

    def weight(self, name: str) -> float:
        """What a source counts."""
        return self.weights.get(name, 0.0)
