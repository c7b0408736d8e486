"""The most popular slots of one share, kept in order while people come and go: nothing scans the catalogue for them."""

import numpy as np
import numpy.typing as npt

from models.arrays import longer
from models.compiled import lean
from models.kernels import Array
from models.ranking import goes_before

MAX_POPULAR = 1024


@lean(cache=True, nogil=True)
def rise(top: Array, place: Array, n_top: Array, counts: Array, keys: Array, slot: int) -> None:
    """Move a slot, whose count has just grown, to its place among the first.

    Exact: a slot that is not among the first gets there by growing itself, or as `fall` makes room.
    """
    at, n = place[slot], n_top[0]
    if at < 0:
        if n < top.shape[0]:
            n_top[0] = n + 1
            at = n
        elif goes_before(counts[slot], slot, counts[top[n - 1]], top[n - 1], keys):
            at = n - 1
            place[top[at]] = -1
        else:
            return
    while at > 0 and goes_before(counts[slot], slot, counts[top[at - 1]], top[at - 1], keys):
        top[at] = top[at - 1]
        place[top[at]] = at
        at -= 1
    top[at] = slot
    place[slot] = at


@lean(cache=True, nogil=True)
def fall(top: Array, place: Array, n_top: Array, counts: Array, keys: Array, slot: int, n_slots: int) -> None:
    """Move a slot, whose count has just shrunk, to its place, or out of the first if it counts nothing any more.

    All of the `n_slots` slots are passed over if one that is not among the first may take the last place: rare, because
    the slot must have been level with the last.
    """
    at, n = place[slot], n_top[0]
    if at < 0:
        return
    was_full = n == top.shape[0]
    while at + 1 < n and goes_before(counts[top[at + 1]], top[at + 1], counts[slot], slot, keys):
        top[at] = top[at + 1]
        place[top[at]] = at
        at += 1
    top[at], place[slot] = slot, at
    if at + 1 < n:
        return
    if counts[slot] <= 0:
        place[slot] = -1
        n -= 1
        n_top[0] = n
    if not was_full:
        return
    best = -1
    for other in range(n_slots):
        is_outside = place[other] < 0 and counts[other] > 0
        if is_outside and (best < 0 or goes_before(counts[other], other, counts[best], best, keys)):
            best = other
    if best < 0:
        return
    if n == top.shape[0]:
        if not goes_before(counts[best], best, counts[slot], slot, keys):
            return
        place[slot] = -1
        n -= 1
    top[n], place[best] = best, n
    n_top[0] = n + 1


class Popular:
    """Up to 1,024 slots by (-number of people for them, key, slot): a function of these alone.

    Attributes
    ----------
    top
        The slots, int32 (1024,); the first `n[0]` count.
    place
        Of each slot in `top`, int32 by slot; -1 if it is not there.
    """

    def __init__(self) -> None:
        self.top: npt.NDArray[np.int32] = np.zeros(MAX_POPULAR, np.int32)
        self.place: npt.NDArray[np.int32] = np.full(64, -1, np.int32)
        self.n: npt.NDArray[np.int64] = np.zeros(1, np.int64)

    def grow(self, n_slots: int) -> None:
        """Make room for so many slots."""
        n_before = len(self.place)
        if n_slots > n_before:
            self.place = longer(self.place, max(n_slots, 2 * n_before))
            self.place[n_before:] = -1

    def rebuild(self, n_for: npt.NDArray[np.int64], keys: npt.NDArray[np.uint64]) -> None:
        """Find the first anew, among slots that somebody is for."""
        known = np.flatnonzero(n_for > 0)
        if len(known) > MAX_POPULAR:
            counts = n_for[known]
            known = known[counts >= np.partition(counts, -MAX_POPULAR)[-MAX_POPULAR]]
        order = np.lexsort((known, keys[known, 1], keys[known, 0], -n_for[known]))[:MAX_POPULAR]
        self.place[:] = -1
        self.n[0] = len(order)
        self.top[: len(order)] = known[order]
        self.place[known[order]] = np.arange(len(order))
