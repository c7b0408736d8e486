"""What stands between candidates and a list: the items that each source proposes, with its scores."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Proposals(NamedTuple):
    """Items and scores per source, best first; `counts` says how many of each row are proposals.

    Scores have the source's own unit. They are positive and in proportion to how likely the source holds an item to be
    next, so that a row divided by its sum is a distribution over what was proposed.
    """

    items: npt.NDArray[np.int32]  # (n_sources, depth): item numbers
    scores: npt.NDArray[np.float64]  # (n_sources, depth)
    counts: npt.NDArray[np.int64]  # (n_sources,)

    def rows(self, first: int, n: int) -> "Proposals":
        """The rows of some sources, to be written to."""
        part = slice(first, first + n)
        return Proposals(self.items[part], self.scores[part], self.counts[part])


class Ranked(NamedTuple):
    """The best of all proposals: `n` items by (-score, key), whose proposals they are, and the source that gave most.

    `places[i, s]` is the rank of item i among the proposals of source s, from 0; -1 if s did not propose it.
    """

    n: int
    items: npt.NDArray[np.int32]  # (n,)
    scores: npt.NDArray[np.float64]  # (n,)
    sources: npt.NDArray[np.int32]  # (n,)
    places: npt.NDArray[np.int32]  # (n, n_sources)

    def reordered(self, order: npt.NDArray[np.intp]) -> "Ranked":
        """The items at some places, each once, in that order; scores stay with the places, so that they fall."""
        n = len(order)
        return Ranked(n, self.items[order], self.scores[:n], self.sources[order], self.places[order])

    def first(self, n: int) -> "Ranked":
        """The first `n` items, or all if there are fewer."""
        return Ranked(min(n, self.n), self.items[:n], self.scores[:n], self.sources[:n], self.places[:n])


def space_for(n_sources: int, depth: int) -> Proposals:
    """A table without proposals."""
    shape = n_sources, depth
    return Proposals(np.zeros(shape, np.int32), np.zeros(shape, np.float64), np.zeros(n_sources, np.int64))
