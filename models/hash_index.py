"""Which slot an item has, by the hash of its id: open addressing, for compiled code."""

from typing import Any

import numpy as np
import numpy.typing as npt

from models.compiled import lean

Array = Any  # numpy arrays; numba's signatures say the dtypes


@lean(cache=True, nogil=True)
def find(cells: Array, slots: Array, key: np.uint64) -> int:
    """The slot of a hash, -1 if there is none; `cells` is a power of two long and never full."""
    mask = np.uint64(cells.shape[0] - 1)
    cell = np.int64(key & mask)
    while cells[cell] != 0:
        if cells[cell] == key:
            return int(slots[cell])
        cell = (cell + 1) & np.int64(mask)
    return -1


@lean(cache=True, nogil=True)
def put(cells: Array, slots: Array, key: np.uint64, slot: int) -> None:
    """Add a hash; of two items with the same one, the first stays."""
    mask = np.uint64(cells.shape[0] - 1)
    cell = np.int64(key & mask)
    while cells[cell] != 0:
        if cells[cell] == key:
            return
        cell = (cell + 1) & np.int64(mask)
    cells[cell] = key
    slots[cell] = slot


@lean(cache=True, nogil=True)
def put_all(cells: Array, slots: Array, hashes: Array, n: int) -> None:
    """Add the hashes of the first `n` slots; 0 marks a free one."""
    for slot in range(n):
        if hashes[slot] != 0:
            put(cells, slots, hashes[slot], slot)


class HashIndex:
    """Slots by hash.

    Attributes
    ----------
    cells, slots
        A hash (uint64, 0: empty) and its slot (int32).
    """

    def __init__(self) -> None:
        self.cells: npt.NDArray[np.uint64] = np.zeros(128, np.uint64)
        self.slots: npt.NDArray[np.int32] = np.zeros(128, np.int32)
        self._n = 0

    def add(self, item_hash: int, slot: int, hashes: npt.NDArray[np.uint64], n_slots: int) -> None:
        """Add one slot, which stands in `hashes[:n_slots]` already; they are taken anew if the index has to grow."""
        self._n += 1
        if 2 * self._n >= len(self.cells):
            self.rebuild(hashes, n_slots)
        else:
            put(self.cells, self.slots, np.uint64(item_hash), slot)

    def rebuild(self, hashes: npt.NDArray[np.uint64], n_slots: int) -> None:
        """Take all slots anew: after some were cleared."""
        self._n = int(np.count_nonzero(hashes[:n_slots]))
        size = 128
        while size <= 4 * self._n:
            size *= 2
        self.cells, self.slots = np.zeros(size, np.uint64), np.zeros(size, np.int32)
        put_all(self.cells, self.slots, hashes, n_slots)
