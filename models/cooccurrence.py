"""Item co-occurrence over each user's last interactions, in bounded rows.

Every interaction adds, for each of the user's last `n_history` other items, `weight * other's weight` to the pair, in
both items' rows. An item's row is cut to its `n_keep` heaviest neighbours whenever it has grown to twice as many.

    score(candidate j) = n_j^-c * sum over history i, `step` back:  weight_i * decay^step * n_i^-a * pair_ij

with n = an item's summed weights, a = `known_exponent`, c = `candidate_exponent` (Deshpande and Karypis,
doi:10.1145/963770.963776, with the two items' norms apart). An item's evidence is found by its slot, a small integer.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models import kernels
from models.arrays import longer

FIRST_ROW = 16


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
        if not weight > 0.0:
            return 0.0, 0.0
        return weight**-self.known_exponent, weight**-self.candidate_exponent


class Cooccurrence:
    """Neighbour rows in two flat pools; a full row moves to one twice as long, at most 2 `n_keep`.

    Parameters
    ----------
    n_keep
        Neighbours kept per item when a row is cut.
    """

    def __init__(self, n_keep: int = 200) -> None:
        self.n_keep = n_keep
        self.neighbours: npt.NDArray[np.int32] = np.zeros(1024, np.int32)
        self.weights: npt.NDArray[np.float64] = np.zeros(1024, np.float64)
        self.start: npt.NDArray[np.int64] = np.zeros(64, np.int64)
        self.length: npt.NDArray[np.int32] = np.zeros(64, np.int32)
        self.room: npt.NDArray[np.int32] = np.zeros(64, np.int32)
        self._used = 0
        self._free: dict[int, list[int]] = {}

    def learn_one(self, slot: int, others: npt.NDArray[np.int32], amounts: npt.NDArray[np.float64]) -> None:
        """Add `amounts[i]` to the pair of `slot` and `others[i]`; no item may stand in `others` twice."""
        if not len(others):
            return
        self._reserve(slot, len(others))
        for other in others[self.length[others] >= self.room[others]].tolist():
            self._reserve(other, 1)
        kernels.add_pairs(self.neighbours, self.weights, self.start, self.length, slot, others, amounts, self.n_keep)

    def row(self, slot: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
        """The neighbours of a slot and their pair weights, as views; empty for a slot without a row."""
        if slot >= len(self.start):
            return self.neighbours[:0], self.weights[:0]
        first, size = int(self.start[slot]), int(self.length[slot])
        return self.neighbours[first : first + size], self.weights[first : first + size]

    def set_row(self, slot: int, neighbours: npt.NDArray[np.int32], weights: npt.NDArray[np.float64]) -> None:
        """Replace a row (after a load); one that was saved with longer rows is cut."""
        self.grow(slot + 1)
        self.length[slot] = 0
        if len(neighbours) >= 2 * self.n_keep:
            neighbours, weights = neighbours.copy(), weights.copy()
            size = kernels.cut_row(neighbours, weights, 0, len(neighbours), self.n_keep)
            neighbours, weights = neighbours[:size], weights[:size]
        self._reserve(slot, len(neighbours))
        first = int(self.start[slot])
        self.neighbours[first : first + len(neighbours)] = neighbours
        self.weights[first : first + len(neighbours)] = weights
        self.length[slot] = len(neighbours)

    def drop(self, slots: list[int], n_slots: int) -> list[int]:
        """Remove rows and every mention of their slots; returns the other slots whose rows changed."""
        gone = np.zeros(len(self.start), np.bool_)
        gone[slots] = True
        for slot in slots:
            self.length[slot] = 0
            self._release(slot)
        changed = kernels.drop_slots(self.neighbours, self.weights, self.start, self.length, n_slots, gone)
        return [int(slot) for slot in np.flatnonzero(changed)]

    def grow(self, n_slots: int) -> None:
        """Make room for slots up to `n_slots`."""
        if n_slots > len(self.start):
            size = max(n_slots, 2 * len(self.start))
            self.start = longer(self.start, size)
            self.length = longer(self.length, size)
            self.room = longer(self.room, size)

    def _reserve(self, slot: int, more: int) -> None:
        """Let a row take `more` pairs; a row at full length is cut by the kernel before it overflows."""
        self.grow(slot + 1)
        size, room, full = int(self.length[slot]), int(self.room[slot]), 2 * self.n_keep
        if size + more <= room or room >= full:
            return
        larger = max(room, min(FIRST_ROW, full))
        while larger < size + more and larger < full:
            larger = min(2 * larger, full)
        neighbours, weights = self.row(slot)
        kept = neighbours.copy(), weights.copy()
        self._release(slot)
        first = self._allocate(larger)
        self.neighbours[first : first + size], self.weights[first : first + size] = kept
        self.start[slot], self.room[slot] = first, larger

    def _allocate(self, size: int) -> int:
        free = self._free.get(size)
        if free:
            return free.pop()
        first = self._used
        self._used += size
        if self._used > len(self.neighbours):
            size = max(self._used, 2 * len(self.neighbours))
            self.neighbours = longer(self.neighbours, size)
            self.weights = longer(self.weights, size)
        return first

    def _release(self, slot: int) -> None:
        if self.room[slot]:
            self._free.setdefault(int(self.room[slot]), []).append(int(self.start[slot]))
            self.room[slot] = 0
