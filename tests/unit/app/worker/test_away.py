"""Nodes of a cluster that are away: what belongs there waits and is not forgotten, everything else goes on."""

import asyncio

from app.worker.owned import OwnedPartition
from tests.unit.app.worker.test_publishers import Stage

AWAY = {"u1", "u4"}
ALL = {f"u{number}" for number in range(7)}


def gone(key: str) -> bool:
    """Whether a key's node is away."""
    return key.rpartition(":")[2] in AWAY


def back(stage: Stage) -> None:
    """All nodes are there again."""
    stage.store.away = None
    stage.store.n_changes += 1


def test_lists_of_the_others_go_out() -> None:
    """Users whose node is away are set aside, no list is made for them again, and a checkpoint does not pass them."""
    stage = Stage()
    stage.store.away = gone
    before = stage.partition.published_offset

    asyncio.run(stage.lists._round())

    assert set(stage.store.lists) == {f"recs:user:{user_id}" for user_id in ALL - AWAY}
    assert stage.partition.unpublished == {}
    assert set(stage.partition.out_of_reach) == AWAY
    assert before <= stage.partition.published_offset < stage.state.next_offset - 1

    stage.fold(7, 6)
    stage.store.between = lambda: None
    asyncio.run(stage.lists._round())
    assert set(stage.partition.out_of_reach) == AWAY
    assert stage.partition.unpublished == {}


def test_they_are_written_when_the_node_is_back() -> None:
    """Made from the state as it is by then, at the first turn after the node answers."""
    stage = Stage()
    stage.store.away = gone
    asyncio.run(stage.lists._round())
    stage.fold(70, 6)
    back(stage)

    asyncio.run(stage.lists._turn())
    asyncio.run(stage.lists._round())

    assert set(stage.store.lists) == {f"recs:user:{user_id}" for user_id in ALL}
    assert stage.partition.out_of_reach == {} == stage.partition.unpublished
    assert stage.partition.published_offset == stage.state.next_offset - 1


def test_a_node_that_came_back_during_the_call_is_tried_at_once() -> None:
    """What it did not take is not set aside: nothing would bring it back."""
    stage = Stage()
    stage.store.away = gone
    made = asyncio.run(stage.lists._make([(stage.partition, "u1")]))
    stage.partition.unpublished.clear()
    back(stage)

    assert stage.lists._set_aside(made, {"recs:user:u1"}) == []

    assert set(stage.partition.unpublished) == {"u1"}
    assert stage.partition.out_of_reach == {}


def test_a_rebuild_goes_on_without_them() -> None:
    """Where all lists are made anew, those of a node that is away wait apart, and the rebuild comes to its end."""
    stage = Stage()
    stage.partition.rebuild_all()
    stage.save()
    stage.store.away = gone

    asyncio.run(stage.lists._rebuild())

    assert not stage.partition.rebuild
    assert set(stage.partition.out_of_reach) == AWAY
    assert len(stage.store.lists) == len(ALL - AWAY)


def test_features_of_the_others_go_out() -> None:
    """A key whose node is away stays stale and stops no other."""
    stage = Stage()
    stage.store.away = lambda key: gone(key) or key.endswith(("item_similarity:i2", "trending:1h"))

    asyncio.run(stage.features.refresh(60.0))

    assert {f"user_features:{user_id}" for user_id in ALL - AWAY} <= stage.store.hashes.keys()
    assert "item_similarity:i3" in stage.store.sets and "trending:1d" in stage.store.sets
    assert set(stage.partition.stale_features) == AWAY
    assert set(stage.view.stale) == {"i2"}
    back(stage)
    asyncio.run(stage.features.refresh(60.0))
    assert not stage.partition.stale_features and not stage.view.stale


def test_too_many_who_wait_become_a_rebuild() -> None:
    """Those set aside count among the unpublished, whose number is bounded."""
    partition: OwnedPartition = Stage().partition
    for user_id in sorted(ALL):
        partition.set_aside(user_id, 1)

    partition.touched(["u1"], max_unpublished=5)

    assert set(partition.rebuild) == ALL
    assert partition.out_of_reach == {} == partition.unpublished
