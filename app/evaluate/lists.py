"""Lists as they are published: of all sources, of one alone, of all but one; with a blend that learns from them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.worker.live_view import FILLER_SIZE
from models.blend_weights import Served
from tables.adaptive import AdaptiveRecommender
from tables.list_json import ListItem
from tables.list_settings import LEARNED, LOG_SHARES, ListSettings
from tables.recommend import Recommender
from tables.user_state import UserState
from tables.view import Filler, ItemView

SERVED = "list"
ALONE, WITHOUT = " alone", "without "


@dataclass(frozen=True, slots=True)
class Made:
    """A user's lists by name, and what the blends of some of them may learn from."""

    items: Mapping[str, list[ListItem]]
    proposals: Mapping[str, Served | None]


class PublishedLists:
    """Makes a user's lists from an item view, the way the worker's publisher does.

    The list without a source has a blend of its own, which learns without it from lists without it.

    Parameters
    ----------
    settings
        Of the list that is served.
    list_size
        Items per list.
    parted
        Make the lists of one source alone and those without one as well. They change nothing in the served list.

    Attributes
    ----------
    names
        Of all lists that `make` makes, the served one first.
    """

    def __init__(self, settings: ListSettings, list_size: int, *, parted: bool = True) -> None:
        self._size = list_size
        served = AdaptiveRecommender(settings)
        sources = [name for name in served.recommender.names if settings.weight(name) > 0.0]
        self._blended = {SERVED: served}
        self._alone: dict[str, tuple[int, Recommender]] = {}
        fixed = LOG_SHARES if settings.blend == LEARNED else settings.blend
        for source in sources if parted else ():
            alone = Recommender(replace(settings, blend=fixed, weights={source: 1.0}))
            self._alone[f"{source}{ALONE}"] = alone.names.index(source), alone
            others = {name: settings.weight(name) for name in sources if name != source}
            if others:
                self._blended[f"{WITHOUT}{source}"] = AdaptiveRecommender(replace(settings, weights=others))
        self.names = (*self._blended, *self._alone)

    def filler(self, view: ItemView, as_of_ms: int) -> Filler:
        """What stands behind the items that sources propose."""
        return self._blended[SERVED].newcomers.filler(view, as_of_ms, FILLER_SIZE)

    def served(self, view: ItemView, number: int, user: UserState, filler: Filler) -> list[ListItem]:
        """The list that a user of partition `number` gets."""
        return self._blended[SERVED].recommend(view, number, user, self._size, filler)

    def make(self, view: ItemView, number: int, user: UserState, filler: Filler) -> Made:
        """All lists of a user of partition `number`; those of one source alone have nothing behind it."""
        items: dict[str, list[ListItem]] = {}
        proposals: dict[str, Served | None] = {}
        for name, blended in self._blended.items():
            blended.learn()
            items[name] = blended.recommend(view, number, user, self._size, filler)
            proposals[name] = blended.made(view)
        for name, (column, alone) in self._alone.items():
            made = alone.recommend(view, number, user, self._size, filler)
            items[name] = made[: int(alone.proposals.counts[column])]  # the filler is behind
        return Made(items, proposals)

    def given(self, user_id: str, made: Made) -> None:
        """A user has got these lists."""
        for name, blended in self._blended.items():
            blended.served(user_id, made.proposals[name])

    def took(self, user_id: str, item_id: str, how: int) -> None:
        """A user took to an item: what blends learn from, before the next lists are made (`how`: of `fold_arrays`)."""
        for blended in self._blended.values():
            blended.took(user_id, item_id, how)

    def weights(self) -> dict[str, object]:
        """What the blend of the served list has learned; empty if it learns nothing."""
        return self._blended[SERVED].as_json()
