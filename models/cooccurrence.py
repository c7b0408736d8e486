"""Item co-occurrence over each user's last interactions, in bounded rows.

Every interaction adds, for each of the user's last `n_history` other items, `weight * other's weight` to the pair, in
both items' rows. An item's row is cut to its `n_keep` heaviest neighbours whenever it has grown to twice as many.

    score(candidate j) = n_j^-c * sum over history i, `step` back:  weight_i * decay^step * n_i^-a * pair_ij

with n = an item's summed weights, a = `known_exponent`, c = `candidate_exponent` (Deshpande and Karypis,
doi:10.1145/963770.963776, with the two items' norms apart). An item's evidence is found by its slot, a small integer.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models import kernels
from models.compiled import lean
from models.rows import FIRST, RowArrays, RowPool, make_room, size_class

Array = Any  # numpy arrays; numba's signatures say the dtypes


@dataclass(frozen=True, slots=True)
class CooccurrenceSettings:
    """What shapes the pairs and the scores; the defaults are the measured ones (MovieLens 100k, strict, HR@10 .194)."""

    n_history: int = 20
    n_keep: int = 200
    decay: float = 0.9
    known_exponent: float = 0.7
    candidate_exponent: float = 0.35

    def norms(self, weight: float) -> tuple[float, float]:
        """What an item of this summed weight is multiplied by: as known item, as candidate; 0 without weight."""
        known, candidate = norms(weight, self.known_exponent, self.candidate_exponent)
        return float(known), float(candidate)


@lean(cache=True, nogil=True)
def norms(weight: float, known_exponent: float, candidate_exponent: float) -> tuple[float, float]:
    """`CooccurrenceSettings.norms`."""
    if not weight > 0.0:
        return 0.0, 0.0
    return weight**-known_exponent, weight**-candidate_exponent


@lean(cache=True, nogil=True)
def room_for(rows: RowArrays, row: int, more: int, n_keep: int) -> None:
    """Let a row take `more` pairs; one at full length is cut before it overflows."""
    make_room(rows, row, max(0, min(more, 2 * n_keep - rows.length[row])))


@lean(cache=True, nogil=True)
def learn_pairs(rows: RowArrays, slot: int, others: Array, amounts: Array, n_keep: int) -> None:
    """Add `amounts[i]` to the pair of `slot` and `others[i]`, both ways; no item may stand in `others` twice.

    The pool must have `cells_per_event` cells left.
    """
    room_for(rows, slot, others.shape[0], n_keep)
    length, room = rows.length, rows.room
    for place in range(others.shape[0]):
        if length[others[place]] == room[others[place]]:
            room_for(rows, others[place], 1, n_keep)
    kernels.add_pairs(rows.keys, rows.values, rows.start, rows.length, slot, others, amounts, n_keep)


def cells_per_event(n_others: int, n_keep: int) -> int:
    """The most cells of the pool that one event can take."""
    return (n_others + 1) * (FIRST << size_class(2 * n_keep))


class Cooccurrence:
    """Neighbour rows in two flat pools.

    Parameters
    ----------
    n_keep
        Neighbours kept per item when a row is cut.
    """

    def __init__(self, n_keep: int = 200) -> None:
        self.n_keep = n_keep
        self.rows = RowPool(np.int32, np.float64)

    @property
    def neighbours(self) -> npt.NDArray[np.int32]:
        """The pool of neighbours' slots."""
        return self.rows.keys

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """The pool of pair weights."""
        return self.rows.values

    @property
    def start(self) -> npt.NDArray[np.int64]:
        """Where each row begins in the pools."""
        return self.rows.start

    @property
    def length(self) -> npt.NDArray[np.int32]:
        """How many pairs each row has."""
        return self.rows.length

    def spare(self, n_others: int) -> None:
        """Have room for one event with so many other items."""
        self.rows.spare(cells_per_event(n_others, self.n_keep))

    def row(self, slot: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
        """The neighbours of a slot and their pair weights, as views; empty for a slot without a row."""
        return self.rows.row(slot)

    def set_row(self, slot: int, neighbours: npt.NDArray[np.int32], weights: npt.NDArray[np.float64]) -> None:
        """Replace a row (after a load); one that was saved with longer rows is cut."""
        if len(neighbours) >= 2 * self.n_keep:
            neighbours, weights = neighbours.copy(), weights.copy()
            size = kernels.cut_row(neighbours, weights, 0, len(neighbours), self.n_keep)
            neighbours, weights = neighbours[:size], weights[:size]
        self.rows.set_row(slot, neighbours, weights)

    def drop(self, slots: list[int], n_slots: int) -> list[int]:
        """Remove rows and every mention of their slots; returns the other slots whose rows changed."""
        gone = np.zeros(len(self.start), np.bool_)
        gone[slots] = True
        for slot in slots:
            self.rows.clear(slot)
        changed = kernels.drop_slots(self.neighbours, self.weights, self.start, self.length, n_slots, gone)
        return [int(slot) for slot in np.flatnonzero(changed)]

    def grow(self, n_slots: int) -> None:
        """Make room for slots up to `n_slots`."""
        self.rows.grow(n_slots)
