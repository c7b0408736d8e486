"""One partition's share of every item's state: counts, windows, trend, neighbours, factors."""

import heapq
from collections.abc import Iterable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from models.arrays import longer
from models.cooccurrence import Cooccurrence, CooccurrenceSettings
from models.factorization import Factorization, FactorizationSettings
from models.fold_arrays import ItemArrays
from models.following import Following, FollowingSettings
from models.hash_index import HashIndex
from models.history_factors import HistoryFactors, HistoryFactorsSettings
from models.ids import hash64, order_key
from models.people import is_wanted
from models.popular import Popular
from models.rows import RowPool
from models.trending import Trending
from tables.item_codec import ItemCopies, decode_item, encode_item, slot_of
from tables.slot_models import SlotModel
from tables.windows import WindowCounts

_BY_SLOT = (
    "hashes",
    "keys",
    "weight",
    "known_norm",
    "candidate_norm",
    "n_events",
    "n_for",
    "n_against",
    "offered",
    "last_offset",
    "last_ms",
    "dirty",
    "touched",
)


class Growing(Protocol):
    """What has rows by slot."""

    def grow(self, n_slots: int, /) -> None:
        """Make room for slots up to `n_slots`."""


class ItemShares:
    """The items of one partition, each in a slot: a small integer that its arrays are indexed by.

    `dirty` marks the slots that changed since they were last saved, `touched` those that changed since a reader last
    took the marks away (`tables.numbering`); neither is state.

    Parameters
    ----------
    cooccurrence, ratings, history, following
        Of the models.
    learned
        Whether the factors of what comes next are learned here: of one of several partitions they are not
        (`tables.learner`).
    """

    def __init__(
        self,
        cooccurrence: CooccurrenceSettings | None = None,
        ratings: FactorizationSettings | None = None,
        history: HistoryFactorsSettings | None = None,
        following: FollowingSettings | None = None,
        *,
        learned: bool = True,
    ) -> None:
        self.slots: dict[str, int] = {}
        self.ids: list[str | None] = []
        self.settings = cooccurrence or CooccurrenceSettings()
        self.pairs = Cooccurrence(self.settings.n_keep)
        self.trending = Trending()
        self.ratings = Factorization(ratings)
        self.history = HistoryFactors(history, learned=learned)
        self.following = Following(following)
        self.hashes: npt.NDArray[np.uint64] = np.zeros(64, np.uint64)
        self.keys: npt.NDArray[np.uint64] = np.zeros((64, 2), np.uint64)
        self.weight: npt.NDArray[np.float64] = np.zeros(64, np.float64)
        self.known_norm: npt.NDArray[np.float64] = np.zeros(64, np.float64)
        self.candidate_norm: npt.NDArray[np.float64] = np.zeros(64, np.float64)
        self.n_events: npt.NDArray[np.int64] = np.zeros(64, np.int64)
        self.n_for: npt.NDArray[np.int64] = np.zeros(64, np.int64)
        self.n_against: npt.NDArray[np.int64] = np.zeros(64, np.int64)
        self.offered: npt.NDArray[np.bool_] = np.zeros(64, np.bool_)
        self.last_offset: npt.NDArray[np.int64] = np.zeros(64, np.int64)
        self.last_ms: npt.NDArray[np.int64] = np.zeros(64, np.int64)
        self.dirty: npt.NDArray[np.bool_] = np.zeros(64, np.bool_)
        self.touched: npt.NDArray[np.bool_] = np.zeros(64, np.bool_)
        self.totals = RowPool(np.uint64, np.uint64)
        self.buckets = RowPool(np.uint64, np.uint32)
        self._index = HashIndex()
        self._index_is_old = False
        self._popular = Popular()
        self._popular_is_old = False
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self.slots)

    @property
    def models(self) -> tuple[SlotModel, ...]:
        """Those whose rows are sections of their own in stored items."""
        return (self.following,)

    @property
    def _parts(self) -> tuple[Growing, ...]:
        counts, trending, factors = (self.totals, self.buckets), self.trending, (self.ratings, self.history)
        return (self.pairs, *counts, trending, *factors, self._popular, *self.models)

    @property
    def n_slots(self) -> int:
        """Slots handed out so far, free ones included."""
        return len(self.ids)

    def arrays(self) -> ItemArrays:
        """For compiled code; taken anew after whatever may grow an array."""
        history, ratings, trending = self.history, self.ratings, self.trending
        self._renew_index()
        if self._popular_is_old:
            self._popular.rebuild(self.n_for[: self.n_slots], self.keys)
            self._popular_is_old = False
        return ItemArrays(
            *self.indexed,
            self.hashes,
            self.keys,
            history.live,
            self.offered,
            history.n_range,
            self.n_events,
            self.n_for,
            self.n_against,
            self.last_offset,
            self.last_ms,
            self.weight,
            self.known_norm,
            self.candidate_norm,
            self.dirty,
            self.touched,
            self.pairs.rows.arrays(),
            self.totals.arrays(),
            self.buckets.arrays(),
            trending.value,
            trending.bucket,
            trending.decay,
            ratings.rows,
            ratings.has_row,
            ratings.mean,
            history.rows,
            history.blocks,
            history.stale,
            self._popular.top,
            self._popular.place,
            self._popular.n,
            self.following.rows.arrays(),
        )

    @property
    def indexed(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]]:
        """Cells and slots of the index by hash, as they are: what it says is to be checked by the slot's hash."""
        return self._index.cells, self._index.slots

    def spare(self, n_others: int) -> None:
        """Have room for an event of a user with so many other items, whatever item it is of."""
        self.pairs.spare(n_others)
        self.following.spare()
        for pool in (self.totals, self.buckets):
            pool.spare(4 * int(pool.length.max()) + 1024)

    def prepare(self, item_id: str) -> int:
        """A slot for a new item that no list may name before its first event: the fold brings it to life."""
        n_range = int(self.history.n_range[0])
        slot = self._new(item_id)
        self.history.live[slot] = False
        self.history.n_range[0] = n_range
        return slot

    def touch(self, slots: Iterable[int]) -> None:
        """Count slots as changed for readers."""
        self.touched[list(slots)] = True

    def set_weight(self, slot: int, weight: float, n_for: int = 0, n_against: int = 0) -> None:
        """Set an item's summed weights and people, and what follows from them: norms, and whether it is offered."""
        self.weight[slot], self.n_for[slot], self.n_against[slot] = weight, n_for, n_against
        self.known_norm[slot], self.candidate_norm[slot] = self.settings.norms(weight)
        self.offered[slot] = self.history.live[slot] and is_wanted(weight, n_for, n_against)
        if not self.offered[slot]:
            self.candidate_norm[slot] = 0.0

    def windows_of(self, slot: int) -> WindowCounts:
        """A copy of the window counts of a slot."""
        counts = WindowCounts()
        counts.totals = dict(zip(*(column.tolist() for column in self.totals.row(slot)), strict=True))
        counts.buckets = dict(zip(*(column.tolist() for column in self.buckets.row(slot)), strict=True))
        return counts

    def set_windows(self, slot: int, counts: WindowCounts) -> None:
        """Replace the window counts of a slot."""
        self.totals.set_row(slot, *counts.columns(counts.totals))
        self.buckets.set_row(slot, *counts.columns(counts.buckets))

    def expendable(self, n: int) -> list[str]:
        """The `n` items to go first, idle longest for what they were: idle / binary digits of their number of events.

        Idle is counted in offsets since an item's last own event; ties go by that event, then by slot. An item of 100
        events may be idle seven times as long as one of a single event: a crowd of one-off ids makes room for itself,
        and nothing stays for what it was long ago.
        """
        live: npt.NDArray[np.int64] = np.flatnonzero(self.hashes[: self.n_slots])
        last, n_digits = self.last_offset[live], np.frexp(self.n_events[live].astype(np.float64))[1]
        idle = (last.max(initial=0) + 1 - last) / np.maximum(n_digits, 1)
        if 0 < n < len(live):
            among = idle >= np.partition(idle, -n)[-n]
            live, last, idle = live[among], last[among], idle[among]
        return [self.ids[slot] or "" for slot in live[np.lexsort((last, -idle))[:n]].tolist()]

    def remove(self, item_ids: list[str]) -> list[int]:
        """Forget items and every mention of them; returns the slots of other items whose rows changed."""
        gone = sorted(self.slots.pop(item_id) for item_id in item_ids)
        mask = np.zeros(max(self.n_slots, 1), np.bool_)
        mask[gone] = True
        rows = np.zeros(self.n_slots, np.bool_)
        rows[self.pairs.drop(gone, self.n_slots)] = True
        for model in self.models:
            rows |= model.drop(mask, self.n_slots)
        changed = np.flatnonzero(rows).tolist()
        for slot in gone:
            self._clear(slot)
            heapq.heappush(self._free, slot)
        self.touch((*gone, *changed))
        self.dirty[changed] = True
        return changed

    def take_dirty(self) -> npt.NDArray[np.int64]:
        """The slots with an item that changed since the last call, in order."""
        slots: npt.NDArray[np.int64] = np.flatnonzero(self.dirty & (self.hashes != 0))
        self.dirty[:] = False
        return slots

    def copies(self, slots: npt.NDArray[np.int64]) -> ItemCopies:
        """All there is about some slots as it is now, to be encoded at leisure."""
        return ItemCopies(self, slots)

    def canonical(self, slot: int) -> list[object]:
        """Everything but slot and offset, as the digest reads it; neighbours by id."""
        neighbours, weights = self.pairs.row(slot)
        return [
            int(self.n_events[slot]),
            int(self.n_for[slot]),
            int(self.n_against[slot]),
            int(self.last_ms[slot]),
            float(self.weight[slot]),
            self.trending.value[slot].tolist(),
            self.trending.bucket[slot].tolist(),
            sorted((self.ids[other] or "", weight) for other, weight in zip(neighbours, weights.tolist(), strict=True)),
            self.windows_of(slot).canonical(),
            self.ratings.encode_row(slot).hex(),
            self.history.encode_row(slot).hex(),
            *([model.tag, row] for model in self.models if (row := model.canonical(slot, self.ids))),
        ]

    def encode(self, slot: int) -> bytes:
        """The value of one item."""
        return encode_item(self.copies(np.array([slot])), 0)

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
                self.touched[slot] = True
            return
        slot = slot_of(data, item_id)
        if self.slots.get(item_id, slot) != slot:
            self.apply(item_id, None)
        if slot >= len(self.ids) or self.ids[slot] != item_id:
            self._place(slot, item_id)
        decode_item(self, slot, item_id, data)
        self.touched[slot] = self._popular_is_old = True

    def finish_load(self) -> None:
        """Find the free slots after a load, and every item by its hash."""
        self._free = [slot for slot, item_id in enumerate(self.ids) if item_id is None]
        self._renew_index()

    def _renew_index(self) -> None:
        if self._index_is_old:
            self._index.rebuild(self.hashes, self.n_slots)
            self._index_is_old = False

    def _new(self, item_id: str) -> int:
        slot = heapq.heappop(self._free) if self._free else len(self.ids)
        self._place(slot, item_id)
        return slot

    def _place(self, slot: int, item_id: str) -> None:
        self.ids.extend([None] * (slot + 1 - len(self.ids)))
        for part in self._parts:
            part.grow(slot + 1)
        if slot >= len(self.weight):
            size = max(slot + 1, 2 * len(self.weight))
            for name in _BY_SLOT:
                setattr(self, name, longer(getattr(self, name), size))
        replaced = self.ids[slot]
        if replaced is not None:
            self.slots.pop(replaced, None)
            self._clear(slot)
        self.slots[item_id] = slot
        self.ids[slot] = item_id
        self.hashes[slot] = item_hash = hash64(item_id)
        self.keys[slot] = order_key(item_id)
        self.history.start(slot, item_hash)
        if not self._index_is_old:
            self._index.add(item_hash, slot, self.hashes, self.n_slots)
        self.touched[slot] = True

    def _clear(self, slot: int) -> None:
        self._index_is_old = self._popular_is_old = True
        self.ids[slot] = None
        self.hashes[slot] = 0
        self.dirty[slot] = False
        self.totals.clear(slot)
        self.buckets.clear(slot)
        self.pairs.rows.clear(slot)
        self.trending.clear(slot)
        self.ratings.clear(slot)
        self.history.clear(slot)
        for model in self.models:
            model.clear(slot)
        self.set_weight(slot, 0.0)
        self.n_events[slot] = self.last_offset[slot] = self.last_ms[slot] = 0
