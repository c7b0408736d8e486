"""Counters of the fold since the process started."""

from app.metrics.since import SinceStart
from tables.marker import Metrics


def test_what_was_counted_before_is_left_out() -> None:
    """A state that comes with counters, from a checkpoint or another worker, adds what it counts here alone."""
    since, metrics = SinceStart(), Metrics({"events": 1000})
    since.own([(3, metrics)])
    assert since.look()[3]["events"] == 0

    metrics.add("events", 5)
    metrics.add("late")
    assert since.look()[3] == {"events": 5, "late": 1}
    assert since.look()[3] == {"events": 5, "late": 1}


def test_counters_never_fall() -> None:
    """A partition given back keeps its number; loaded from an older checkpoint it goes on from there."""
    since, metrics = SinceStart(), Metrics({"events": 1000})
    since.own([(0, metrics)])
    metrics.add("events", 50)
    since.own([])
    metrics.add("events", 7)  # elsewhere
    assert since.look()[0]["events"] == 50

    older = Metrics({"events": 1020})
    since.own([(0, older), (1, Metrics())])
    assert since.look()[0]["events"] == 50
    older.add("events", 30)
    assert since.look() == {0: {"events": 80}, 1: {}}
