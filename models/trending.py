"""Trending: exponentially decayed counts per window, and zero once a whole window has passed without an event.

A count halves every half window, in steps of the window's buckets. The factors are made by repeated multiplication, so
the same events give the same bits on every machine (no `exp` in the state).
"""

import numpy as np
import numpy.typing as npt

from models.arrays import longer
from models.compiled import lean
from models.kernels import Array
from models.windows import TRENDING_WINDOWS, Window

HALF_LIVES_PER_WINDOW = 2
NEARLY_NOTHING = 1e-9  # what rounding leaves of a count that is taken back
STEPS_MS = np.array([window.step_ms for window in TRENDING_WINDOWS], np.int64)
N_BUCKETS = np.array([window.n_buckets for window in TRENDING_WINDOWS], np.int64)


def decay_factors(window: Window) -> npt.NDArray[np.float64]:
    """Factor by age in buckets, shape (n_buckets + 1,), float64; the last one, for a whole window or more, is 0."""
    per_bucket = 0.5 ** (HALF_LIVES_PER_WINDOW / window.n_buckets)
    factors = np.ones(window.n_buckets + 1, np.float64)
    for age in range(1, window.n_buckets):
        factors[age] = factors[age - 1] * per_bucket
    factors[-1] = 0.0
    return factors


@lean(cache=True, nogil=True)
def count(
    values: Array,
    buckets: Array,
    decay: Array,
    n_buckets: Array,
    steps: Array,
    slot: int,
    weight: float,
    time_ms: int,
    before_ms: int,
) -> None:
    """Count one event of a slot in every window; an event older than the last one is decayed to that one's time.

    `before_ms` is the time of the same user's event before, 0 for none: who has been counted in a bucket, or in a later
    one, is not counted in it again.
    """
    for window in range(steps.shape[0]):
        bucket = time_ms // steps[window]
        if before_ms > 0 and bucket <= before_ms // steps[window]:
            continue
        age = bucket - buckets[slot, window]
        if age >= 0:
            values[slot, window] = values[slot, window] * decay[window, min(age, n_buckets[window])] + weight
            buckets[slot, window] = bucket
        else:
            values[slot, window] += weight * decay[window, min(-age, n_buckets[window])]


@lean(cache=True, nogil=True)
def take_back(
    values: Array, buckets: Array, decay: Array, n_buckets: Array, steps: Array, slot: int, weight: float, time_ms: int
) -> None:
    """Take one counted event back, what is left of it, in every window; nothing goes below zero."""
    for window in range(steps.shape[0]):
        age = max(0, buckets[slot, window] - time_ms // steps[window])
        left = values[slot, window] - weight * decay[window, min(age, n_buckets[window])]
        values[slot, window] = left if left > NEARLY_NOTHING else 0.0


class Trending:
    """Decayed counts of every slot for the windows 1h, 1d and 7d.

    `value[slot, w]` is the count as of bucket `bucket[slot, w]` of window w; both have shape (n_slots, 3).
    """

    def __init__(self) -> None:
        self.value: npt.NDArray[np.float64] = np.zeros((64, len(TRENDING_WINDOWS)), np.float64)
        self.bucket: npt.NDArray[np.int64] = np.zeros((64, len(TRENDING_WINDOWS)), np.int64)
        self._factors = [decay_factors(window) for window in TRENDING_WINDOWS]
        self.decay = np.zeros((len(self._factors), max(map(len, self._factors))), np.float64)
        for row, factors in zip(self.decay, self._factors, strict=True):
            row[: len(factors)] = factors

    def scores(self, window_index: int, as_of_ms: int, n_slots: int) -> npt.NDArray[np.float64]:
        """Scores of the first `n_slots` slots as of a time, shape (n_slots,); 0 where the window is empty."""
        factors = self._factors[window_index]
        now = as_of_ms // TRENDING_WINDOWS[window_index].step_ms
        self.grow(n_slots)
        age = np.clip(now - self.bucket[:n_slots, window_index], 0, len(factors) - 1)
        scores: npt.NDArray[np.float64] = self.value[:n_slots, window_index] * factors[age]
        return scores

    def clear(self, slot: int) -> None:
        """Forget a slot."""
        self.value[slot] = 0.0
        self.bucket[slot] = 0

    def grow(self, n_slots: int) -> None:
        """Make room for slots up to `n_slots`."""
        if n_slots > len(self.value):
            size = max(n_slots, 2 * len(self.value))
            self.value = longer(self.value, size)
            self.bucket = longer(self.bucket, size)
