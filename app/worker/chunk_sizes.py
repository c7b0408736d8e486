"""How many records the chunks hold that a worker is handed: few while it keeps up, many behind a backlog."""

from itertools import accumulate
from typing import Final

BOUNDS: Final = tuple(2**power for power in range(14))
"""Records, up to which a chunk counts in each bucket; more than the last in none of them."""


class ChunkSizes:
    """Counts of chunks by the number of their records, exact at powers of two."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self._n_records = 0

    def add(self, n: int) -> None:
        """Count a chunk of at least one record."""
        self._counts[min(len(BOUNDS), (n - 1).bit_length())] += 1
        self._n_records += n

    def cumulative(self) -> tuple[list[tuple[str, float]], float]:
        """Chunks of up to so many records, by bound and up to infinity, and the records of all.

        >>> sizes = ChunkSizes()
        >>> for n in (1, 3, 4, 20_000):
        ...     sizes.add(n)
        >>> buckets, total = sizes.cumulative()
        >>> [buckets[place] for place in (0, 1, 2, -2, -1)], total
        ([('1', 1.0), ('2', 1.0), ('4', 3.0), ('8192', 3.0), ('+Inf', 4.0)], 20008.0)
        """
        names = (*map(str, BOUNDS), "+Inf")
        counts = map(float, accumulate(self._counts))
        return list(zip(names, counts, strict=True)), float(self._n_records)
