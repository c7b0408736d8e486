"""Counters of the fold since the process started.

The fold's own counters are saved with its state: they go back with it after a crash, and on with it to other workers,
and Prometheus would take either for events. So what they grow by is summed up here, while a partition is owned.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol


class Counting(Protocol):
    """What is asked of a partition's state."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Its counters by name."""


class SinceStart:
    """What counters of partitions have grown by while they were owned here."""

    def __init__(self) -> None:
        self._owned: dict[int, Counting] = {}
        self._seen: dict[int, dict[str, int]] = {}
        self._grown: dict[int, Counter[str]] = {}

    def own(self, partitions: Iterable[tuple[int, Counting]]) -> None:
        """Follow these partitions from now on, and no others; from what they have counted so far."""
        self.look()
        self._owned = dict(partitions)
        self._seen = {number: dict(counting.counts) for number, counting in self._owned.items()}
        for number in self._owned:
            self._grown.setdefault(number, Counter())

    def look(self) -> Mapping[int, Counter[str]]:
        """What each partition's counters have grown by, of those owned now or before."""
        for number, counting in self._owned.items():
            seen, grown = self._seen[number], self._grown[number]
            for name, n in counting.counts.items():
                grown[name] += n - seen.get(name, 0)
                seen[name] = n
        return self._grown
