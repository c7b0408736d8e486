"""One moment in numbers."""

import math

from app.dashboard.growth import Growth, Window
from app.dashboard.moments import Moment, fold_rates, moment_of, weights_of
from app.dashboard.workers import Worker
from app.metrics.read import parsed, quantile
from tests.unit.app.dashboard.stage import worker
from tests.unit.app.metrics.stage import Measured


def moments(*looks: list[Worker], step_s: float = 1.0) -> Moment:
    """The last moment of several looks."""
    growth, window = Growth(), Window(600)
    for place, workers in enumerate(looks):
        window.add(place * step_s, growth.take(workers))
    return moment_of(1000, looks[-1], window)


def test_without_a_worker_nothing_is_known() -> None:
    """Neither 0 nor anything else is made up."""
    assert moments([Worker("a:1", {}, "away")]) == Moment(1000)


def test_rates_are_of_all_workers() -> None:
    """Growth through time, summed; what waits is summed as it is."""
    moment = moments(
        [worker("a", events_total={"0": 0}, lag_records={"0": 3}), worker("b", events_total={"1": 100})],
        [worker("a", events_total={"0": 20}, lag_records={"0": 4}), worker("b", events_total={"1": 110})],
        step_s=2.0,
    )
    assert (moment.events_per_s, moment.lag) == (15.0, 4.0)


def test_times_of_stages_are_those_of_the_last_minute() -> None:
    """By the workers' own buckets, in milliseconds; what was before the look does not count."""

    def look(*counts: int) -> list[Worker]:
        buckets = {("total", bound): n for bound, n in zip(("0.01", "0.1", "+Inf"), counts, strict=True)}
        return [worker(stage_seconds_bucket=buckets)]

    moment = moments(look(500, 500, 500), look(510, 520, 520))
    assert moment.fresh_ms is not None
    assert moment.fresh_ms == (10.0, 98.2)


def test_quantiles_of_odd_buckets() -> None:
    """None is none; what lies above all bounds is at the last one."""
    assert quantile([], 0.5) is None
    assert quantile([(1.0, 0.0), (math.inf, 0.0)], 0.5) is None
    assert quantile([(1.0, 0.0), (math.inf, 3.0)], 0.5) == 1.0


def test_hit_rates_want_some_tests() -> None:
    """Of the last minutes, once there are enough; since the start in any case."""

    def look(tests: int, hits: int) -> list[Worker]:
        hits_by = {("list", "10"): hits, ("popularity", "10"): hits // 2, ("list", "20"): 2 * hits}
        return [worker(fold_tests_total=tests, fold_hits_total=hits_by)]

    assert moments(look(1000, 100), look(1019, 105)).rates == {}
    assert moments(look(1000, 100), look(1100, 130)).rates == {"list": 0.3, "popularity": 0.15}
    assert fold_rates(look(1000, 100)) == (1000, {"list": 0.1, "popularity": 0.05})


def test_weights_are_parts_of_one() -> None:
    """Of the longest history, the mean over workers that have learned some."""
    weights = {("history", "0"): 9, ("history", "20"): 1, ("co_occurrence", "20"): 3}
    assert weights_of([worker("a", blend_weight=weights), worker("b")]) == {"history": 0.25, "co_occurrence": 0.75}
    assert weights_of([worker()]) == {}


def test_a_workers_own_text_is_read() -> None:
    """What a worker exports is parsed with its labels in the order of their description."""
    measured = Measured()
    measured.stage.fold(5, 6)
    samples = parsed(measured.answers.metrics("").body.decode())
    assert samples["freshet_fold_hits_total"][("popularity", "10")] == 0
    assert ("total", "0.01") in samples["freshet_stage_seconds_bucket"]
    assert samples["process_resident_memory_bytes"][()] > 0
