"""Counts by type and window: by the kernel of the fold, and in plain Python."""

import numpy as np

from models import window_kernels
from models.rows import RowPool
from models.window_kernels import BUCKET_BITS, BUCKET_MASK, TRIM_EVERY
from models.windows import WINDOWS
from tables.windows import WindowCounts


class Counted:
    """Counts in rows, as the fold holds them."""

    def __init__(self) -> None:
        self.totals, self.buckets = RowPool(np.uint64, np.uint64), RowPool(np.uint64, np.uint32)

    def add(self, row: int, kind: int, time_ms: int, as_of_ms: int, late: bool = False) -> None:
        """Count one event, with room for it."""
        for pool in (self.totals, self.buckets):
            pool.grow(row + 1)
            pool.spare(4 * int(pool.length.max()) + 64)
        totals, buckets = self.totals.arrays(), self.buckets.arrays()
        window_kernels.count_event(totals, buckets, row, kind, time_ms, as_of_ms, late)

    def put(self, row: int, counts: WindowCounts) -> None:
        """Replace a row."""
        self.totals.set_row(row, *counts.columns(counts.totals))
        self.buckets.set_row(row, *counts.columns(counts.buckets))

    def of(self, row: int) -> WindowCounts:
        """A row's counts."""
        counts = WindowCounts()
        counts.totals = dict(zip(*(each.tolist() for each in self.totals.row(row)), strict=True))
        counts.buckets = dict(zip(*(each.tolist() for each in self.buckets.row(row)), strict=True))
        return counts


def count(counts: WindowCounts, kind: int, time_ms: int, as_of_ms: int, late: bool = False) -> None:
    """Count one event, plainly; a late one counts in the total only.

    It goes into the bucket of every window that it is still in. When that makes the 32nd, 64th ... bucket, all that are
    out of their window go.
    """
    counts.totals[kind] = counts.totals.get(kind, 0) + 1
    floors = [as_of_ms // window.step_ms - window.n_buckets for window in WINDOWS]
    for index, window in enumerate(WINDOWS):
        bucket = time_ms // window.step_ms
        if late or bucket <= floors[index]:
            continue
        code = (kind << 2 | index) << BUCKET_BITS | bucket
        is_new = code not in counts.buckets
        counts.buckets[code] = counts.buckets.get(code, 0) + 1
        if is_new and len(counts.buckets) % TRIM_EVERY == 0:
            alive = {key: n for key, n in counts.buckets.items() if key & BUCKET_MASK > floors[key >> BUCKET_BITS & 3]}
            counts.buckets = alive
