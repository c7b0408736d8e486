"""What no event touches is in Redis all the same, and comes back: items of the catalogue, windows that have passed."""

import asyncio

import pytest

from app.worker.live_view import MANY
from app.worker.sweep import Sweep
from tests.unit.app.worker.test_catalogue import take
from tests.unit.app.worker.test_publishers import Stage


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


def all_written(stage: Stage) -> None:
    """Publish what is stale, and forget that it was."""
    asyncio.run(stage.features.refresh(60.0))
    stage.store.sets.clear()
    stage.store.hashes.clear()


def stage_with_catalogue() -> Stage:
    """Six items with events, and one that only the catalogue knows; everything is in Redis."""
    stage = Stage()
    take(stage.catalogue, "quiet", title="Quiet")
    take(stage.catalogue, "i0", title="Zero")
    all_written(stage)
    return stage


def test_items_of_the_catalogue_come_back_after_redis_was_emptied() -> None:
    """Those without an event as well as those with."""
    stage = stage_with_catalogue()
    stage.partition.unpublished.clear()
    stage.store.lost = iter([True])

    async def look() -> None:
        probing = asyncio.create_task(stage.features.probe())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        probing.cancel()
        await asyncio.gather(probing, return_exceptions=True)

    stage.state.loaded = stage.state.marker(-1)
    asyncio.run(look())
    asyncio.run(stage.features.refresh(60.0))

    assert stage.store.hashes["item_features:quiet"]["title"] == "Quiet"
    assert stage.store.hashes["item_features:i0"]["title"] == "Zero"


def test_items_that_wait_are_not_forgotten_when_partitions_change() -> None:
    """A key of an item without events waits through a rebalance."""
    stage = stage_with_catalogue()
    stage.view.stale["quiet"] = None

    stage.view.own({})
    stage.view.own({0: stage.partition})
    asyncio.run(stage.features.refresh(60.0))

    assert stage.store.hashes["item_features:quiet"]["title"] == "Quiet"


@pytest.mark.parametrize("n_others", [0, MANY])
def test_an_item_that_is_hidden_leaves_the_similarities_of_its_neighbours(n_others: int) -> None:
    """At once, and comes back with the next entry; when many are hidden together as well."""
    stage = stage_with_catalogue()
    before = dict(stage.view.items.similar("i1", 100))
    assert "i0" in before

    for change, there in (({"hidden": True}, False), ({"title": "Zero"}, True)):
        for number in range(n_others):
            take(stage.catalogue, f"other{number}", hidden=not there)
        take(stage.catalogue, "i0", **change)
        asyncio.run(stage.features.refresh(60.0))
        assert ("i0" in stage.store.sets["item_similarity:i1"]) is there


def test_what_nothing_touches_is_written_once_in_a_period() -> None:
    """Items, the catalogue's and users alike."""
    stage = stage_with_catalogue()
    clock = Clock()
    for owner, name in ((stage.features, "_sweep"), (stage.partition, "sweep")):
        setattr(owner, name, Sweep(getattr(owner, name)._everything, 100.0, clock))

    for _ in range(52):
        asyncio.run(stage.features.refresh(60.0))
        clock.now += 1.0
    n_half = len(stage.store.hashes)
    for _ in range(52):
        asyncio.run(stage.features.refresh(60.0))
        clock.now += 1.0

    assert 6 <= n_half <= 9
    assert stage.store.hashes.keys() == {
        *(f"item_features:i{number}" for number in range(6)),
        "item_features:quiet",
        *(f"user_features:u{number}" for number in range(7)),
    }


def test_sweep_names_each_once_in_a_period() -> None:
    """Evenly; what comes meanwhile in the next period; after a long pause nothing is named twice."""
    clock, there = Clock(), [f"k{number}" for number in range(10)]
    sweep = Sweep(lambda: there, 20.0, clock, lambda: 0.0)
    assert sweep.due() == []
    there = [*there, "new"]

    named = []
    for _ in range(10):
        clock.now += 2.0
        named.append(sweep.due())
    assert named == [[f"k{number}"] for number in range(10)]

    clock.now += 65.0
    assert sweep.due() == there
    assert sweep.due() == []
    clock.now += 20.0
    assert len(sweep.due()) == 11


def test_sweeps_that_are_always_begun_anew_come_to_all() -> None:
    """A worker that is restarted every quarter of the period: each begins where the time of day says."""
    there, named = [f"k{number}" for number in range(100)], set()
    for quarter in range(4):
        clock = Clock()
        sweep = Sweep(lambda: there, 80.0, clock, lambda now=8000.0 + 20.0 * quarter: now)  # type: ignore[misc]
        sweep.due()
        clock.now += 20.0
        named.update(sweep.due())
    assert named == set(there)
