"""The item view: every partition's shares combined, for reading and for making lists. It is no state."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.cooccurrence import CooccurrenceSettings
from models.list_candidates import MIN_CELLS, UNCLEAR, add_rows, best_pairs, remember_all, two_greatest
from models.windows import TRENDING_WINDOWS
from tables.list_json import ListItem
from tables.numbering import NumberedItems
from tables.user_state import UserState

TRENDING, POPULARITY = "trending", "popularity"

Hashes = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Filler:
    """Items behind those that a user's history names, best first: item numbers, scores, and where they come from."""

    items: Sequence[tuple[int, float, str]]


class Paired(NamedTuple):
    """What co-occurrence names for a user, best first, and the part of the history that it was named by.

    Parameters
    ----------
    items, scores
        Item numbers and what they score.
    known, factors, known_at
        The items of the history, newest first: their numbers, what their rows were multiplied by, and their places in
        the user's recent items.
    """

    items: Ints
    scores: Floats
    known: Ints
    factors: Floats
    known_at: Ints


class ItemView(NumberedItems):
    """Shares of several partitions, read as one."""

    def __init__(self, settings: CooccurrenceSettings) -> None:
        super().__init__(settings)
        self._scores: Floats = np.zeros(1, np.float64)
        self._touched: npt.NDArray[np.int32] = np.zeros(64, np.int32)
        self._place_of: Ints = np.full(64, -1, np.int32)
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
        numbers, items, scores = np.array(known, np.int32), np.empty(k, np.int32), np.empty(k, np.float64)
        gave = np.array(factors, np.float64) * self.known_norm[numbers]
        n = 0
        if known and k > 0:
            self._add_rows(numbers, gave)
            n = best_pairs(
                self._scores,
                len(self.ids),
                self.candidate_norm,
                self.allowed,
                self.hashes,
                self.keys,
                seen,
                k,
                items,
                scores,
            )
            if n == UNCLEAR:
                normed = self._normed()
                normed[np.isin(self.hashes[: len(normed)], user.seen[: user.n_seen])] = 0.0
                ranked = self.top(normed, k)
                n = len(ranked)
                items[:n], scores[:n] = [item for item, _ in ranked], [score for _, score in ranked]
        return Paired(items[:n], scores[:n], numbers, gave, np.array(known_at, np.int32))

    def reasons(self, paired: Paired, items: Ints) -> Ints:
        """The two places of `paired.known` that give each item most, the greater first, shape (n, 2); -1: none."""
        gains, sources = np.zeros((len(items), 2), np.float64), np.full((len(items), 2), -1, np.int32)
        n_slots = max((share.n_slots for share in self.shares.values()), default=0)
        if n_slots > len(self._place_of):
            self._place_of = np.full(2 * n_slots, -1, np.int32)
        for partition, share in self.shares.items():
            pairs = share.pairs
            two_greatest(
                pairs.neighbours,
                pairs.weights,
                pairs.start,
                pairs.length,
                self.slot_in[partition][paired.known],
                paired.factors,
                self.slot_in[partition][items],
                self._place_of,
                gains,
                sources,
            )
        return sources

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
        self._add_rows(np.array([number], np.int32), self.known_norm[[number]])
        return [(self.ids[item], score) for item, score in self.top(self._normed(), k)]

    def popularity(self, k: int) -> Filler:
        """The `k` items with the most events, ties by id."""
        counts = np.zeros(len(self.ids), np.int64)
        for partition, share in self.shares.items():
            slots = self.slot_in[partition][: len(self.ids)]
            counts += np.where(slots >= 0, share.n_events[slots], 0)
        return Filler([(item, float(score), POPULARITY) for item, score in self.top(counts.astype(np.float64), k)])

    def trends(self, window_index: int, as_of_ms: int) -> Floats:
        """How much each item trends in a window as of a time, by its number."""
        scores = np.zeros(len(self.ids), np.float64)
        for partition, share in self.shares.items():
            slots = self.slot_in[partition][: len(self.ids)]
            by_slot = share.trending.scores(window_index, as_of_ms, max(1, share.n_slots))
            scores += np.where(slots >= 0, by_slot[slots], 0.0)
        return scores

    def trending(self, window_index: int, as_of_ms: int, k: int) -> list[tuple[int, float]]:
        """The `k` items that trend in a window as of a time: (item, score), best first; only items with a score."""
        return self.top(self.trends(window_index, as_of_ms), k)

    def top(self, scores: Floats, k: int, among: npt.NDArray[np.intp] | None = None) -> list[tuple[int, float]]:
        """The `k` items with the greatest scores above 0, by item number; of all, or of some."""
        candidates = np.flatnonzero(self.allowed[: len(scores)]) if among is None else among[self.allowed[among]]
        values = scores[candidates]
        least = 0.0
        if len(values) > k > 0:
            least = max(0.0, float(np.partition(values, len(values) - k)[len(values) - k]))
        kept = (values > 0.0) & (values >= least)
        return self._ordered(candidates[kept], values[kept], k)

    def filler(self, as_of_ms: int, k: int) -> Filler:
        """What trends, the widest window, and behind it what is popular."""
        trending = [(item, score, TRENDING) for item, score in self.trending(len(TRENDING_WINDOWS) - 1, as_of_ms, k)]
        taken = {item for item, _, _ in trending}
        return Filler([*trending, *(entry for entry in self.popularity(2 * k).items if entry[0] not in taken)])

    def _add_rows(self, numbers: Ints, factors: Floats) -> None:
        self._scores = np.zeros(len(self.ids) + 1, np.float64)
        for partition, share in self.shares.items():
            pairs = share.pairs
            add_rows(
                pairs.neighbours,
                pairs.weights,
                pairs.start,
                pairs.length,
                self.slot_in[partition][numbers],
                factors,
                self.to_item[partition],
                self._scores,
            )

    def _normed(self) -> Floats:
        """The last scores times their norms, as floats above 0; 0 for those that are nothing or too great."""
        n = len(self.ids)
        with np.errstate(over="ignore", invalid="ignore"):
            normed = self._scores[:n] * self.candidate_norm[:n]
        return np.where(np.isfinite(normed), normed, 0.0)

    def _ordered(
        self, items: npt.NDArray[np.int32] | npt.NDArray[np.intp], values: Floats, k: int
    ) -> list[tuple[int, float]]:
        ranked = sorted(
            zip(items.tolist(), values.tolist(), strict=True), key=lambda pair: (-pair[1], self.ids[pair[0]])
        )
        return ranked[:k]
