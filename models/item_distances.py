"""How far apart items are: 1 less the likeness of what is known of both, by categories or by users.

The diversity of a list is the mean over the pairs of its items (Ziegler et al., doi:10.1145/1060745.1060754). Pairs of
which one item has no representation say nothing, and are left out.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

N_HASHES: Final = 128
NO_ITEM: Final = -1
_BITS: Final = 64
_NOTHING: Final = np.uint32(0xFFFFFFFF)
_STEPS: Final = np.arange(1, N_HASHES + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)


class ItemDistances(Protocol):
    """Distances of items by number, out of one representation."""

    by: str
    """What items are compared by: `categories` or `users`."""

    def took(self, item: int, user_hash: int) -> None:
        """Learn that a user took to an item that was new to them."""

    def between(self, items: Ints) -> Floats:
        """The distance of each pair of a list, 0 to 1; NaN if one of them has no representation.

        Parameters
        ----------
        items
            Numbers of the items of several lists, shape (n_lists, k); -1 behind the end of a short one.

        Returns
        -------
        Shape (n_lists, k (k - 1) / 2): pairs in the order of `numpy.triu_indices`.
        """


class DistancesByUsers:
    """1 - cosine of the sets of users who have taken to two items so far: |A and B| / sqrt(|A| |B|).

    Sets are held as 128 minima of hashes (Broder, doi:10.1109/SEQUEN.1997.666900), 512 bytes an item however many its
    users: the share of equal minima estimates |A and B| / |A or B|, from which, with the sizes, comes the cosine. One
    pair's estimate is rough, a standard error of .05 or so; the mean over many lists is not.

    >>> distances = DistancesByUsers()
    >>> for item, user in [(0, 7), (1, 7), (2, 8)]:
    ...     distances.took(item, user)
    >>> distances.between(np.array([[0, 1, 2, 3]])).tolist()
    [[0.0, 1.0, nan, 1.0, nan, nan]]
    """

    by = "users"

    def __init__(self) -> None:
        self._minima = np.full((64, N_HASHES), _NOTHING)
        self._n_users = np.zeros(64, np.int64)

    def took(self, item: int, user_hash: int) -> None:
        """Put a user into an item's set; each is to come once."""
        self._have_room(item)
        np.minimum(self._minima[item], _mixed(user_hash), out=self._minima[item])
        self._n_users[item] += 1

    def between(self, items: Ints) -> Floats:
        """See `ItemDistances`."""
        self._have_room(int(items.max(initial=NO_ITEM)))
        one, other = np.triu_indices(items.shape[1], 1)
        n_users = np.where(items >= 0, self._n_users[items], 0).astype(np.float64)
        minima = self._minima[items]
        jaccard = (minima[:, one] == minima[:, other]).mean(axis=2)
        first, second = n_users[:, one], n_users[:, other]
        product = first * second
        cosine = jaccard / (1.0 + jaccard) * (first + second) / np.sqrt(np.maximum(product, 1.0))
        result: Floats = np.where(product > 0.0, 1.0 - np.minimum(cosine, 1.0), np.nan)
        return result

    def _have_room(self, item: int) -> None:
        if item >= len(self._n_users):
            more = 2 * item - len(self._n_users)
            self._minima = np.concatenate([self._minima, np.full((more, N_HASHES), _NOTHING)])
            self._n_users = np.concatenate([self._n_users, np.zeros(more, np.int64)])


class DistancesByCategories:
    """1 - |A and B| / |A or B| of the categories of two items (Jaccard).

    Parameters
    ----------
    categories
        By item id; an item that has none has no representation.
    ids
        The item ids by number; may grow.

    Examples
    --------
    >>> distances = DistancesByCategories({"a": ["x", "y"], "b": ["y", "z", "w"], "c": []}, ["a", "b", "c"])
    >>> distances.between(np.array([[0, 1, 2]])).tolist()
    [[0.75, nan, nan]]
    """

    by = "categories"

    def __init__(self, categories: Mapping[str, Collection[str]], ids: Sequence[str]) -> None:
        self._ids = ids
        sets = {item_id: frozenset(names) for item_id, names in categories.items() if names}
        rows = {each: row for row, each in enumerate(dict.fromkeys([frozenset[str](), *sets.values()]))}
        self._row_of = {item_id: rows[each] for item_id, each in sets.items()}  # row 0: none
        columns = {name: column for column, name in enumerate(sorted(set().union(*rows)))}
        self._bits = np.zeros((len(rows), len(columns) // _BITS + 1), np.uint64)
        for each, row in rows.items():
            for column in map(columns.__getitem__, each):
                self._bits[row, column // _BITS] |= np.uint64(1 << column % _BITS)
        self._sizes = np.array([len(each) for each in rows], np.float64)

    def took(self, item: int, user_hash: int) -> None:
        """Nothing: categories do not depend on who takes to what."""

    def between(self, items: Ints) -> Floats:
        """See `ItemDistances`."""
        one, other = np.triu_indices(items.shape[1], 1)
        rows = np.array([[self._row(item) for item in each] for each in items.tolist()], np.int64).reshape(items.shape)
        bits, sizes = self._bits[rows], self._sizes[rows]
        both = np.bitwise_count(bits[:, one] & bits[:, other]).sum(axis=2)
        first, second = sizes[:, one], sizes[:, other]
        known = (first > 0.0) & (second > 0.0)
        result: Floats = np.where(known, 1.0 - both / np.where(known, first + second - both, 1.0), np.nan)
        return result

    def _row(self, item: int) -> int:
        return self._row_of.get(self._ids[item], 0) if item >= 0 else 0


def _mixed(user_hash: int) -> npt.NDArray[np.uint32]:
    """128 hashes of a user: steps of splitmix64 from theirs, the upper halves."""
    mixed = _STEPS + np.uint64(user_hash)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(32)).astype(np.uint32)
