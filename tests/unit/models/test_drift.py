"""The watch over a hit rate: quiet while it is steady, and truthful when it is not."""

import random

import pytest

from models.drift import MAX_KEPT, RECENT, Drift, DriftWatch


def outcomes(seed: int, *parts: tuple[int, float]) -> list[bool]:
    """Hits and misses of so many tests at such a rate, part after part."""
    rng = random.Random(seed)
    return [rng.random() < rate for n, rate in parts for _ in range(n)]


def error(drift: Drift) -> float:
    """Three standard errors of a rate of at most .3 over the tests that it is taken over."""
    return float(3 * (0.3 * 0.7 / drift.n_now) ** 0.5)


@pytest.mark.parametrize("rate", [0.05, 0.2])
def test_a_steady_rate_raises_no_alarm(rate: float) -> None:
    """Nothing is noticed in 20,000 tests, and the running rate is that of the last thousand."""
    watch, tests = DriftWatch(), outcomes(1, (20_000, rate))
    assert not any(watch.add(hit) for hit in tests)
    assert (watch.n, watch.n_drifts, watch.last) == (20_000, 0, None)
    assert watch.n_recent == RECENT
    assert watch.recent == pytest.approx(sum(tests[-RECENT:]) / RECENT, abs=1e-12)


@pytest.mark.parametrize(("before", "now", "verb"), [(0.2, 0.1, "fell"), (0.1, 0.2, "rose"), (0.3, 0.0, "fell")])
@pytest.mark.parametrize("n_before", [3_000, 15_000])
def test_a_change_is_noticed_with_the_rates_of_both_sides(before: float, now: float, verb: str, n_before: int) -> None:
    """Within a thousand tests, once; before and now are what they were and are, also beyond what is kept."""
    watch, alarms = DriftWatch(), []
    for hit in outcomes(2, (n_before, before), (5_000, now)):
        if (drift := watch.add(hit)) is not None:
            alarms.append(drift)
    (drift,) = alarms
    assert drift == watch.last and watch.n_drifts == 1
    assert n_before < drift.at_test <= n_before + 1_000
    assert drift.before == pytest.approx(before, abs=0.02) and drift.now == pytest.approx(now, abs=error(drift))
    assert str(drift) == (
        f"{verb} from {drift.before:.3f} to {drift.now:.3f} over the last {drift.n_now} tests, "
        f"noticed at test {drift.at_test}"
    )


def test_drifts_are_counted_on() -> None:
    """After a second change there are two, and the rate before it is that of the world between the two."""
    watch = DriftWatch()
    for hit in outcomes(3, (6_000, 0.3), (6_000, 0.1), (6_000, 0.25)):
        watch.add(hit)
    assert watch.n_drifts == 2 and watch.last is not None
    assert watch.last.at_test > 12_000
    assert watch.last.before == pytest.approx(0.1, abs=0.02)
    assert watch.last.now == pytest.approx(0.25, abs=error(watch.last))


def test_what_is_kept_is_bounded() -> None:
    """More tests than are kept leave their sums alone."""
    watch = DriftWatch()
    for hit in outcomes(4, (3 * MAX_KEPT, 0.2)):
        watch.add(hit)
    assert len(watch._kept) == MAX_KEPT
    assert watch._n_older == 2 * MAX_KEPT
