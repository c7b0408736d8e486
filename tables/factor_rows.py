"""Rows of factors by the hash of an item: the learner's own, and what others have read of them from `<app>.factors`.

Key: the hash in 16 hex digits. Value: u8 version, u32 slot, i64 number of the last lesson that had the item as its
target, the row as `models.history_factors` writes it. Little endian.
"""

import heapq
import struct
from typing import Final

import numpy as np
import numpy.typing as npt

from models.arrays import longer
from models.hash_index import HashIndex
from models.history_factors import HistoryFactors, HistoryFactorsSettings
from tables.codec import check_version, undamaged

VERSION: Final = 1
_HEADER: Final = struct.Struct("<BIq")


def key_of(item_hash: int) -> str:
    """The key that an item's row is stored under.

    >>> key_of(255)
    '00000000000000ff'
    """
    return f"{item_hash:016x}"


class FactorRows:
    """Rows by slot, and the slot of each item.

    Attributes
    ----------
    factors
        The rows.
    slots
        The slot of each item by its hash.
    last
        By slot, int64: the number of the last lesson that had the item as its target; -1: none has.
    n_moves
        Rises whenever another item, or none, stands in a slot.
    """

    def __init__(self, settings: HistoryFactorsSettings) -> None:
        self.factors = HistoryFactors(settings)
        self.slots: dict[int, int] = {}
        self.last: npt.NDArray[np.int64] = np.full(64, -1, np.int64)
        self.n_moves = 0
        self._index = HashIndex()
        self._index_is_old = False
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self.slots)

    @property
    def n_slots(self) -> int:
        """The highest slot with an item + 1."""
        return int(self.factors.n_range[0])

    @property
    def indexed(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]]:
        """Cells and slots of the index by hash, for compiled code."""
        if self._index_is_old:
            self._index.rebuild(self.factors.hashes, self.n_slots)
            self._index_is_old = False
        return self._index.cells, self._index.slots

    def add(self, item_hash: int) -> int:
        """A slot for a new item, the lowest free one, with its start row."""
        slot = heapq.heappop(self._free) if self._free else self.n_slots
        self._place(slot, item_hash)
        self.factors.start(slot, item_hash)
        self._enter(slot, item_hash)
        return slot

    def remove(self, item_hash: int) -> None:
        """Forget an item."""
        slot = self.slots.pop(item_hash)
        self._clear(slot)
        heapq.heappush(self._free, slot)

    def encode(self, slot: int) -> bytes:
        """The value of one row."""
        return _HEADER.pack(VERSION, slot, self.last[slot]) + self.factors.encode_row(slot)

    def apply(self, key: str, data: bytes | None) -> None:
        """Take a stored value, or None for an item that is gone; call `finish_load` when all are in.

        Raises
        ------
        UnknownVersion, StateError
            If the bytes are of another version, or damaged.
        """
        what = f"the factors of item hash {key}"
        with undamaged(what):
            item_hash = int(key, 16)
        known = self.slots.get(item_hash)
        if data is None:
            if known is not None:
                del self.slots[item_hash]
                self._clear(known)
            return
        check_version(data, VERSION, what)
        with undamaged(what):
            _, slot, last = _HEADER.unpack_from(data)
        if known != slot:
            if known is not None:
                self._clear(known)
            if slot < self.n_slots and self.factors.live[slot]:
                del self.slots[int(self.factors.hashes[slot])]
                self._clear(slot)
            self._place(slot, item_hash)
        self.factors.set_row(slot, item_hash, data[_HEADER.size :])
        self.last[slot] = last
        if known != slot:
            self._enter(slot, item_hash)

    def finish_load(self) -> None:
        """Find the free slots after a load."""
        self._free = np.flatnonzero(~self.factors.live[: self.n_slots]).tolist()

    def canonical(self) -> dict[str, list[object]]:
        """Everything there is, by key, as digests read it."""
        return {
            key_of(item_hash): [slot, int(self.last[slot]), self.factors.encode_row(slot).hex()]
            for item_hash, slot in self.slots.items()
        }

    def _place(self, slot: int, item_hash: int) -> None:
        if slot >= len(self.last):
            grown = longer(self.last, max(slot + 1, 2 * len(self.last)))
            grown[len(self.last) :] = -1
            self.last = grown
        self.last[slot] = -1
        self.slots[item_hash] = slot
        self.n_moves += 1

    def _enter(self, slot: int, item_hash: int) -> None:
        """Have the index know an item whose slot has its hash by now."""
        if not self._index_is_old:
            self._index.add(item_hash, slot, self.factors.hashes, self.n_slots)

    def _clear(self, slot: int) -> None:
        self.factors.clear(slot)
        self.last[slot] = -1
        self._index_is_old = True
        self.n_moves += 1
