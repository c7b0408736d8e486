"""The fold's own lists: what a partition would recommend from its own shares alone.

They are what prequential evaluation scores inside the fold, and what the digest covers: a function of state, made by
the kernels of published lists with fixed weights. The published list is made from the item view, the catalogue and
the clock, by weights that are learned; with one partition, the same weights and no catalogue rules the two agree.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from models.evaluation import DEPTH, SOURCES
from models.fold_ranking import ListScratch, rank_sources, scratch_for
from models.history import aged
from models.ids import hash64
from models.list_candidates import set_of
from models.list_kernel import ListNumbers
from models.source_names import CO_OCCURRENCE, HISTORY, POPULARITY
from tables.items import ItemShares
from tables.list_settings import LEARNED, LOG_SHARES, RANKS, ListSettings
from tables.user_state import UserState

__all__ = ["CO_OCCURRENCE", "FOLD_LISTS", "HISTORY", "SOURCES", "FoldLists"]

FOLD_SOURCES: Final = (CO_OCCURRENCE, HISTORY, POPULARITY)
FOLD_LISTS: Final = ListSettings(RANKS, dict(zip(FOLD_SOURCES, (0.4, 0.6, 0.0), strict=True)), depth=30, look=500)
"""Part of what the fold does: a change asks for another `STATE_VERSION`."""

Slots = npt.NDArray[np.int32]


class FoldLists:
    """Ranks the slots of one share for a user; scratch arrays only, no state."""

    def __init__(self, items: ItemShares, settings: ListSettings = FOLD_LISTS) -> None:
        assert settings.blend in (LOG_SHARES, RANKS), f"{LEARNED} weights are no function of state"
        history = items.history
        self.items = items
        self.by_shares = settings.blend == LOG_SHARES
        self.numbers = ListNumbers(
            items.settings.decay,
            history.settings.decay,
            history.n_history,
            history.n_factors,
            settings.look,
            n_hidden=0,
        )
        self._depth = settings.depth
        self._weights = np.array([settings.weight(name) for name in FOLD_SOURCES], np.float64)
        self._scratch = self._scratch_for(64, DEPTH)

    def scratch(self) -> ListScratch:
        """Arrays that the compiled ranking writes over, as long as there are slots."""
        n_slots = len(self.items.hashes)
        if n_slots > len(self._scratch.same):
            self._scratch = self._scratch_for(n_slots, DEPTH)
        return self._scratch

    def ranked(self, user: UserState, depth: int = DEPTH) -> tuple[Slots, list[int]]:
        """Up to `depth` slots per source, best first, none of them seen by the user: shape (4, depth), and how many.

        A source proposes as many as the settings say, popularity knows the first 1,024; a user without history is given
        the most popular items by every source.
        """
        items, scratch = self.items.arrays(), self._scratch_for(len(self.items.hashes), depth)
        recent = np.array([hash64(item_id) for item_id, _ in user.recent], np.uint64)
        weights = aged(np.array([weight for _, weight in user.recent], np.float64), np.array(user.recent_ms, np.int64))
        seen = set_of(user.seen[: user.n_seen])
        rank_sources(items, recent, weights, seen, user.n_seen, scratch, self.numbers, self.by_shares)
        return scratch.out, scratch.counts.tolist()

    def sources(self, user: UserState, depth: int = DEPTH) -> dict[str, Slots]:
        """`ranked`, by the names of the sources."""
        out, counts = self.ranked(user, depth)
        return {name: row[:n] for name, row, n in zip(SOURCES, out, counts, strict=True)}

    def _scratch_for(self, n_slots: int, depth: int) -> ListScratch:
        return scratch_for(n_slots, self._weights, self._depth, depth)
