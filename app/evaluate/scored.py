"""What is noted of every test: its rank in each list, and what it was a test of."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from app.evaluate.spread import Spread
from models.item_distances import ItemDistances
from models.list_metrics import self_information

DEPTHS = (10, 20)
DEPTH = max(DEPTHS)
_COLUMNS = ("list", "user", "item", "block", "user_events", "item_events", "n_seen", "repeat")
Ints = npt.NDArray[np.int64]


@dataclass(slots=True)
class Frozen:
    """The lists of a user as they stood at the first event of a timestamp: item numbers, best first."""

    time_ms: int
    lists: Mapping[str, Sequence[int]]
    number: int = -1  # once an event is tested on them


@dataclass(slots=True)
class Shown:
    """What the lists by one name have shown so far.

    Parameters
    ----------
    exposures
        How often each item stood in the first 10 and in the first 20 places, shape (2, room for items).
    bits
        Self-information summed over these places.
    """

    exposures: Ints = field(default_factory=lambda: np.zeros((len(DEPTHS), 64), np.int64))
    bits: list[float] = field(default_factory=lambda: [0.0] * len(DEPTHS))

    def add(self, items: Ints, n_events: Ints, total: int) -> None:
        """Count a list; `n_events` are those of its items, of `total`, when it was made."""
        most = int(items.max(initial=-1))
        if most >= self.exposures.shape[1]:
            grown = np.zeros((len(DEPTHS), 2 * most), np.int64)
            grown[:, : self.exposures.shape[1]] = self.exposures
            self.exposures = grown
        bits = self_information(n_events, total)
        for place, k in enumerate(DEPTHS):
            self.exposures[place, items[:k]] += 1
            self.bits[place] += float(bits[:k].sum())


class Tests:
    """All tests of an evaluation, in columns.

    Parameters
    ----------
    names
        Of the lists.
    distances
        Between items, for the diversity of lists.
    """

    def __init__(self, names: Sequence[str], distances: ItemDistances) -> None:
        self.names = names
        self.n_lists = 0
        self.spread = Spread(names, distances)
        self.shown = {name: Shown() for name in names}
        self._ranks = {name: array("b") for name in names}
        self._columns = {name: array("q") for name in _COLUMNS}

    def __len__(self) -> int:
        return len(self._columns["list"])

    def begin(self, frozen: Frozen, n_events: Sequence[int], total: int) -> None:
        """Count lists that are tested for the first time; `n_events` of each item, of `total`."""
        frozen.number = self.n_lists
        self.n_lists += 1
        self.spread.add(frozen.lists)
        for name, items in frozen.lists.items():
            counts = np.array([n_events[item] for item in items], np.int64)
            self.shown[name].add(np.array(items, np.int64), counts, total)

    def add(self, frozen: Frozen, item: int, **numbers: int) -> None:
        """Note a test of an item: its rank in each list, and the other columns."""
        for name, items in frozen.lists.items():
            self._ranks[name].append(items.index(item) + 1 if item in items else 0)
        for name, number in {"list": frozen.number, "item": item, **numbers}.items():
            self._columns[name].append(number)

    def ranks(self, name: str) -> Ints:
        """The rank of each test in the lists by that name; 0: not there."""
        return np.array(self._ranks[name], np.int64)

    def column(self, name: str) -> Ints:
        """One number of each test."""
        return np.array(self._columns[name], np.int64)
