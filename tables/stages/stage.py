"""What a stage of a list is."""

from collections.abc import Callable
from typing import Protocol

from models.proposals import Ranked
from tables.list_settings import ListSettings
from tables.sources.source import Asked


class Stage(Protocol):
    """Re-ranks what the blend has ranked and the filler behind it, for one user.

    It moves items and leaves items out; it adds none, and invents no score. What it returns is made with
    `Ranked.reordered`: an item keeps its source and its places among proposals, and takes the score of the place that
    it comes to. So scores fall as they did, and say where in the list an item stands, not what the blend gave it.

    Pure: the same for the same list, view and user, without memory of the last one, clock or chance. Stages run in the
    order of `tables.recommend.STAGES`; each sees what the one before it has left, and the last has the last word.
    """

    @property
    def name(self) -> str:
        """A word for it, which settings and tests use."""

    def rank(self, ranked: Ranked, asked: Asked, k: int) -> Ranked:
        """The candidates, more than the `k` that will make the list, in another order or fewer of them.

        What stands behind the first `k` may come into the list by a later stage. A list is cut to `k` after the last
        one, and no longer than what is left.
        """


MakeStage = Callable[[ListSettings], Stage | None]
"""Makes the stage that settings ask for; None: they do not."""
