"""The fold's own lists: what a partition would recommend from its own shares alone.

They are what prequential evaluation scores, and what the digest covers. The published list is made from the item view,
the catalogue and the clock; with one partition and no catalogue rules the two agree.
"""

import numpy as np
import numpy.typing as npt

from models import ranking
from models.cooccurrence import CooccurrenceSettings
from models.evaluation import DEPTH, LIST, POPULARITY
from models.fusion import FusionSettings, fuse
from tables.items import ItemShares
from tables.users import UserState

CO_OCCURRENCE, HISTORY = "co_occurrence", "history"
SOURCES = (LIST, CO_OCCURRENCE, HISTORY, POPULARITY)
FUSED_DEPTH = 100

Slots = npt.NDArray[np.int32]


class FoldLists:
    """Ranks the slots of one share for a user; scratch arrays only, no state."""

    def __init__(self, items: ItemShares, settings: CooccurrenceSettings, fusion: FusionSettings) -> None:
        self._items = items
        self._settings = settings
        self._fusion = fusion
        self._table: npt.NDArray[np.uint64] = np.zeros(ranking.MIN_CELLS, np.uint64)
        self._blocked: npt.NDArray[np.bool_] = np.zeros(64, np.bool_)
        self._scores: npt.NDArray[np.float64] = np.zeros(64, np.float64)
        self._logits: npt.NDArray[np.float32] = np.zeros(64, np.float32)
        self._ones: npt.NDArray[np.float64] = np.ones(64, np.float64)

    def sources(self, user: UserState, depth: int = DEPTH) -> dict[str, Slots]:
        """Up to `depth` slots per source, best first, none of them seen by the user.

        A user without history has the most popular items in every place but the sources that need one.
        """
        n_slots = self._items.n_slots
        self._grow(n_slots)
        self._block(user, n_slots)
        popular = self._top(self._items.n_events[:n_slots].astype(np.float64), self._ones, 0.0, n_slots, depth)
        slots, weights = self._items.history_of(user)
        if not len(slots):
            none = popular[:0]
            return {LIST: popular, CO_OCCURRENCE: none, HISTORY: none, POPULARITY: popular}
        paired = self._paired(slots, weights, n_slots)
        near = self._near(slots, weights, n_slots)
        fused = fuse([paired, near], self._fusion.weights, self._items.keys, depth)
        if len(fused) < depth:
            fused = _filled(fused, popular, depth)
        return {LIST: fused, CO_OCCURRENCE: paired[:depth], HISTORY: near[:depth], POPULARITY: popular}
