"""Which worker reads which input."""

from app.intake.inputs import Input, home_of, inputs_of, share_of
from tables.intake import Place

N_PARTITIONS = 4
LIVE, OLD = Place(9, 5, is_live=True), Place(3, 5, is_live=False)


def test_history_is_read_by_one_worker_and_live_inputs_by_all() -> None:
    """Whoever owns partition 0 reads what is not live; every live input has exactly one reader."""
    inputs = inputs_of({"clicks": 6, "orders": 2})
    places = {each.key: LIVE for each in inputs if each.topic == "clicks"} | {Input("orders", 0).key: OLD}

    shares = [set(share_of(inputs, places, owned, N_PARTITIONS)) for owned in ({0, 2}, {1}, {3})]

    assert {each for each in shares[0] if each.topic == "orders"} == {Input("orders", 0), Input("orders", 1)}
    assert set.union(*shares) == set(inputs) and sum(map(len, shares)) == len(inputs)
    assert share_of(inputs, places, set(), N_PARTITIONS) == []


def test_more_partitions_move_no_other_input() -> None:
    """Where an input is read depends on itself alone."""
    few, many = inputs_of({"clicks": 3}), inputs_of({"clicks": 12, "a": 7})

    assert set(few) <= set(many)
    assert {home_of(each, N_PARTITIONS) for each in many if each.topic == "clicks"} == set(range(N_PARTITIONS))
