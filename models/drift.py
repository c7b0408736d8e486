"""When a hit rate is not any more what it was: ADWIN (Bifet and Gavalda 2007, doi:10.1137/1.9781611972771.42).

River's ADWIN says that the rate changed, and that is all that is taken from it. At an alarm its estimate is still
mostly that of the old world (.19, where a rate fell from .2 to .1), because it lets go of what is old bucket by bucket;
and at the next test it begins anew, its number of detections included. So rates, counts and the place of the change
are kept here.
"""

from collections import deque
from typing import Final, NamedTuple

import numpy as np
from river.drift import ADWIN
from river.stats import Mean
from river.utils import Rolling

RECENT: Final = 1000
"""Tests of the running rate."""

MAX_KEPT: Final = 10_000
LEAST_SIDE: Final = 32


class Drift(NamedTuple):
    """A rate that changed: how many tests there were when that was noticed, the rates before and since."""

    at_test: int
    before: float
    now: float
    n_now: int
    """Tests that `now` is over; an alarm comes early, so often a few hundred."""

    def __str__(self) -> str:
        verb = "rose" if self.now > self.before else "fell"
        since = f"over the last {self.n_now} tests, noticed at test {self.at_test}"
        return f"{verb} from {self.before:.3f} to {self.now:.3f} {since}"


class DriftWatch:
    """Watches outcomes, each a hit or none: the rate of the last ones, and alarms. Two microseconds per test.

    The rates of a drift are means over tests on either side of its most likely place, which is the split of the tests
    since the last drift (the newest `MAX_KEPT`) with the greatest n_1 n_2 / (n_1 + n_2) (mean_1 - mean_2)^2. It is
    bounded: 10,000 outcomes, and ADWIN's buckets, whose number grows with the logarithm of the tests.

    Attributes
    ----------
    n
        Tests.
    n_drifts, last
        Drifts, and the last of them.
    """

    def __init__(self) -> None:
        self.n = 0
        self.n_drifts = 0
        self.last: Drift | None = None
        self._adwin = ADWIN()
        self._recent = Rolling(Mean, window_size=RECENT)
        self._kept: deque[bool] = deque()
        self._n_older = self._older_hits = 0  # of this world, but no longer kept

    @property
    def n_recent(self) -> int:
        """Tests that `recent` is over."""
        return len(self._recent.window)

    @property
    def recent(self) -> float:
        """The hit rate of the last tests; 0 without tests."""
        return float(self._recent.obj.get())

    def add(self, hit: bool) -> Drift | None:
        """Take one outcome; returns what changed, if it is noticed now."""
        self.n += 1
        self._recent.update(hit)
        if len(self._kept) == MAX_KEPT:
            self._n_older += 1
            self._older_hits += self._kept.popleft()
        self._kept.append(hit)
        self._adwin.update(hit)
        if not self._adwin.drift_detected:
            return None
        self.n_drifts += 1
        self.last = self._split()
        return self.last

    def _split(self) -> Drift:
        """Find where the rate changed, and forget what was before."""
        hits = np.cumsum(np.array(self._kept, np.int64))
        n_before = np.arange(1, len(hits) + 1) + self._n_older
        before, total = hits + self._older_hits, int(hits[-1]) + self._older_hits
        n_now = n_before[-1] - n_before
        gap = before / n_before - (total - before) / np.maximum(n_now, 1)
        weighed = np.where((n_now >= LEAST_SIDE) & (n_before >= LEAST_SIDE), n_before * n_now * gap * gap, -1.0)
        at = int(np.argmax(weighed))
        after = int(n_now[at])
        drift = Drift(self.n, float(before[at] / n_before[at]), float((total - before[at]) / max(after, 1)), after)
        self._kept = deque(list(self._kept)[at + 1 :])
        self._n_older = self._older_hits = 0
        return drift
