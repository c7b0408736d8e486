"""The list of those of whom nothing is known: what trends and what is popular, weighed as newcomers' events teach.

The first positive event of each user is what became of that list; where all turn to what trends, trends weigh more, and
in a shop of steady goods popularity does. The same list is the default one, and stands behind everybody's own.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from models.blend import BLENDS
from models.blend_weights import BlendWeights, Served
from models.proposals import space_for
from models.source_names import POPULARITY, TRENDING
from models.windows import TRENDING_WINDOWS
from tables.list_settings import LEARNED
from tables.view import Filler, ItemView

NAMES: Final = (TRENDING, POPULARITY)
START: Final = (0.8, 0.4)
DEPTH: Final = 100
"""Items of each that are weighed against the other's; behind them stands what else trends, then what is popular."""

WIDEST: Final = len(TRENDING_WINDOWS) - 1


class Newcomers:
    """Makes the filler of lists, and learns what newcomers want of it.

    Parameters
    ----------
    learns
        Whether weights change; else they stay as they are at the start.
    """

    def __init__(self, *, learns: bool = True) -> None:
        self.weights = BlendWeights(NAMES, START)
        self._learns = learns
        self._served: Served | None = None

    def filler(self, view: ItemView, as_of_ms: int, k: int) -> Filler:
        """Up to `k` items that trend in the widest window and `2 k` popular ones, best first; the first has score 1."""
        popular = view.popular(2 * k)
        by_source = (
            view.trending(WIDEST, as_of_ms, k),
            list(zip(popular.items.tolist(), popular.scores.tolist(), strict=True)),
        )
        proposals = space_for(len(NAMES), DEPTH)
        for row, ranked in enumerate(by_source):
            proposals.counts[row] = min(len(ranked), DEPTH)
            for place, (item, score) in enumerate(ranked[:DEPTH]):
                proposals.items[row, place], proposals.scores[row, place] = item, score
        if self._learns:
            self._served = self.weights.served(proposals, view.hashes, 0)
        place_of = np.full(max(1, len(view.ids)), -1, np.int32)
        head = BLENDS[LEARNED].rank(proposals, self.weights.values[0], view.keys, place_of, len(NAMES) * DEPTH)
        best = float(head.scores[0]) if head.n else 1.0
        columns = head.items.tolist(), head.scores.tolist(), head.sources.tolist()
        items = [(item, score / best, NAMES[source]) for item, score, source in zip(*columns, strict=True)]
        taken = {item for item, _, _ in items}
        for name, ranked in zip(NAMES, by_source, strict=True):
            rest = [(item, score) for item, score in ranked if item not in taken]
            scale = (items[-1][1] if items else 1.0) / rest[0][1] if rest else 1.0
            items += [(item, scale * score, name) for item, score in rest]
            taken.update(item for item, _ in rest)
        return Filler(items, popular)

    def learn(self, item_hash: int) -> bool:
        """Learn from what a newcomer took, by the list made last; whether anything was."""
        return self._served is not None and self.weights.learn(self._served, item_hash)

    def as_json(self) -> dict[str, Any]:
        """The weights, to be stored and looked at."""
        return self.weights.as_json() if self._learns else {}

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Take over stored weights that more outcomes have been learned into than into these."""
        if self._learns and stored and stored["n"] > self.weights.n_learned:
            self.weights.restore(stored)
