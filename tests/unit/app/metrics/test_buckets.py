"""Cumulative buckets out of the finer ones."""

import math

import numpy as np
import pytest

from app.metrics.buckets import BOUNDS_S, cumulative
from app.worker.latency import Histogram


def test_counts_are_those_of_the_times() -> None:
    """Up to each bound at most as many as there are, and as many as lie 5 % below; all of them up to infinity."""
    times_ms = np.random.default_rng(7).lognormal(3.0, 2.0, 5000)
    histogram = Histogram()
    for ms in times_ms:
        histogram.add(float(ms))

    buckets, total_s = cumulative(histogram.counts)

    assert [float(bound) for bound, _ in buckets] == [*BOUNDS_S, math.inf]
    for (_, n), bound_s in zip(buckets, BOUNDS_S, strict=False):
        bound_ms = 1000 * bound_s * (1 + 1e-9)
        assert int(np.sum(times_ms <= bound_ms / 1.05)) <= n <= int(np.sum(times_ms <= bound_ms))
    assert buckets[-1] == ("+Inf", 5000.0)
    assert total_s == pytest.approx(float(times_ms.sum()) / 1000, rel=0.025)


def test_nothing_counted() -> None:
    """All zero, the sum too."""
    buckets, total_s = cumulative(Histogram().counts)
    assert {n for _, n in buckets} == {0.0} and total_s == 0.0
