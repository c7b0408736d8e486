"""Faults: how many, of which kind, and when."""

from random import Random

from app.bench.faults import FIRST, LAST, SLACK, planned


def test_as_many_of_each_kind_as_asked_for_in_order_of_time() -> None:
    """Between 10 and 90 % of the log, what may come on top included."""
    for seed in range(50):
        faults = planned(3, 2, Random(seed))

        assert sorted(fault.kind for fault in faults) == ["join", "join", "kill", "kill", "kill"]
        assert [fault.at for fault in faults] == sorted(fault.at for fault in faults)
        assert all(FIRST <= fault.at <= LAST for fault in faults)
    assert FIRST >= 0.1 and LAST + SLACK <= 0.9


def test_moments_and_order_are_drawn_from_the_seed() -> None:
    """The same seed gives the same faults, others give others."""
    assert planned(3, 1, Random(5)) == planned(3, 1, Random(5))
    assert len({tuple(planned(3, 1, Random(seed))) for seed in range(20)}) == 20
    assert len({tuple(fault.kind for fault in planned(3, 1, Random(seed))) for seed in range(50)}) == 4
