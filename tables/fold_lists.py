"""The fold's own lists: what a partition would recommend from its own shares alone.

They are what prequential evaluation scores, and what the digest covers. The published list is made from the item view,
the catalogue and the clock; with one partition and no catalogue rules the two agree.
"""

import numpy as np
import numpy.typing as npt

from models import ranking
from models.evaluation import DEPTH, SOURCES
from models.fold_ranking import RankNumbers, Scratch, rank_sources, scratch_for
from models.fusion import FusionSettings
from models.ids import hash64
from models.source_names import CO_OCCURRENCE, HISTORY
from tables.items import ItemShares
from tables.user_state import UserState

__all__ = ["CO_OCCURRENCE", "HISTORY", "SOURCES", "FoldLists"]

Slots = npt.NDArray[np.int32]


class FoldLists:
    """Ranks the slots of one share for a user; scratch arrays only, no state."""

    def __init__(self, items: ItemShares, fusion: FusionSettings) -> None:
        self.items = items
        history = items.history.settings
        self.numbers = RankNumbers(
            pair_decay=items.settings.decay,
            history_decay=history.decay,
            n_factors=history.n_factors,
            n_history=history.n_history,
            pair_weight=fusion.cooccurrence_weight,
            history_weight=fusion.history_weight,
            depth=fusion.depth,
        )
        self._n_recent = max(items.settings.n_history, history.n_history)
        self._scratch = scratch_for(64, self._n_recent, history.n_factors, DEPTH)

    def scratch(self) -> Scratch:
        """Arrays that the compiled ranking writes over, as long as there are slots."""
        n_slots = len(self.items.hashes)
        if n_slots > len(self._scratch.scores):
            self._scratch = scratch_for(n_slots, self._n_recent, self.numbers.n_factors, DEPTH)
        return self._scratch

    def ranked(self, user: UserState, depth: int = DEPTH) -> tuple[Slots, list[int]]:
        """Up to `depth` slots per source, best first, none of them seen by the user: shape (4, depth), and how many.

        A user without history is given the most popular items by every source.
        """
        items = self.items.arrays()
        n_recent = max(len(user.recent), self._n_recent)
        scratch = scratch_for(len(self.items.hashes), n_recent, self.numbers.n_factors, depth)
        recent = np.array([hash64(item_id) for item_id, _ in user.recent], np.uint64)
        weights = np.array([weight for _, weight in user.recent], np.float64)
        seen = user.seen[: user.n_seen]
        ranking.block(items.live, int(items.n_range[0]), items.cells, items.slots, seen, scratch.blocked)
        rank_sources(items, recent, weights, scratch, self.numbers, depth)
        return scratch.out, scratch.counts.tolist()

    def sources(self, user: UserState, depth: int = DEPTH) -> dict[str, Slots]:
        """`ranked`, by the names of the sources."""
        out, counts = self.ranked(user, depth)
        return {name: row[:n] for name, row, n in zip(SOURCES, out, counts, strict=True)}
