"""The fold's own lists: what a partition would recommend from its own shares alone.

They are what prequential evaluation scores, and what the digest covers. The published list is made from the item view,
the catalogue and the clock; with one partition and no catalogue rules the two agree.
"""

import numpy as np
import numpy.typing as npt

from models import ranking
from models.evaluation import DEPTH, LIST, POPULARITY
from models.fusion import FusionSettings, fuse_slots
from tables.items import ItemShares
from tables.users import UserState

CO_OCCURRENCE, HISTORY = "co_occurrence", "history"
SOURCES = (LIST, CO_OCCURRENCE, HISTORY, POPULARITY)

Slots = npt.NDArray[np.int32]


class FoldLists:
    """Ranks the slots of one share for a user; scratch arrays only, no state."""

    def __init__(self, items: ItemShares, fusion: FusionSettings) -> None:
        self.items = items
        self._fusion = fusion
        self._depth = max(DEPTH, fusion.depth)
        self._table: npt.NDArray[np.uint64] = np.zeros(ranking.MIN_CELLS, np.uint64)
        self._blocked: npt.NDArray[np.bool_] = np.zeros(64, np.bool_)
        self._scores: npt.NDArray[np.float64] = np.zeros(64, np.float64)
        self._logits: npt.NDArray[np.float32] = np.zeros(64, np.float32)
        self._ones: npt.NDArray[np.float64] = np.ones(64, np.float64)

    def sources(self, user: UserState, depth: int = DEPTH) -> dict[str, Slots]:
        """Up to `depth` slots per source, best first, none of them seen by the user.

        A user without history is given the most popular items by every source.
        """
        n_slots = self.items.n_slots
        self._grow(n_slots)
        self._block(user, n_slots)
        popular = self._top(self.items.n_events[:n_slots].astype(np.float64), self._ones, 0.0, n_slots, depth)[0]
        slots, weights = history_slots(self.items, user)
        if not len(slots):
            return dict.fromkeys(SOURCES, popular)
        paired = self._paired(user, n_slots)
        near = self._near(slots, weights, n_slots, self._depth)
        fused = self._fused(paired, near, depth)
        return {
            LIST: _filled(fused, popular, depth),
            CO_OCCURRENCE: paired[:depth],
            HISTORY: near[:depth],
            POPULARITY: popular,
        }

    def near(self, user: UserState, depth: int) -> Slots:
        """Up to `depth` slots by the factor model alone, best first, none of them seen by the user."""
        n_slots = self.items.n_slots
        slots, weights = history_slots(self.items, user)
        if not len(slots):
            return np.zeros(0, np.int32)
        self._grow(n_slots)
        self._block(user, n_slots)
        return self._near(slots, weights, n_slots, depth)

    def because(self, user: UserState, slot: int, n: int = 2) -> tuple[str, ...]:
        """The items of the history that speak most for a slot, by the factor model."""
        slots, weights = history_slots(self.items, user)
        history = self.items.history
        n_factors = history.settings.n_factors
        steps = history.settings.decay ** np.arange(len(slots) - 1, -1, -1)
        gains = (history.rows[slots, :n_factors] @ history.rows[slot, :n_factors]) * weights * steps
        best = np.argsort(-gains, kind="stable")[:n]
        return tuple(self.items.ids[slots[place]] or "" for place in best.tolist() if gains[place] > 0)

    def _fused(self, paired: Slots, near: Slots, k: int) -> Slots:
        fusion = self._fusion
        ranked = np.full((2, fusion.depth), -1, np.int32)
        for row, slots in zip(ranked, (paired, near), strict=True):
            row[: len(slots)] = slots[: fusion.depth]
        slots, scores, _ = fuse_slots(ranked, np.array([fusion.cooccurrence_weight, fusion.history_weight]), k)
        ids = self.items.ids
        order = sorted(zip(slots.tolist(), scores.tolist(), strict=True), key=lambda e: (-e[1], ids[e[0]] or ""))
        return np.array([slot for slot, _ in order[:k]], np.int32)

    def _paired(self, user: UserState, n_slots: int) -> Slots:
        """By co-occurrence: the rows of the history, each step back for less."""
        items, factor = self.items, 1.0
        rows: list[int] = []
        factors: list[float] = []
        for item_id, weight in reversed(user.recent):  # in the order, and with the rounding, of the item view
            slot = items.slots.get(item_id)
            if slot is not None:
                rows.append(slot)
                factors.append(factor * weight * float(items.known_norm[slot]))
            factor *= items.settings.decay
        self._scores[:n_slots] = 0.0
        pairs = items.pairs
        ranking.add_rows(
            pairs.neighbours,
            pairs.weights,
            pairs.start,
            pairs.length,
            np.array(rows, np.int32),
            np.array(factors, np.float64),
            self._scores,
        )
        return self._top(self._scores, items.candidate_norm, 0.0, n_slots, self._depth)[0]

    def _near(self, slots: Slots, weights: npt.NDArray[np.float64], n_slots: int, depth: int) -> Slots:
        """By the factor model of the history."""
        if not self.items.history.scores(slots, weights, self._logits[:n_slots]):
            return np.zeros(0, np.int32)
        self._scores[:n_slots] = self._logits[:n_slots]
        return self._top(self._scores, self._ones, -np.inf, n_slots, depth)[0]

    def _top(
        self, scores: npt.NDArray[np.float64], norms: npt.NDArray[np.float64], floor: float, n_slots: int, k: int
    ) -> tuple[Slots, npt.NDArray[np.float64]]:
        out, best = np.empty(k, np.int32), np.empty(k, np.float64)
        n = ranking.top_slots(scores, norms, floor, self._blocked, n_slots, self.items.keys, k, out, best)
        return out[:n], best[:n]

    def _block(self, user: UserState, n_slots: int) -> None:
        self._table = ranking.table_for(user.n_seen, self._table)
        ranking.block(self.items.hashes, n_slots, user.seen, user.n_seen, self._table, self._blocked)

    def _grow(self, n_slots: int) -> None:
        if n_slots > len(self._scores):
            size = max(n_slots, 2 * len(self._scores))
            self._blocked = np.zeros(size, np.bool_)
            self._scores = np.zeros(size, np.float64)
            self._logits = np.zeros(size, np.float32)
            self._ones = np.ones(size, np.float64)


def history_slots(items: ItemShares, user: UserState) -> tuple[Slots, npt.NDArray[np.float64]]:
    """Slots and weights of a user's recent items that the share still knows, oldest first."""
    known = [(items.slots[item_id], weight) for item_id, weight in user.recent if item_id in items.slots]
    return np.array([slot for slot, _ in known], np.int32), np.array([weight for _, weight in known], np.float64)


def _filled(fused: Slots, popular: Slots, depth: int) -> Slots:
    """A list with popular items behind it, up to `depth`."""
    if len(fused) >= depth:
        return fused[:depth]
    taken = set(fused.tolist())
    behind = [slot for slot in popular.tolist() if slot not in taken]
    return np.array([*fused.tolist(), *behind][:depth], np.int32)
