"""The item view: every partition's shares combined, for reading and for making lists. It is no state.

Items have a number here (their index in `ids`), each share has its own slots; `to_item[p]` and `slot_in[p]` translate.
Counts and pairs are summed in partition order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models import kernels
from models.arrays import longer
from models.cooccurrence import CooccurrenceSettings
from models.ids import hash64
from models.windows import TRENDING_WINDOWS
from tables.items import ItemShares
from tables.list_json import ListItem
from tables.user_state import UserState

CO_OCCURRENCE, TRENDING, POPULARITY = "co_occurrence", "trending", "popularity"


@dataclass(frozen=True, slots=True)
class Filler:
    """Items behind those that a user's history names, best first: item numbers, scores, and where they come from."""

    items: Sequence[tuple[int, float, str]]


class ItemView:
    """Shares of several partitions, read as one.

    Parameters
    ----------
    settings
        Of the pair model: decay and exponents.

    Attributes
    ----------
    numbering
        Rises whenever items get other numbers.
    """

    def __init__(self, settings: CooccurrenceSettings) -> None:
        self.settings = settings
        self.shares: dict[int, ItemShares] = {}
        self.ids: list[str] = []
        self.index: dict[str, int] = {}
        self.hidden: set[str] = set()
        self.numbering = 0
        self.weight: npt.NDArray[np.float64] = np.zeros(64, np.float64)
        self._known_norm: npt.NDArray[np.float64] = np.zeros(64, np.float64)
        self._candidate_norm: npt.NDArray[np.float64] = np.zeros(64, np.float64)
        self._allowed: npt.NDArray[np.bool_] = np.ones(64, np.bool_)
        self._hashes: npt.NDArray[np.uint64] = np.zeros(64, np.uint64)
        self._to_item: dict[int, npt.NDArray[np.int32]] = {}
        self._slot_in: dict[int, npt.NDArray[np.int32]] = {}
        self._scores: npt.NDArray[np.float64] = np.zeros(64, np.float64)
        self._touched: npt.NDArray[np.int32] = np.zeros(64, np.int32)
        self._best: npt.NDArray[np.float64] = np.zeros((64, 2), np.float64)
        self._best_source: npt.NDArray[np.int32] = np.zeros((64, 2), np.int32)
        self._table: npt.NDArray[np.uint64] = np.zeros(64, np.uint64)

    def set_share(self, partition: int, share: ItemShares | None) -> None:
        """Show another share for a partition, or none."""
        others = {number: other for number, other in self.shares.items() if number != partition}
        self.shares = others if share is None else dict(sorted({**others, partition: share}.items()))
        self._rebuild()

    def sync(self) -> list[int]:
        """Take over what changed in the shares; returns the numbers of the items that changed, in order."""
        changed: set[int] = set()
        for partition, share in self.shares.items():
            if share.touched.any():
                changed.update(self._sync_share(partition, share))
        if changed:
            self._renorm(np.array(sorted(changed), np.int64))
        if len(self.ids) > 2 * sum(len(share) for share in self.shares.values()) + 1024:
            self._rebuild()  # most numbers are of items that are gone
            return list(range(len(self.ids)))
        return sorted(changed)

    def forbid(self, item_ids: Iterable[str]) -> None:
        """Offer all items but these."""
        self.hidden = set(item_ids)
        self._allowed[:] = True
        for item_id in self.hidden & self.index.keys():
            self._allowed[self.index[item_id]] = False

    def n_events(self, item: int) -> int:
        """Events of an item, in all shares."""
        return sum(int(share.n_events[slot]) for share, slot in self.slots_of(item))

    def slots_of(self, item: int) -> list[tuple[ItemShares, int]]:
        """Where an item is known: share and slot, in partition order."""
        found = ((share, int(self._slot_in[partition][item])) for partition, share in self.shares.items())
        return [(share, slot) for share, slot in found if slot >= 0]

    def recommend(self, user: UserState, k: int, filler: Filler) -> list[ListItem]:
        """The `k` best items for a user: by co-occurrence with the history, then from the filler; none seen before."""
        return self.fill(self._by_history(user, k), user, k, filler)

    def may_offer(self, item_id: str) -> bool:
        """Whether an item is known and not forbidden."""
        number = self.index.get(item_id)
        return number is not None and bool(self._allowed[number])

    def fill(self, chosen: list[ListItem], user: UserState, k: int, filler: Filler) -> list[ListItem]:
        """Put items of the filler behind those chosen, up to `k`; none seen before."""
        if len(chosen) < k:
            taken = {item.item_id for item in chosen}
            seen = set(user.seen[: user.n_seen].tolist())
            for item, score, source in filler.items:
                if len(chosen) == k:
                    break
                item_id = self.ids[item]
                if item_id not in taken and self._allowed[item] and int(self._hashes[item]) not in seen:
                    chosen.append(ListItem(item_id, score, source, ()))
        return chosen

    def similar(self, item_id: str, k: int) -> list[tuple[str, float]]:
        """The `k` nearest neighbours of an item and their similarity: n_j^-c * n_i^-a * pairs, best first."""
        number = self.index.get(item_id)
        if number is None:
            return []
        n_touched = self._accumulate([number], [float(self._known_norm[number])])
        return [(self.ids[item], score) for item, score in self._best_of(n_touched, None, k)]

    def popularity(self, k: int) -> Filler:
        """The `k` items with the most events, ties by id."""
        counts = np.zeros(len(self.ids), np.int64)
        for partition, share in self.shares.items():
            slots = self._slot_in[partition][: len(self.ids)]
            counts += np.where(slots >= 0, share.n_events[slots], 0)
        return Filler([(item, float(score), POPULARITY) for item, score in self._top(counts.astype(np.float64), k)])

    def trending(self, window_index: int, as_of_ms: int, k: int) -> list[tuple[int, float]]:
        """The `k` items that trend in a window as of a time: (item, score), best first; only items with a score."""
        scores = np.zeros(len(self.ids), np.float64)
        for partition, share in self.shares.items():
            slots = self._slot_in[partition][: len(self.ids)]
            by_slot = share.trending.scores(window_index, as_of_ms, max(1, share.n_slots))
            scores += np.where(slots >= 0, by_slot[slots], 0.0)
        return self._top(scores, k)

    def filler(self, as_of_ms: int, k: int) -> Filler:
        """What trends, the widest window, and behind it what is popular."""
        trending = [(item, score, TRENDING) for item, score in self.trending(len(TRENDING_WINDOWS) - 1, as_of_ms, k)]
        taken = {item for item, _, _ in trending}
        return Filler([*trending, *(entry for entry in self.popularity(2 * k).items if entry[0] not in taken)])

    def _by_history(self, user: UserState, k: int) -> list[ListItem]:
        known: list[int] = []
        factors: list[float] = []
        because: list[str] = []
        factor = 1.0
        for item_id, weight in reversed(user.recent):
            number = self.index.get(item_id)
            if number is not None:
                known.append(number)
                factors.append(factor * weight * float(self._known_norm[number]))
                because.append(item_id)
            factor *= self.settings.decay
        if not known:
            return []
        n_touched = self._accumulate(known, factors)
        return [
            ListItem(
                self.ids[item],
                score,
                CO_OCCURRENCE,
                tuple(because[source] for source in self._best_source[item].tolist() if source >= 0),
            )
            for item, score in self._best_of(n_touched, user, k)
        ]

    def _accumulate(self, numbers: list[int], factors: list[float]) -> int:
        n_touched = 0
        for partition, share in self.shares.items():
            rows = self._slot_in[partition][numbers]
            pairs = share.pairs
            n_touched = kernels.accumulate(
                pairs.neighbours,
                pairs.weights,
                pairs.start,
                pairs.length,
                rows,
                np.array(factors, np.float64),
                self._to_item[partition],
                self._scores,
                self._touched,
                n_touched,
                self._best,
                self._best_source,
            )
        return int(n_touched)

    def _best_of(self, n_touched: int, user: UserState | None, k: int) -> list[tuple[int, float]]:
        n_seen = user.n_seen if user else 0
        cells = 64
        while cells < 2 * n_seen:
            cells *= 2
        if cells > len(self._table):
            self._table = np.zeros(cells, np.uint64)
        items, values = kernels.select(
            self._scores,
            self._touched,
            n_touched,
            self._candidate_norm,
            self._allowed,
            self._hashes,
            user.seen if user else self._hashes,
            n_seen,
            k,
            self._table[:cells],
        )
        return self._ordered(items, values, k)

    def _top(self, scores: npt.NDArray[np.float64], k: int) -> list[tuple[int, float]]:
        candidates = np.flatnonzero((scores > 0) & self._allowed[: len(scores)])
        values = scores[candidates]
        if len(candidates) > k > 0:
            threshold = np.partition(values, len(values) - k)[len(values) - k]
            candidates, values = candidates[values >= threshold], values[values >= threshold]
        return self._ordered(candidates, values, k)

    def _ordered(
        self, items: npt.NDArray[np.int32] | npt.NDArray[np.intp], values: npt.NDArray[np.float64], k: int
    ) -> list[tuple[int, float]]:
        ranked = sorted(
            zip(items.tolist(), values.tolist(), strict=True), key=lambda pair: (-pair[1], self.ids[pair[0]])
        )
        return ranked[:k]

    def _sync_share(self, partition: int, share: ItemShares) -> set[int]:
        to_item = self._to_item[partition]
        if share.n_slots > len(to_item):
            grown = np.full(max(share.n_slots, 2 * len(to_item)), -1, np.int32)
            grown[: len(to_item)] = to_item
            to_item = self._to_item[partition] = grown
        changed: set[int] = set()
        for slot in share.take_touched().tolist():
            item_id, before = share.ids[slot], int(to_item[slot])
            if before >= 0 and self.ids[before] != item_id:
                if self._slot_in[partition][before] == slot:  # or it has come back in another slot
                    self._slot_in[partition][before] = -1
                to_item[slot] = -1
                changed.add(before)
            if item_id is not None:
                number = self._number(item_id)
                to_item[slot] = number
                self._slot_in[partition][number] = slot
                changed.add(number)
        return changed

    def _number(self, item_id: str) -> int:
        number = self.index.get(item_id)
        if number is None:
            number = self.index[item_id] = len(self.ids)
            self.ids.append(item_id)
            if number >= len(self.weight):
                self._grow(2 * len(self.weight))
            self._hashes[number] = hash64(item_id)
            self._allowed[number] = item_id not in self.hidden
        return number

    def _grow(self, size: int) -> None:
        for name in (
            "weight",
            "_known_norm",
            "_candidate_norm",
            "_hashes",
            "_scores",
            "_touched",
            "_best",
            "_best_source",
        ):
            setattr(self, name, longer(getattr(self, name), size))
        self._allowed = longer(self._allowed, size)
        for partition, slots in self._slot_in.items():
            grown = np.full(size, -1, np.int32)
            grown[: len(slots)] = slots
            self._slot_in[partition] = grown

    def _renorm(self, numbers: npt.NDArray[np.int64]) -> None:
        total = np.zeros(len(numbers), np.float64)
        for partition, share in self.shares.items():
            slots = self._slot_in[partition][numbers]
            total += np.where(slots >= 0, share.weight[slots], 0.0)
        self.weight[numbers] = total
        for number, weight in zip(numbers.tolist(), total.tolist(), strict=True):
            self._known_norm[number], self._candidate_norm[number] = self.settings.norms(weight)

    def _rebuild(self) -> None:
        self.numbering += 1
        self.ids, self.index = [], {}
        self._to_item = {partition: np.full(64, -1, np.int32) for partition in self.shares}
        self._slot_in = {partition: np.full(len(self.weight), -1, np.int32) for partition in self.shares}
        for share in self.shares.values():
            share.touch_all()
        self.sync()
