"""At most so many items of one category in a list."""

from typing import Final

import numpy as np

from models.proposals import Ranked
from tables.list_settings import ListSettings
from tables.sources.source import Asked
from tables.view import ItemView

AT_ONCE: Final = 64  # places looked at: most lists are full by then


class PerCategory:
    """Holds items back once so many of their category stand before them, until all others have had their turn.

    From the best on, an item goes into the list unless `most` of its category are in it. If `k` is not reached so,
    those held back come behind, in their order: a list is never shorter for it. Items without a category are never held
    back. What stands behind the first `k` stays in its order.

    Parameters
    ----------
    most
        Items of one category, 1 or more.
    """

    name: Final = "per_category"

    def __init__(self, most: int) -> None:
        self._most = most

    @classmethod
    def of(cls, settings: ListSettings) -> "PerCategory | None":
        """The stage that settings ask for, if they do."""
        return cls(settings.max_per_category) if settings.max_per_category else None

    def rank(self, ranked: Ranked, asked: Asked, k: int) -> Ranked:
        """As of `Stage`; leaves none out."""
        taken, held_back = self._parted(ranked, asked.view, k)
        if not held_back:
            return ranked
        others = np.arange(len(taken) + len(held_back), ranked.n)
        return ranked.reordered(np.concatenate((np.array(taken + held_back, np.intp), others)))

    def _parted(self, ranked: Ranked, view: ItemView, k: int) -> tuple[list[int], list[int]]:
        """The places of up to `k` items that the list takes, and of those before the last of them that wait."""
        counts: dict[int, int] = {}
        taken: list[int] = []
        held_back: list[int] = []
        for start in range(0, ranked.n, AT_ONCE):
            categories = view.category[ranked.items[start : start + AT_ONCE]].tolist()
            for place, category in enumerate(categories, start):
                n = counts.get(category, 0)
                if category >= 0 and n == self._most:
                    held_back.append(place)
                    continue
                counts[category] = n + 1
                taken.append(place)
                if len(taken) == k:
                    return taken, held_back
        return taken, held_back
