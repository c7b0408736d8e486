"""The fold's own lists: what a partition would recommend from its own shares alone.

They are what prequential evaluation scores, and what the digest covers. The published list is made from the item view,
the catalogue and the clock; with one partition and no catalogue rules the two agree.
"""

import numpy as np
import numpy.typing as npt

from models import ranking
from models.evaluation import DEPTH, LIST, POPULARITY
from models.fold_ranking import rank_sources
from models.fusion import FusionSettings
from tables.items import ItemShares
from tables.users import UserState

CO_OCCURRENCE, HISTORY = "co_occurrence", "history"
SOURCES = (LIST, CO_OCCURRENCE, HISTORY, POPULARITY)  # the rows of what the kernel writes

Slots = npt.NDArray[np.int32]


class FoldLists:
    """Ranks the slots of one share for a user; scratch arrays only, no state."""

    def __init__(self, items: ItemShares, fusion: FusionSettings) -> None:
        self.items = items
        self._fusion_weights = np.array([fusion.cooccurrence_weight, fusion.history_weight], np.float64)
        self._fusion_depth = fusion.depth
        self._user: npt.NDArray[np.float32] = np.zeros(items.history.settings.n_factors, np.float32)
        self._shares: npt.NDArray[np.float32] = np.zeros(items.history.settings.n_history, np.float32)
        self._table: npt.NDArray[np.uint64] = np.zeros(ranking.MIN_CELLS, np.uint64)
        self._blocked: npt.NDArray[np.bool_] = np.zeros(64, np.bool_)
        self._scores: npt.NDArray[np.float64] = np.zeros(64, np.float64)
        self._logits: npt.NDArray[np.float32] = np.zeros(64, np.float32)
        self._ones: npt.NDArray[np.float64] = np.ones(64, np.float64)

    def ranked(self, user: UserState, depth: int = DEPTH) -> tuple[Slots, list[int]]:
        """Up to `depth` slots per source, best first, none of them seen by the user: shape (4, depth), and how many.

        A user without history is given the most popular items by every source.
        """
        items, history = self.items, self.items.history
        n_slots = items.n_slots
        self._grow(n_slots)
        self._table = ranking.table_for(user.n_seen, self._table)
        known, weights = history_slots(items, user)
        n_history = history.settings.n_history
        out, counts = np.zeros((len(SOURCES), depth), np.int32), np.zeros(len(SOURCES), np.int32)
        rank_sources(
            items.hashes,
            items.keys,
            n_slots,
            items.n_events,
            user.seen,
            user.n_seen,
            self._table,
            self._blocked,
            self._scores,
            self._logits,
            self._ones,
            items.pairs.neighbours,
            items.pairs.weights,
            items.pairs.start,
            items.pairs.length,
            items.candidate_norm,
            *self._pair_factors(user),
            history.rows,
            history.columns,
            history.stale,
            history.live,
            history.settings.n_factors,
            known[-n_history:],
            weights[-n_history:],
            history.settings.decay,
            self._user,
            self._shares,
            self._fusion_weights,
            self._fusion_depth,
            depth,
            out,
            counts,
        )
        return out, counts.tolist()

    def sources(self, user: UserState, depth: int = DEPTH) -> dict[str, Slots]:
        """`ranked`, by the names of the sources."""
        out, counts = self.ranked(user, depth)
        return {name: row[:n] for name, row, n in zip(SOURCES, out, counts, strict=True)}

    def frozen(self, user: UserState) -> dict[str, list[int]]:
        """Hashes of the items of every source's list, as they wait to be scored."""
        out, counts = self.ranked(user)
        hashes = self.items.hashes[out].tolist()
        return {name: row[:n] for name, row, n in zip(SOURCES, hashes, counts, strict=True)}

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

    def _pair_factors(self, user: UserState) -> tuple[Slots, npt.NDArray[np.float64]]:
        """Rows of the history, newest first, and what each is multiplied by: in the order and rounding of the view."""
        items, factor = self.items, 1.0
        known_norm, decay = items.known_norm, items.settings.decay
        rows: list[int] = []
        factors: list[float] = []
        for item_id, weight in reversed(user.recent):
            slot = items.slots.get(item_id)
            if slot is not None:
                rows.append(slot)
                factors.append(factor * weight)
            factor *= decay
        slots = np.array(rows, np.int32)
        return slots, np.array(factors, np.float64) * known_norm[slots]

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
