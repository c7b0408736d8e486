"""Everything that a partition's fold counts, under one roof: what is saved with its state, and what is not."""

from collections.abc import Mapping
from typing import Final

from tables.partition import PartitionState

TYPE, HITS, TESTS = "types.", "hits.", "tests"
"""Beginnings of the names of events by type and of hits by source, and the name of the tests that these are hits of."""

DEPTH: Final = 10
"""Down to which place of a list an item is a hit."""


class FoldCounts:
    """The counters of a partition's fold by name, as they are whenever they are asked for."""

    def __init__(self, state: PartitionState) -> None:
        self._state = state

    @property
    def counts(self) -> Mapping[str, int]:
        """Those of `tables.marker.Metrics`, events by type, tests of the fold's own lists and their hits by source."""
        prequential = self._state.evaluator.prequential
        return {
            **self._state.metrics.counts,
            **{f"{TYPE}{name}": n for name, n in self._state.n_of_type.items()},
            TESTS: prequential.n,
            **{f"{HITS}{source}": hits for source, (hits, _) in prequential.hits.items()},
        }
