"""Everything that a partition's fold counts, under one roof: what is saved with its state, and what is not."""

from collections.abc import Mapping
from typing import Final

from tables.partition import PartitionState

TYPE, TESTS = "types.", "tests"
"""Beginning of the names of events by type, and the name of the tests of the fold's own lists."""

DEPTHS: Final = (10, 20)
"""Down to which places of a list an item is a hit."""


class FoldCounts:
    """The counters of a partition's fold by name, as they are whenever they are asked for."""

    def __init__(self, state: PartitionState) -> None:
        self._state = state

    @property
    def counts(self) -> Mapping[str, int]:
        """Those of `tables.marker.Metrics`, events by type, tests of the fold's own lists and its hits (`hits_of`)."""
        prequential = self._state.evaluator.prequential
        return {
            **self._state.metrics.counts,
            **{f"{TYPE}{name}": n for name, n in self._state.n_of_type.items()},
            TESTS: prequential.n,
            **{
                hits_of(name, depth): n
                for name, hits in prequential.hits.items()
                for depth, n in zip(DEPTHS, hits, strict=True)
            },
        }


def hits_of(name: str, depth: int) -> str:
    """The name of a list's hits down to a depth."""
    return f"hits.{name}.{depth}"
