"""The items of several shares, each with one number, its summed weight and its norms.

A number is an index into `ids`; each share has its own slots: `to_item[p][slot]` and `slot_in[p][number]` translate
(-1: none). Weights and people are summed in partition order. `keys` put items in the order of their ids: the first 16
bytes as two numbers, and the hash for those that begin alike, which any worker orders the same way.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from models.arrays import longer
from models.cooccurrence import CooccurrenceSettings
from models.view_kernels import add_weights, mark_items, take_marked, weigh
from tables.categories import Categories
from tables.items import ItemShares

SPARE_NUMBERS = 1024
_BY_ITEM = (
    "weight",
    "known_norm",
    "candidate_norm",
    "people",
    "unwanted",
    "taken_to",
    "allowed",
    "category",
    "hashes",
    "keys",
    "_marks",
)
Numbers = npt.NDArray[np.int64]


class NumberedItems:
    """The items of several partitions' shares.

    Parameters
    ----------
    settings
        Of the pair model: decay and exponents.

    Attributes
    ----------
    numbering
        Rises whenever items get other numbers.
    people
        How many are for each item by its number, float64.
    unwanted, allowed
        Whether more are against an item than for it; whether it may be offered, which these and the hidden are not.
    taken_to
        Whether somebody has taken to it, in any share that still has it.
    moved
        Items that `sync` found unwanted, or wanted again, since somebody last took them from here.
    n_turned
        How often `unwanted` or `taken_to` of an item has changed.
    category
        Of each item by its number, int32: the number of its category in `categories`; -1: it has none.
    """

    def __init__(self, settings: CooccurrenceSettings) -> None:
        self.settings = settings
        self.shares: dict[int, ItemShares] = {}
        self.ids: list[str] = []
        self.index: dict[str, int] = {}
        self.hidden: set[str] = set()
        self.numbering = 0
        self.weight: npt.NDArray[np.float64] = np.zeros(64, np.float64)
        self.known_norm: npt.NDArray[np.float64] = np.zeros(64, np.float64)
        self.candidate_norm: npt.NDArray[np.float64] = np.zeros(64, np.float64)
        self.people: npt.NDArray[np.float64] = np.zeros(64, np.float64)
        self.unwanted: npt.NDArray[np.bool_] = np.zeros(64, np.bool_)
        self.taken_to: npt.NDArray[np.bool_] = np.zeros(64, np.bool_)
        self.allowed: npt.NDArray[np.bool_] = np.ones(64, np.bool_)
        self.moved: set[str] = set()
        self.n_turned = 0
        self.categories = Categories()
        self.category: npt.NDArray[np.int32] = np.full(64, -1, np.int32)
        self.hashes: npt.NDArray[np.uint64] = np.zeros(64, np.uint64)
        self.keys: npt.NDArray[np.uint64] = np.zeros((64, 3), np.uint64)
        self._marks: npt.NDArray[np.bool_] = np.zeros(64, np.bool_)  # items that have changed
        self.to_item: dict[int, npt.NDArray[np.int32]] = {}
        self.slot_in: dict[int, npt.NDArray[np.int32]] = {}

    def set_share(self, partition: int, share: ItemShares | None) -> bool:
        """Show another share for a partition, or none; as `set_shares`."""
        return self.set_shares({partition: share})

    def set_shares(self, shares: Mapping[int, ItemShares | None]) -> bool:
        """Show other shares for some partitions, or none.

        Shares that only come add their items. If one goes, all items are numbered anew, once.

        Returns
        -------
        bool
            Whether anything is another share than before; any item may have changed then, and no `sync` tells which.
        """
        changes = {number: share for number, share in shares.items() if self.shares.get(number) is not share}
        if not changes:
            return False
        merged = {**self.shares, **changes}
        shown = {number: share for number, share in sorted(merged.items()) if share is not None}
        adds_only = not changes.keys() & self.shares.keys()
        self.shares = shown
        if adds_only:
            self._add_shares(changes.keys())
        else:
            self._rebuild()
        return True

    def sync(self) -> list[int]:
        """Take over what changed in the shares; returns the numbers of the items that changed, in order."""
        changed = self._take_touched()
        if len(self.ids) > 2 * sum(len(share) for share in self.shares.values()) + SPARE_NUMBERS:
            self._rebuild()  # most numbers are of items that are gone
            return list(range(len(self.ids)))
        return changed

    def forbid(self, item_ids: Iterable[str]) -> None:
        """Offer all items but these."""
        self.hidden = set(item_ids)
        np.logical_not(self.unwanted, out=self.allowed)
        for item_id in self.hidden & self.index.keys():
            self.allowed[self.index[item_id]] = False

    def categorize(self, item_id: str, category: str | None) -> None:
        """Say which category an item is of, None: of none; it may be one that no share knows yet."""
        of = self.categories.put(item_id, category)
        number = self.index.get(item_id)
        if number is not None:
            self.category[number] = of

    def slots_of(self, item: int) -> list[tuple[ItemShares, int]]:
        """Where an item is known: share and slot, in partition order."""
        found = ((share, int(self.slot_in[partition][item])) for partition, share in self.shares.items())
        return [(share, slot) for share, slot in found if slot >= 0]

    def _take_touched(self) -> list[int]:
        """Take over what was touched in the shares; the numbers of the items that changed, in order."""
        for partition, share in self.shares.items():
            others = np.empty(share.n_slots, np.int64)
            n = mark_items(
                share.touched,
                share.n_slots,
                share.hashes,
                self.to_item[partition],
                self.hashes,
                self._marks,
                others,
            )
            if n:
                self._take_slots(partition, others[:n])
        items = np.empty(len(self.ids), np.int64)
        items = items[: take_marked(self._marks, len(self.ids), items)]
        total, n_for, n_against = np.zeros((3, len(items)), np.float64)
        for partition, share in self.shares.items():
            slot_in = self.slot_in[partition]
            add_weights(items, slot_in, share.weight, total)
            add_weights(items, slot_in, share.n_for, n_for)
            add_weights(items, slot_in, share.n_against, n_against)
        moved, settings = np.empty(len(items), np.int64), self.settings
        n_moved = weigh(
            items,
            total,
            n_for,
            n_against,
            settings.known_exponent,
            settings.candidate_exponent,
            self.weight,
            self.known_norm,
            self.candidate_norm,
            self.people,
            self.unwanted,
            moved,
        )
        taken_to = (total > 0.0) | (n_for > 0.0)
        self.n_turned += n_moved + int(np.count_nonzero(taken_to != self.taken_to[items]))
        self.taken_to[items] = taken_to
        for item in moved[:n_moved].tolist():
            self.moved.add(item_id := self.ids[item])
            self.allowed[item] = not self.unwanted[item] and item_id not in self.hidden
        changed: list[int] = items.tolist()
        return changed

    def _take_slots(self, partition: int, slots: Numbers) -> None:
        """Number what stands in some slots of a share now, and mark it, as well as what stood there before."""
        share, to_item = self.shares[partition], self.to_item[partition]
        if share.n_slots > len(to_item):
            grown = np.full(max(share.n_slots, 2 * len(to_item)), -1, np.int32)
            grown[: len(to_item)] = to_item
            to_item = self.to_item[partition] = grown
        for slot in slots.tolist():
            item_id, before = share.ids[slot], int(to_item[slot])
            if before >= 0 and self.ids[before] != item_id:
                if self.slot_in[partition][before] == slot:  # or it has come back in another slot
                    self.slot_in[partition][before] = -1
                to_item[slot] = -1
                self._marks[before] = True
            if item_id is not None:
                number = self._number(item_id, share, slot)
                to_item[slot] = number
                self.slot_in[partition][number] = slot
                self._marks[number] = True

    def _number(self, item_id: str, share: ItemShares, slot: int) -> int:
        """The number of an item that stands in a slot of a share, a new one if need be."""
        number = self.index.get(item_id)
        if number is None:
            number = self.index[item_id] = len(self.ids)
            self.ids.append(item_id)
            if number >= len(self.weight):
                self._grow(2 * len(self.weight))
            self.hashes[number] = self.keys[number, 2] = share.hashes[slot]
            self.keys[number, :2] = share.keys[slot]
            self.unwanted[number] = self.taken_to[number] = False
            self.allowed[number] = item_id not in self.hidden
            self.category[number] = self.categories.of(item_id)
        return number

    def _grow(self, size: int) -> None:
        for name in _BY_ITEM:
            setattr(self, name, longer(getattr(self, name), size))
        for partition, slots in self.slot_in.items():
            grown = np.full(size, -1, np.int32)
            grown[: len(slots)] = slots
            self.slot_in[partition] = grown

    def _rebuild(self) -> None:
        self.numbering += 1
        self.ids, self.index = [], {}
        self.weight[:] = self.known_norm[:] = self.candidate_norm[:] = self.people[:] = 0.0
        self.unwanted[:] = self.taken_to[:] = False
        self.to_item, self.slot_in = {}, {}
        self._marks[:] = False
        self._add_shares(self.shares)

    def _add_shares(self, partitions: Iterable[int]) -> None:
        """Number the items of shares that are not shown yet."""
        for partition in sorted(partitions):
            share = self.shares[partition]
            self.to_item[partition] = np.full(max(64, share.n_slots), -1, np.int32)
            self.slot_in[partition] = np.full(len(self.weight), -1, np.int32)
            share.touched[:] = False
            self._take_slots(partition, np.array(sorted(share.slots.values()), np.int64))
        self._take_touched()
