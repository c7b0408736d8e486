"""The item view: every partition's shares combined, for reading and for making lists. It is no state."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models import kernels
from models.arrays import longer
from models.cooccurrence import CooccurrenceSettings
from models.list_candidates import MIN_CELLS, UNCLEAR, best_pairs, remember_all
from models.windows import TRENDING_WINDOWS
from tables.list_json import ListItem
from tables.numbering import NumberedItems
from tables.users import UserState

TRENDING, POPULARITY = "trending", "popularity"

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Filler:
    """Items behind those that a user's history names, best first: item numbers, scores, and where they come from."""

    items: Sequence[tuple[int, float, str]]


class Paired(NamedTuple):
    """What co-occurrence names for a user, best first.

    Parameters
    ----------
    items, scores
        Item numbers and what they score.
    known_at
        Where the known items lie in the user's recent ones, newest first: `ItemView.best_source` points into it.
    """

    items: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float64]
    known_at: npt.NDArray[np.int32]


class ItemView(NumberedItems):
    """Shares of several partitions, read as one.

    Attributes
    ----------
    best_source
        For each item of the last `paired`: the two places of the history that gave it most, in `Paired.known_at`
        (-1: none).
    """

    def __init__(self, settings: CooccurrenceSettings) -> None:
        super().__init__(settings)
        self._scores: npt.NDArray[np.float64] = np.zeros(64, np.float64)
        self._touched: npt.NDArray[np.int32] = np.zeros(64, np.int32)
        self._best: npt.NDArray[np.float64] = np.zeros((64, 2), np.float64)
        self.best_source: npt.NDArray[np.int32] = np.zeros((64, 2), np.int32)
        self._table: Hashes = np.zeros(MIN_CELLS, np.uint64)

    def n_events(self, item: int) -> int:
        """Events of an item, in all shares."""
        return sum(int(share.n_events[slot]) for share, slot in self.slots_of(item))

    def seen_by(self, user: UserState) -> Hashes:
        """The set of the items that a user has seen, for the kernels; good until the next call."""
        cells = MIN_CELLS
        while cells < 2 * user.n_seen:
            cells *= 2
        if cells > len(self._table):
            self._table = np.zeros(cells, np.uint64)
        table = self._table[:cells]
        remember_all(user.seen, user.n_seen, table)
        return table

    def paired(self, user: UserState, seen: Hashes, k: int) -> Paired:
        """The `k` best items by co-occurrence with the history, none of them in `seen`."""
        known: list[int] = []
        factors: list[float] = []
        known_at: list[int] = []
        factor, recent = 1.0, user.recent
        for place in range(len(recent) - 1, -1, -1):
            item_id, weight = recent[place]
            number = self.index.get(item_id)
            if number is not None:
                known.append(number)
                factors.append(factor * weight)
                known_at.append(place)
            factor *= self.settings.decay
        items, scores = np.empty(k, np.int32), np.empty(k, np.float64)
        numbers = np.array(known, np.int64)
        n = 0
        if known and k > 0:
            n_touched = self._accumulate(numbers, np.array(factors, np.float64) * self.known_norm[numbers])
            norms = self.candidate_norm
            n = best_pairs(
                self._scores,
                self._touched,
                n_touched,
                norms,
                self.allowed,
                self.hashes,
                self.keys,
                seen,
                k,
                items,
                scores,
            )
            if n == UNCLEAR:
                ranked = self._best_of(n_touched, user, seen, k)
                n = len(ranked)
                items[:n], scores[:n] = [item for item, _ in ranked], [score for _, score in ranked]
        return Paired(items[:n], scores[:n], np.array(known_at, np.int32))

    def fill(self, chosen: list[ListItem], user: UserState, k: int, filler: Filler) -> list[ListItem]:
        """Put items of the filler behind those chosen, up to `k`; none seen before."""
        if len(chosen) < k:
            taken = {item.item_id for item in chosen}
            seen = set(user.seen[: user.n_seen].tolist())
            for item, score, source in filler.items:
                if len(chosen) == k:
                    break
                item_id = self.ids[item]
                if item_id not in taken and self.allowed[item] and int(self.hashes[item]) not in seen:
                    chosen.append(ListItem(item_id, score, source, ()))
        return chosen

    def similar(self, item_id: str, k: int) -> list[tuple[str, float]]:
        """The `k` nearest neighbours of an item and their similarity: n_j^-c * n_i^-a * pairs, best first."""
        number = self.index.get(item_id)
        if number is None:
            return []
        n_touched = self._accumulate(np.array([number]), self.known_norm[[number]])
        nobody = UserState()
        ranked = self._best_of(n_touched, nobody, self.seen_by(nobody), k)
        return [(self.ids[item], score) for item, score in ranked]

    def popularity(self, k: int) -> Filler:
        """The `k` items with the most events, ties by id."""
        counts = np.zeros(len(self.ids), np.int64)
        for partition, share in self.shares.items():
            slots = self.slot_in[partition][: len(self.ids)]
            counts += np.where(slots >= 0, share.n_events[slots], 0)
        return Filler([(item, float(score), POPULARITY) for item, score in self._top(counts.astype(np.float64), k)])

    def trends(self, window_index: int, as_of_ms: int) -> npt.NDArray[np.float64]:
        """How much each item trends in a window as of a time, by its number; 0 for forbidden ones."""
        scores = np.zeros(len(self.ids), np.float64)
        for partition, share in self.shares.items():
            slots = self.slot_in[partition][: len(self.ids)]
            by_slot = share.trending.scores(window_index, as_of_ms, max(1, share.n_slots))
            scores += np.where(slots >= 0, by_slot[slots], 0.0)
        return np.where(self.allowed[: len(scores)], scores, 0.0)

    def trending(self, window_index: int, as_of_ms: int, k: int) -> list[tuple[int, float]]:
        """The `k` items that trend in a window as of a time: (item, score), best first; only items with a score."""
        return self._top(self.trends(window_index, as_of_ms), k)

    def filler(self, as_of_ms: int, k: int) -> Filler:
        """What trends, the widest window, and behind it what is popular."""
        trending = [(item, score, TRENDING) for item, score in self.trending(len(TRENDING_WINDOWS) - 1, as_of_ms, k)]
        taken = {item for item, _, _ in trending}
        return Filler([*trending, *(entry for entry in self.popularity(2 * k).items if entry[0] not in taken)])

    def _accumulate(self, numbers: npt.NDArray[np.int64], factors: npt.NDArray[np.float64]) -> int:
        n_touched = 0
        for partition, share in self.shares.items():
            pairs = share.pairs
            n_touched = kernels.accumulate(
                pairs.neighbours,
                pairs.weights,
                pairs.start,
                pairs.length,
                self.slot_in[partition][numbers],
                factors,
                self.to_item[partition],
                self._scores,
                self._touched,
                n_touched,
                self._best,
                self.best_source,
            )
        return int(n_touched)

    def _best_of(self, n_touched: int, user: UserState, table: Hashes, k: int) -> list[tuple[int, float]]:
        items, values = kernels.select(
            self._scores,
            self._touched,
            n_touched,
            self.candidate_norm,
            self.allowed,
            self.hashes,
            user.seen,
            user.n_seen,
            k,
            table,
        )
        return self._ordered(items, values, k)

    def _top(self, scores: npt.NDArray[np.float64], k: int) -> list[tuple[int, float]]:
        candidates = np.flatnonzero((scores > 0) & self.allowed[: len(scores)])
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

    def _grow(self, size: int) -> None:
        super()._grow(size)
        for name in ("_scores", "_touched", "_best", "best_source"):
            setattr(self, name, longer(getattr(self, name), size))
