"""How varied lists are: the mean distance of the items in their first 10 places."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from models.item_distances import NO_ITEM, ItemDistances

FIRST: Final = 10


class Spread:
    """Sums over the lists that were tested, by name.

    Parameters
    ----------
    names
        Of the lists.
    distances
        Between items, as they are known when lists are added.
    """

    def __init__(self, names: Sequence[str], distances: ItemDistances) -> None:
        self._places = {name: place for place, name in enumerate(names)}
        self._distances = distances
        self._means = np.zeros(len(names))
        self._n_lists, self._n_pairs, self._n_left_out = (np.zeros(len(names), np.int64) for _ in range(3))

    def add(self, lists: Mapping[str, Sequence[int]]) -> None:
        """Take the lists of one user, all of the names."""
        items = np.full((len(self._places), FIRST), NO_ITEM, np.int64)
        for name, numbers in lists.items():
            first = numbers[:FIRST]
            items[self._places[name], : len(first)] = first
        found = self._distances.between(items)
        lengths = (items != NO_ITEM).sum(axis=1)
        known = ~np.isnan(found)
        n_known = known.sum(axis=1)
        n_pairs = lengths * (lengths - 1) // 2
        self._means += np.where(known, found, 0.0).sum(axis=1) / np.maximum(n_known, 1)
        self._n_lists += n_known > 0
        self._n_pairs += n_pairs
        self._n_left_out += n_pairs - n_known

    def diversity(self, name: str) -> float | None:
        """The mean over lists of the mean distance of their pairs; None if nothing is known of any."""
        place = self._places[name]
        return float(self._means[place] / self._n_lists[place]) if self._n_lists[place] else None

    def pairs(self, name: str) -> tuple[int, int]:
        """How many pairs there were, and how many of them were left out: one item has no representation."""
        place = self._places[name]
        return int(self._n_pairs[place]), int(self._n_left_out[place])
