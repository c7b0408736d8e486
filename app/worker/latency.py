"""How long events take from the log to the list in Redis, by stage, and how long the event loop stands still.

The first three stages count events, the others lists.

broker   appended to the log -> fetched by this worker (wall clocks of broker and worker), the first of its chunk
queue    fetched -> its turn in the fold
fold     the slice of events that it was folded with
list     folded -> its user's list made
redis    list made -> acknowledged by Redis
total    appended to the log -> its user's list acknowledged by Redis
"""

import asyncio
import math
import time
from collections.abc import Mapping, Sequence

STAGES = ("broker", "queue", "fold", "list", "redis", "total")
LEAST_MS = 0.01
STEP = math.log(1.05)  # buckets 5 % wide
N_BUCKETS = 400  # up to some hours
STALL_POLL_S = 0.002


class Histogram:
    """Counts by time, in buckets 5 % wide."""

    def __init__(self) -> None:
        self.n = 0
        self._counts = [0] * N_BUCKETS

    def add(self, ms: float, n: int = 1) -> None:
        """Count a time, `n` times over."""
        bucket = 0 if ms <= LEAST_MS else min(N_BUCKETS - 1, int(math.log(ms / LEAST_MS) / STEP) + 1)
        self._counts[bucket] += n
        self.n += n

    @property
    def counts(self) -> Sequence[int]:
        """How many times were counted, by bucket: bucket b ends at `LEAST_MS * exp(b * STEP)`, ms."""
        return self._counts

    def percentile(self, percent: float) -> float | None:
        """Upper end of the bucket that holds the percentile, ms; None without counts."""
        if not self.n:
            return None
        rest = self.n * percent / 100
        for bucket, n in enumerate(self._counts):
            rest -= n
            if rest <= 0:
                return round(LEAST_MS * math.exp(bucket * STEP), 3)
        return None


class Latency:
    """Histograms of all stages since the worker started, and the longest stall of the event loop."""

    def __init__(self) -> None:
        self._stages = {stage: Histogram() for stage in STAGES}
        self._stall_ms = 0.0

    def add(self, stage: str, ms: float, n: int = 1) -> None:
        """Count `n` events that took so long in a stage."""
        self._stages[stage].add(max(0.0, ms), n)

    @property
    def stages(self) -> Mapping[str, Histogram]:
        """The histogram of each stage."""
        return self._stages

    def as_json(self) -> dict[str, dict[str, float | int | None]]:
        """p50, p95, p99 (ms) and the number of events or lists, per stage."""
        return {
            stage: {"n": times.n, **{f"p{percent}_ms": times.percentile(percent) for percent in (50, 95, 99)}}
            for stage, times in self._stages.items()
        }

    def take_stall_ms(self) -> float:
        """The longest time that the event loop stood still since the last call."""
        stall_ms, self._stall_ms = self._stall_ms, 0.0
        return round(stall_ms, 2)

    async def watch(self) -> None:
        """Measure stalls for ever: how much later than asked for a short sleep ends."""
        before = time.perf_counter()
        while True:
            await asyncio.sleep(STALL_POLL_S)
            now = time.perf_counter()
            self._stall_ms = max(self._stall_ms, 1000 * (now - before - STALL_POLL_S))
            before = now
