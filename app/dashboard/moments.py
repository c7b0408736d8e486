"""One moment of the stream in numbers, as charts and cards show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.dashboard.growth import Window, grown, grown_by
from app.dashboard.workers import Worker
from app.metrics.read import quantile

STAGES: Final = ("broker", "queue", "fold", "list", "redis", "total")
RATE_S: Final = 5.0
LATENCY_S: Final = 60.0
QUALITY_S: Final = 300.0
LEAST_TESTS: Final = 20
LIST, POPULARITY = "list", "popularity"


@dataclass(frozen=True, slots=True)
class Moment:
    """What holds at one moment; None where nothing is known.

    Parameters
    ----------
    at_ms
        Unix time.
    events_per_s, lists_per_s, dead_per_s, intake_per_s
        Over the last 5 s, of all workers.
    lag
        Records that wait.
    users
        In the state of all partitions.
    stages_ms
        p50 and p99 by stage over the last minute; `total` is event to list.
    checkpoint_ms, checkpoint_bytes
        Of the last minute's checkpoints, the mean.
    live_rate
        Hit rate at 10 of published lists, weighed by the workers' tests.
    rates
        Hit rate at 10 by list, over the tests of the last five minutes.
    weights
        Of the blend, by source, for users with the longest history.
    """

    at_ms: int
    events_per_s: float | None = None
    lists_per_s: float | None = None
    dead_per_s: float | None = None
    intake_per_s: float | None = None
    lag: float | None = None
    users: float | None = None
    stages_ms: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    checkpoint_ms: float | None = None
    checkpoint_bytes: float | None = None
    live_rate: float | None = None
    rates: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def fresh_ms(self) -> tuple[float, float] | None:
        """Event to list, p50 and p99."""
        return self.stages_ms.get("total")


def moment_of(at_ms: int, workers: Sequence[Worker], window: Window) -> Moment:
    """The moment that workers and what their counters have grown by make."""
    answering = [worker for worker in workers if worker.error is None]
    if not answering:
        return Moment(at_ms)
    rates, checkpoints = _rates(window), _checkpoints(window)
    return Moment(
        at_ms,
        events_per_s=rates.get("freshet_events_total"),
        lists_per_s=rates.get("freshet_lists_published_total"),
        dead_per_s=rates.get("freshet_dead_letters_total"),
        intake_per_s=rates.get("freshet_intake_records_total"),
        lag=sum(worker.total("freshet_lag_records") for worker in answering),
        users=sum(worker.total("freshet_users") for worker in answering),
        stages_ms=_stages(window),
        checkpoint_ms=checkpoints and checkpoints[0],
        checkpoint_bytes=checkpoints and checkpoints[1],
        live_rate=live_rate(answering),
        rates=_hit_rates(window),
        weights=weights_of(answering),
    )


def _rates(window: Window) -> dict[str, float]:
    found = window.since(RATE_S)
    if found is None:
        return {}
    seconds, before, now = found
    names = {name for name, _ in now}
    return {name: grown(name, before, now) / seconds for name in names}


def _stages(window: Window) -> dict[str, tuple[float, float]]:
    found = window.since(LATENCY_S)
    if found is None:
        return {}
    _, before, now = found
    by_stage: dict[str, list[tuple[float, float]]] = {}
    for (stage, bound), n in grown_by("freshet_stage_seconds_bucket", before, now).items():
        by_stage.setdefault(stage, []).append((float(bound), n))
    stages = {}
    for stage, buckets in by_stage.items():
        p50, p99 = (quantile(sorted(buckets), q) for q in (0.5, 0.99))
        if p50 is not None and p99 is not None:
            stages[stage] = (1000 * p50, 1000 * p99)
    return stages


def _checkpoints(window: Window) -> tuple[float, float] | None:
    found = window.since(LATENCY_S)
    if found is None:
        return None
    _, before, now = found
    n = grown("freshet_checkpoints_total", before, now)
    if n <= 0:
        return None
    milliseconds = 1000 * grown("freshet_checkpoint_seconds_total", before, now)
    return milliseconds / n, grown("freshet_checkpoint_bytes_total", before, now) / n


def live_rate(workers: Sequence[Worker]) -> float | None:
    """The live hit rate of all workers; None before the first test."""
    known = [
        (worker.total("freshet_live_tests_total"), rate)
        for worker in workers
        if (rate := worker.value("freshet_live_hit_rate")) is not None
    ]
    n = sum(tests for tests, _ in known)
    return sum(tests * rate for tests, rate in known) / n if n else None


def _hit_rates(window: Window) -> dict[str, float]:
    found = window.since(QUALITY_S)
    if found is None:
        return {}
    _, before, now = found
    tests = grown("freshet_fold_tests_total", before, now)
    if tests < LEAST_TESTS:
        return {}
    hits = grown_by("freshet_fold_hits_total", before, now)
    return {name: n / tests for (name, depth), n in hits.items() if depth == "10"}


def fold_rates(workers: Sequence[Worker]) -> tuple[float, dict[str, float]]:
    """Tests since the workers' starts, and the hit rate at 10 of each list in them."""
    tests = sum(worker.total("freshet_fold_tests_total") for worker in workers)
    hits: dict[str, float] = {}
    for worker in workers:
        for (name, depth), n in worker.samples.get("freshet_fold_hits_total", {}).items():
            if depth == "10":
                hits[name] = hits.get(name, 0.0) + n
    return tests, {name: n / tests for name, n in hits.items()} if tests else {}


def weights_of(workers: Sequence[Worker]) -> dict[str, float]:
    """The blend's weights for users with the longest history, the mean over workers, as parts of one."""
    found: dict[str, list[float]] = {}
    for worker in workers:
        by_labels = worker.samples.get("freshet_blend_weight", {})
        longest = max((int(events) for _, events in by_labels), default=0)
        for (source, events), weight in by_labels.items():
            if int(events) == longest:
                found.setdefault(source, []).append(weight)
    means = {source: sum(each) / len(each) for source, each in found.items()}
    total = sum(means.values())
    return {source: mean / total for source, mean in means.items()} if total > 0 else {}
