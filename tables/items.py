"""One partition's share of every item's state: counts, windows, trend, neighbours, factors."""

import heapq

import numpy as np
import numpy.typing as npt

from models.arrays import longer
from models.cooccurrence import Cooccurrence, CooccurrenceSettings
from models.factorization import Factorization, FactorizationSettings
from models.history_factors import HistoryFactors, HistoryFactorsSettings
from models.ids import hash64, order_key
from models.trending import Trending
from tables.item_codec import decode_item, encode_item, slot_of
from tables.windows import WindowCounts


class ItemShares:
    """The items of one partition, each in a slot: a small integer that its arrays are indexed by.

    `touched` collects the slots that changed since a reader last took them (`take_touched`); it is no state.
    """

    def __init__(
        self,
        cooccurrence: CooccurrenceSettings | None = None,
        ratings: FactorizationSettings | None = None,
        history: HistoryFactorsSettings | None = None,
    ) -> None:
        self.slots: dict[str, int] = {}
        self.ids: list[str | None] = []
        self.windows: list[WindowCounts | bytes] = []
        self.settings = cooccurrence or CooccurrenceSettings()
        self.pairs = Cooccurrence(self.settings.n_keep)
        self.trending = Trending()
        self.ratings = Factorization(ratings)
        self.history = HistoryFactors(history)
        self.hashes: npt.NDArray[np.uint64] = np.zeros(64, np.uint64)
        self.keys: npt.NDArray[np.uint64] = np.zeros((64, 2), np.uint64)
        self.weight: npt.NDArray[np.float64] = np.zeros(64, np.float64)
        self.known_norm: npt.NDArray[np.float64] = np.zeros(64, np.float64)
        self.candidate_norm: npt.NDArray[np.float64] = np.zeros(64, np.float64)
        self.n_events: npt.NDArray[np.int64] = np.zeros(64, np.int64)
        self.last_offset: npt.NDArray[np.int64] = np.zeros(64, np.int64)
        self.last_ms: npt.NDArray[np.int64] = np.zeros(64, np.int64)
        self.touched: set[int] = set()
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self.slots)

    @property
    def n_slots(self) -> int:
        """Slots handed out so far, free ones included."""
        return len(self.ids)

    def intern(self, item_id: str) -> int:
        """The slot of an item, a new one (the lowest free) if need be."""
        slot = self.slots.get(item_id)
        if slot is None:
            slot = heapq.heappop(self._free) if self._free else len(self.ids)
            self._place(slot, item_id)
        return slot

    def set_weight(self, slot: int, weight: float) -> None:
        """Set an item's summed weights, and the norms that follow from them."""
        self.weight[slot] = weight
        self.known_norm[slot], self.candidate_norm[slot] = self.settings.norms(weight)

    def windows_of(self, slot: int) -> WindowCounts:
        """The window counts of a slot, decoded when first asked for."""
        counts = self.windows[slot]
        if isinstance(counts, bytes):
            counts, _ = WindowCounts.decode(memoryview(counts))
            self.windows[slot] = counts
        return counts

    def oldest(self, n: int) -> list[str]:
        """The `n` items whose last own event is longest ago."""
        live = sorted(self.slots.values(), key=lambda slot: (int(self.last_offset[slot]), slot))
        return [self.ids[slot] or "" for slot in live[:n]]

    def remove(self, item_ids: list[str]) -> list[int]:
        """Forget items and every mention of them; returns the slots of other items whose rows changed."""
        gone = sorted(self.slots.pop(item_id) for item_id in item_ids)
        changed = self.pairs.drop(gone, self.n_slots)
        for slot in gone:
            self._clear(slot)
            heapq.heappush(self._free, slot)
        self.touched.update(gone, changed)
        return changed

    def take_touched(self) -> npt.NDArray[np.int64]:
        """The slots changed since the last call, in order."""
        slots = np.array(sorted(self.touched), np.int64)
        self.touched.clear()
        return slots

    def canonical(self, slot: int) -> list[object]:
        """Everything but slot and offset, as the digest reads it; neighbours by id."""
        neighbours, weights = self.pairs.row(slot)
        return [
            int(self.n_events[slot]),
            int(self.last_ms[slot]),
            float(self.weight[slot]),
            self.trending.value[slot].tolist(),
            self.trending.bucket[slot].tolist(),
            sorted((self.ids[other] or "", weight) for other, weight in zip(neighbours, weights.tolist(), strict=True)),
            self.windows_of(slot).canonical(),
            self.ratings.encode_row(slot).hex(),
            self.history.encode_row(slot).hex(),
        ]

    def encode(self, slot: int) -> bytes:
        """The value of one item."""
        return encode_item(self, slot)

    def apply(self, item_id: str, data: bytes | None) -> None:
        """Take a stored value, or None for an item that is gone; call `finish_load` when all are in.

        Raises
        ------
        UnknownVersion, StateError
            If the bytes are of another version, or damaged.
        """
        if data is None:
            slot = self.slots.pop(item_id, None)
            if slot is not None and self.ids[slot] == item_id:
                self._clear(slot)
                self.touched.add(slot)
            return
        slot = slot_of(data, item_id)
        if self.slots.get(item_id, slot) != slot:
            self.apply(item_id, None)
        if slot >= len(self.ids) or self.ids[slot] != item_id:
            self._place(slot, item_id)
        decode_item(self, slot, item_id, data)
        self.touched.add(slot)

    def finish_load(self) -> None:
        """Find the free slots after a load."""
        self._free = [slot for slot, item_id in enumerate(self.ids) if item_id is None]

    def _place(self, slot: int, item_id: str) -> None:
        while slot >= len(self.ids):
            self.ids.append(None)
            self.windows.append(WindowCounts())
        self.pairs.grow(slot + 1)
        self.trending.grow(slot + 1)
        self.ratings.grow(slot + 1)
        self.history.grow(slot + 1)
        if slot >= len(self.weight):
            size = max(slot + 1, 2 * len(self.weight))
            self.hashes = longer(self.hashes, size)
            self.keys = longer(self.keys, size)
            self.weight = longer(self.weight, size)
            self.known_norm = longer(self.known_norm, size)
            self.candidate_norm = longer(self.candidate_norm, size)
            self.n_events = longer(self.n_events, size)
            self.last_offset = longer(self.last_offset, size)
            self.last_ms = longer(self.last_ms, size)
        replaced = self.ids[slot]
        if replaced is not None:
            self.slots.pop(replaced, None)
            self._clear(slot)
        self.slots[item_id] = slot
        self.ids[slot] = item_id
        self.hashes[slot] = hash64(item_id)
        self.keys[slot] = order_key(item_id)
        self.history.start(slot, int(self.hashes[slot]))
        self.touched.add(slot)

    def _clear(self, slot: int) -> None:
        self.ids[slot] = None
        self.hashes[slot] = 0
        self.windows[slot] = WindowCounts()
        self.trending.clear(slot)
        self.ratings.clear(slot)
        self.history.clear(slot)
        self.set_weight(slot, 0.0)
        self.n_events[slot] = self.last_offset[slot] = self.last_ms[slot] = 0
        self.pairs.set_row(slot, self.pairs.neighbours[:0], self.pairs.weights[:0])
