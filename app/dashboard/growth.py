"""Counters of all workers together, which only grow, whichever worker restarts, comes or goes."""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from app.dashboard.workers import Worker

COUNTING: Final = ("_total", "_bucket", "_sum", "_count")
FINE_S: Final = 90.0
COARSE_S: Final = 10.0

Sample = tuple[str, tuple[str, ...]]
Totals = Mapping[Sample, float]


class Growth:
    """What counters have grown by since each worker was first seen."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[Sample, float]] = {}
        self._totals: dict[Sample, float] = {}

    def take(self, workers: Iterable[Worker]) -> Totals:
        """Add what has come since the last time; a counter that fell has begun anew at 0."""
        present = set()
        for worker in workers:
            present.add(worker.address)
            if worker.error is not None:
                continue
            now = {
                (name, labels): value
                for name, by_labels in worker.samples.items()
                if name.endswith(COUNTING)
                for labels, value in by_labels.items()
            }
            seen = self._seen.get(worker.address)
            for sample, value in now.items():
                before = value if seen is None else seen.get(sample, 0.0)
                grown = value - before if value >= before else value
                self._totals[sample] = self._totals.get(sample, 0.0) + grown
            self._seen[worker.address] = now
        for gone in self._seen.keys() - present:
            del self._seen[gone]
        return dict(self._totals)


class Window:
    """Totals of the last while: of each moment for a minute and a half, of one in ten seconds before that.

    Parameters
    ----------
    length_s
        How long they are kept.
    """

    def __init__(self, length_s: float) -> None:
        self._length_s = length_s
        self._fine: deque[tuple[float, Totals]] = deque()
        self._coarse: deque[tuple[float, Totals]] = deque()

    def add(self, at_s: float, totals: Totals) -> None:
        """Take the totals of a moment, later than all before."""
        self._fine.append((at_s, totals))
        if not self._coarse or at_s - self._coarse[-1][0] >= COARSE_S:
            self._coarse.append((at_s, totals))
        for kept, length_s in ((self._fine, FINE_S), (self._coarse, self._length_s + COARSE_S)):
            while kept[0][0] < at_s - length_s:
                kept.popleft()

    def since(self, seconds: float) -> tuple[float, Totals, Totals] | None:
        """Seconds, totals before and totals now, as far back as asked for or known; None: nothing to compare with."""
        kept = self._fine if seconds < FINE_S else self._coarse
        if not kept:
            return None
        at_s, now = self._fine[-1]
        before_s, before = next((each for each in reversed(kept) if each[0] <= at_s - seconds), kept[0])
        return (at_s - before_s, before, now) if at_s > before_s else None


def grown(name: str, before: Totals, now: Totals) -> float:
    """What all series of a name have grown by together."""
    return sum(value - before.get(sample, 0.0) for sample, value in now.items() if sample[0] == name)


def grown_by(name: str, before: Totals, now: Totals) -> dict[tuple[str, ...], float]:
    """What each series of a name has grown by."""
    return {labels: value - before.get((found, labels), 0.0) for (found, labels), value in now.items() if found == name}
