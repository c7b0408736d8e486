"""Histograms of latency as Prometheus has them: counted up to bounds, in seconds."""

import math
from collections.abc import Sequence
from typing import Final

from app.worker.latency import LEAST_MS, N_BUCKETS, STEP

BOUNDS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


_ENDS_S: Final = tuple(LEAST_MS / 1000 * math.exp(bucket * STEP) for bucket in range(N_BUCKETS))


def cumulative(counts: Sequence[int]) -> tuple[list[tuple[str, float]], float]:
    """The counts up to each bound and up to infinity, and the sum of all times in seconds.

    Parameters
    ----------
    counts
        By bucket of `app.worker.latency.Histogram`. Those are 5 % wide: what lies in the one around a bound counts
        above it, and the sum is of their middles, so it is right within 2.5 %.
    """
    total_s = sum(n * end_s for n, end_s in zip(counts, _ENDS_S, strict=True) if n) * math.exp(-STEP / 2)
    buckets, n_below, bucket = [], 0, 0
    for bound_s in BOUNDS_S:
        while bucket < len(counts) and _ENDS_S[bucket] <= bound_s:
            n_below += counts[bucket]
            bucket += 1
        buckets.append((f"{bound_s:g}", float(n_below)))
    return [*buckets, ("+Inf", float(sum(counts)))], total_s
