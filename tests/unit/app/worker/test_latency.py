"""Histograms of latency: percentiles within a bucket, and what each stage counts."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from app.worker.latency import LEAST_MS, STAGES, Histogram, Latency
from app.worker.outputs import WorkerOutputs
from app.worker.watchdog import Pulse
from tests.unit.app.worker.test_publishers import Stage


@pytest.mark.parametrize("percent", [1, 50, 95, 99, 100])
def test_percentiles_are_within_a_bucket(percent: int) -> None:
    """At most 5 % above the true one, never below."""
    times = np.random.default_rng(4).lognormal(2.0, 1.5, 5000)
    histogram = Histogram()
    for ms in times:
        histogram.add(float(ms))

    found = histogram.percentile(percent)
    true = float(np.percentile(times, percent, method="inverted_cdf"))
    assert found is not None and true <= found * 1.0001 and found <= 1.051 * true


def test_times_beyond_the_buckets() -> None:
    """Nothing measured, nothing said; no time at all is the least; weeks are the most."""
    histogram = Histogram()
    assert histogram.percentile(50) is None
    histogram.add(0.0, 3)
    assert histogram.percentile(50) == LEAST_MS
    histogram.add(1e12, 7)
    assert histogram.n == 10 and (histogram.percentile(99) or 0.0) > 1e5


def test_events_weigh_alike_however_they_came() -> None:
    """A slice of many waited for its turn as many times; a list counts once, from its first event on."""
    stage, latency = Stage(), Latency()
    stage.lists._latency = latency
    stage.partition.unpublished.clear()
    ownership: Any = SimpleNamespace(owned={0: stage.partition}, generation=3, settings=stage.lists._settings)
    outputs = WorkerOutputs(ownership, cast(Any, None), stage.lists, Pulse(), latency)
    now_ms = int(time.time() * 1000)
    for n, waited_s, users in ((90, 1.0, {"u1": now_ms - 5000, "u2": now_ms - 5000}), (10, 0.0, {"u1": now_ms})):
        assert outputs.partition(0, 3, time.perf_counter() - waited_s) is stage.partition
        outputs.touched(stage.partition, users, [cast(Any, None)] * n)
    asyncio.run(stage.lists._round())

    found = latency.as_json()
    assert found.keys() == set(STAGES)
    assert {name: each["n"] for name, each in found.items()} == {
        "broker": 0,
        "queue": 100,
        "fold": 100,
        "list": 2,
        "redis": 2,
        "total": 2,
    }
    assert 1000.0 <= (found["queue"]["p50_ms"] or 0.0) <= 1100.0
    assert (found["total"]["p50_ms"] or 0.0) >= 5000.0


def test_a_stall_is_told_once() -> None:
    """The longest since it was asked for last."""

    async def run() -> tuple[float, float]:
        latency = Latency()
        watching = asyncio.create_task(latency.watch())
        await asyncio.sleep(0.01)
        latency.take_stall_ms()
        time.sleep(0.05)  # noqa: ASYNC251 what is to be noticed
        await asyncio.sleep(0.01)
        watching.cancel()
        return latency.take_stall_ms(), latency.take_stall_ms()

    first, second = asyncio.run(run())
    assert first >= 45.0 and second == 0.0
