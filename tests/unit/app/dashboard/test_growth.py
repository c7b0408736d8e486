"""Counters of all workers together."""

from app.dashboard.growth import Growth, Window, grown, grown_by
from app.dashboard.workers import Worker
from tests.unit.app.dashboard.stage import worker

EVENTS = "freshet_events_total"


def folded(n: float, address: str = "a:1") -> Worker:
    """A worker that has counted so many events of partition 0."""
    return worker(address, events_total={"0": n}, lag_records={"0": 5})


def test_what_was_counted_before_is_not_growth() -> None:
    """The first look only notes; from then on what comes counts, gauges not at all."""
    growth = Growth()
    assert grown(EVENTS, {}, growth.take([folded(100)])) == 0
    totals = growth.take([folded(130)])
    assert totals == {(EVENTS, ("0",)): 30}


def test_a_worker_that_started_again_counts_from_nothing() -> None:
    """Its counter fell: all that it holds now is new."""
    growth = Growth()
    for n in (100, 130, 7, 9):
        totals = growth.take([folded(n)])
    assert totals[EVENTS, ("0",)] == 30 + 7 + 2


def test_workers_come_and_go() -> None:
    """One that is away keeps its count; one that is gone from the names and comes back begins anew."""
    growth = Growth()
    growth.take([folded(100), folded(50, "b:1")])
    growth.take([folded(110), Worker("b:1", {}, "away")])
    totals = growth.take([folded(110), folded(55, "b:1")])
    assert totals[EVENTS, ("0",)] == 15
    growth.take([folded(110)])
    assert growth.take([folded(110), folded(90, "b:1")])[EVENTS, ("0",)] == 15


def test_window_looks_back_as_far_as_it_can() -> None:
    """Second by second for a while, then in steps; never further than there is something."""
    window = Window(600)
    assert window.since(5) is None
    for second in range(1, 1001):
        window.add(float(second), {(EVENTS, ("0",)): float(second)})
    assert window.since(5) == (5, {(EVENTS, ("0",)): 995}, {(EVENTS, ("0",)): 1000})
    found = window.since(300)
    assert found is not None and 300 <= found[0] < 311
    found = window.since(100_000)
    assert found is not None and 600 <= found[0] <= 621
    assert len(window._fine) + len(window._coarse) < 200
    assert grown_by(EVENTS, found[1], found[2])[("0",)] == found[0]
