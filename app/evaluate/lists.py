"""Lists as they are published, of all sources, of one alone, or of all but one."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from app.worker.live_view import FILLER_SIZE
from models.fusion import FusionSettings
from tables.fold_lists import CO_OCCURRENCE, HISTORY
from tables.list_json import ListItem
from tables.recommend import recommend
from tables.user_state import UserState
from tables.view import Filler, ItemView

NOTHING: Final = Filler(())


class PublishedLists:
    """Makes a user's lists from an item view, the way the worker's publisher does.

    Parameters
    ----------
    fusion
        How the sources are weighed in the list that is served.
    list_size
        Items per list.
    """

    sources: Final = (CO_OCCURRENCE, HISTORY)

    def __init__(self, fusion: FusionSettings, list_size: int) -> None:
        self._fusion = fusion
        self._size = list_size

    def filler(self, view: ItemView, as_of_ms: int) -> Filler:
        """What stands behind the items that a history names."""
        return view.filler(as_of_ms, FILLER_SIZE)

    def served(self, view: ItemView, number: int, user: UserState, filler: Filler) -> list[ListItem]:
        """The list that a user of partition `number` gets."""
        return recommend(view, number, self._fusion, user, self._size, filler)

    def alone(self, source: str, view: ItemView, number: int, user: UserState) -> list[ListItem]:
        """What a source would say by itself, with nothing behind it."""
        return self._weighed({name: float(name == source) for name in self.sources}, view, number, user, NOTHING)

    def without(self, source: str, view: ItemView, number: int, user: UserState, filler: Filler) -> list[ListItem]:
        """The list if that source had no weight."""
        weights = {CO_OCCURRENCE: self._fusion.cooccurrence_weight, HISTORY: self._fusion.history_weight}
        return self._weighed(weights | {source: 0.0}, view, number, user, filler)

    def _weighed(
        self, weights: Mapping[str, float], view: ItemView, number: int, user: UserState, filler: Filler
    ) -> list[ListItem]:
        fusion = replace(self._fusion, cooccurrence_weight=weights[CO_OCCURRENCE], history_weight=weights[HISTORY])
        return recommend(view, number, fusion, user, self._size, filler)
