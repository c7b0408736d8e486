"""The filler as stages see it: items behind those that the blend has ranked, scored below them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.list_filler import still_free
from models.proposals import Ranked
from tables.sources.source import Asked
from tables.view import Filler


class Behind:
    """Puts the filler behind ranked items, as `ItemView.fill` would put it behind a list.

    Parameters
    ----------
    names
        Of the sources of the blend.

    Attributes
    ----------
    labels
        Names of `Ranked.sources` with the filler behind: those of the blend, then what else the filler comes from.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._filler: Filler | None = None
        self._translate(Filler(()))

    def _translate(self, filler: Filler) -> None:
        if filler is self._filler:
            return
        self._filler = filler
        self.labels = [*dict.fromkeys([*self._names, *(source for _, _, source in filler.items)])]
        numbers = {name: number for number, name in enumerate(self.labels)}
        self._items = np.array([item for item, _, _ in filler.items], np.int32)
        self._scores = np.array([score for _, score, _ in filler.items], np.float64)
        self._sources = np.array([numbers[source] for _, _, source in filler.items], np.int32)

    def rank(self, ranked: Ranked, asked: Asked, place_of: npt.NDArray[np.int32], most: int) -> Ranked:
        """Ranked items, and behind them the first of the filler that the user may get, up to so many.

        `place_of`, by item number, is scratch: full of -1, and left so.

        No source of the blend has proposed the filler's items, as far as this list knows.
        """
        self._translate(asked.filler)
        view, free = asked.view, np.empty(min(most, len(self._items)), np.intp)
        n = still_free(self._items, ranked.items, view.allowed, view.hashes, asked.seen, place_of, free)
        if n == 0:
            return ranked
        free = free[:n]
        scale = ranked.scores[-1] / self._scores[0] if ranked.n else 1.0
        return Ranked(
            ranked.n + n,
            np.concatenate((ranked.items, self._items[free])),
            np.concatenate((ranked.scores, scale * self._scores[free])),
            np.concatenate((ranked.sources, self._sources[free])),
            np.concatenate((ranked.places, np.full((n, ranked.places.shape[1]), -1, np.int32))),
        )
