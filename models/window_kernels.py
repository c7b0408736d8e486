"""Compiled counting in event-time windows: totals by event type, and buckets by (event type, window, bucket number).

A bucket's code is `(type << 2 | window) << 40 | bucket number`. Buckets that are out of their window are dropped
whenever the number of buckets grows to a multiple of `TRIM_EVERY`, so what is kept is a function of the events alone.
"""

from typing import Any

import numpy as np

from models.compiled import lean
from models.rows import RowArrays, count_up
from models.windows import WINDOWS

Array = Any  # numpy arrays; numba's signatures say the dtypes

TRIM_EVERY = 32
BUCKET_BITS = 40
BUCKET_MASK = (1 << BUCKET_BITS) - 1
STEPS_MS = np.array([window.step_ms for window in WINDOWS], np.int64)
N_BUCKETS = np.array([window.n_buckets for window in WINDOWS], np.int64)


@lean(cache=True, nogil=True)
def trim(buckets: RowArrays, row: int, as_of_ms: int) -> None:
    """Drop the buckets that are out of their window as of a time; the others keep their order."""
    keys, values, first = buckets.keys, buckets.values, buckets.start[row]
    kept = 0
    for position in range(first, first + buckets.length[row]):
        code = np.int64(keys[position])
        window = code >> BUCKET_BITS & 3
        if (code & BUCKET_MASK) > as_of_ms // STEPS_MS[window] - N_BUCKETS[window]:
            keys[first + kept] = keys[position]
            values[first + kept] = values[position]
            kept += 1
    buckets.length[row] = kept


@lean(cache=True, nogil=True)
def count_event(
    totals: RowArrays, buckets: RowArrays, row: int, kind: int, time_ms: int, as_of_ms: int, late: bool
) -> None:
    """Count one event in its type's total and in every window it is still in as of a time; a late one in the total."""
    first = totals.start[row]
    place = last_of(totals.keys[first : first + totals.length[row]], np.uint64(kind))
    if place >= 0:
        totals.values[first + place] += 1
    else:
        count_up(totals, row, np.uint64(kind))
    if late:
        return
    for window in range(STEPS_MS.shape[0]):
        bucket = time_ms // STEPS_MS[window]
        if bucket <= as_of_ms // STEPS_MS[window] - N_BUCKETS[window]:
            continue
        code = np.uint64((kind << 2 | window) << BUCKET_BITS | (bucket & BUCKET_MASK))
        first = buckets.start[row]
        place = last_of(buckets.keys[first : first + buckets.length[row]], code)
        if place >= 0:
            buckets.values[first + place] += 1
        elif count_up(buckets, row, code) and buckets.length[row] % TRIM_EVERY == 0:
            trim(buckets, row, as_of_ms)


@lean(cache=True, nogil=True)
def last_of(keys: Array, key: np.uint64) -> int:
    """The last place of a key, -1 if it is not there: the newest buckets stand at the end."""
    for back in range(keys.shape[0]):
        if keys[keys.shape[0] - 1 - back] == key:
            return int(keys.shape[0] - 1 - back)
    return -1
