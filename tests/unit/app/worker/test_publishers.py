"""The publishers of lists and features, over a store that lets the fold go on while it writes."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, cast
from unittest.mock import patch

import orjson
import pytest
from aiokafka import TopicPartition

from app.broker import Broker
from app.settings import Settings
from app.store import PublishResult
from app.store.store import Store
from app.worker import lists as lists_module
from app.worker.catalogue import Catalogue
from app.worker.checkpoints import CheckpointWriter
from app.worker.features import FeaturePublisher
from app.worker.follower import ShareFollower
from app.worker.gauge import LiveGauge
from app.worker.latency import Latency
from app.worker.lists import CALLS, LISTS_PER_CALL, ListPublisher, Made
from app.worker.live_view import LiveView
from app.worker.owned import OwnedPartition
from models.errors import ServiceError
from models.fold_arrays import TESTED
from tables.items import ItemShares
from tables.list_json import decode_list
from tables.list_model import ListModels
from tables.names import Names
from tables.partition import PartitionState
from tables.view import Filler
from tests.learning import met
from tests.logs import record
from tests.plain import plain_kernels
from tests.saved import fold_all

SETTINGS = Settings()


class FakeStore:
    """Keeps what it is given; `between` runs before each write is done. Keys that `away` names have no node."""

    def __init__(self) -> None:
        self.lists: dict[str, bytes] = {}
        self.sets: dict[str, dict[str, float]] = {}
        self.hashes: dict[str, dict[str, Any]] = {}
        self.between: Callable[[], None] = lambda: None
        self.lost = iter([False])
        self.emptied_ms = 0
        self.down = False
        self.away: Callable[[str], bool] | None = None
        self.n_changes = 0

    @property
    def is_partial(self) -> bool:
        return self.away is not None

    def takes(self, key: str) -> bool:
        return self.away is None or not self.away(key)

    async def publish_lists(self, entries: Sequence[tuple[str, bytes]], ttl_s: int) -> PublishResult:
        self.between()
        if self.down:
            raise ServiceError("Redis is away.")
        taken = {key: payload for key, payload in entries if self.takes(key)}
        self.lists.update(taken)
        return PublishResult(len(taken), 0, tuple(key for key, _ in entries if key not in taken))

    async def replace_sorted_sets(
        self, entries: Sequence[tuple[str, Mapping[str, float]]], ttl_s: int = 0
    ) -> list[str]:
        self.between()
        self.sets.update({key: dict(members) for key, members in entries if self.takes(key)})
        return [key for key, _ in entries if not self.takes(key)]

    async def write_hashes(self, entries: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
        self.between()
        self.hashes.update({key: dict(fields) for key, fields in entries if self.takes(key)})
        return [key for key, _ in entries if not self.takes(key)]

    async def emptied(self) -> bool:
        lost = next(self.lost, False)
        self.emptied_ms = int(time.time() * 1000) if lost else self.emptied_ms
        return lost


class Stage:
    """A view with one owned partition of some users, and its publishers."""

    def __init__(self, n: int = 60, n_items: int = 6, n_fields: int = 0) -> None:
        self.state = PartitionState(0, 1, SETTINGS.fold)
        self.partition = OwnedPartition(self.state, CheckpointWriter(0, Names(), Broker("nowhere"), {}))
        self.n = 0
        self.fold(n, n_items)
        self.view = LiveView(SETTINGS.fold)
        self.view.knows_shares = self.view.knows_catalogue = True
        self.view.own({0: self.partition})
        self.store = FakeStore()
        self.catalogue = Catalogue("items", list_fields=["title"][:n_fields])
        store = cast(Store, self.store)
        self.lists = ListPublisher(SETTINGS, self.view, store, Latency(), LiveGauge(), self.catalogue.listed)
        self.features = FeaturePublisher(SETTINGS, self.view, cast(Store, self.store), self.catalogue)

    async def publish(self, users: list[tuple[OwnedPartition, str]]) -> bool:
        """Make lists and send them; whether Redis has taken them."""
        return await self.lists._send(await self.lists._make(users))

    def save(self) -> None:
        """Let a checkpoint hold all of it."""
        is_rebuilding = self.partition.is_rebuilding
        self.partition.saved(self.state.cut(self.partition.published_offset), rebuilding=is_rebuilding)

    def fold(self, n: int, n_items: int) -> None:
        """Fold more events, of all users in turn."""
        start, self.n = self.n, self.n + n
        fold_all(self.state, [record(at, f"u{at % 7}", f"i{at % n_items}") for at in range(start, self.n)])
        self.partition.touched([f"u{number}" for number in range(7)], 1000)


def test_items_that_come_while_redis_is_written() -> None:
    """The fold may add items during every write: similarities are made from the view as it is by then."""
    stage = Stage()
    stage.store.between = lambda: stage.fold(200, stage.n + 200)

    with plain_kernels():  # an index out of bounds is an error there
        asyncio.run(stage.features.refresh(60.0))

    first = {f"i{number}" for number in range(6)}
    assert stage.store.sets["item_similarity:i0"].keys() - first


def test_lists_of_a_partition_given_back_are_still_missing() -> None:
    """Given back in mid-round, lists not written are not forgotten: the partition may come back with its memory."""
    stage = Stage()
    missing = dict(stage.partition.unpublished)
    users = [(stage.partition, user_id) for user_id in missing]
    stage.view.own({})

    asyncio.run(stage.publish(users))

    assert stage.partition.unpublished == missing
    assert stage.store.lists == {}


def test_lists_stay_missing_while_redis_is_away() -> None:
    """What Redis did not take is written later, from the state as it is by then."""
    stage = Stage()
    stage.store.down = True
    assert not asyncio.run(stage.publish([(stage.partition, "u1")]))
    assert "u1" in stage.partition.unpublished

    stage.store.down = False
    stage.fold(70, 6)
    asyncio.run(stage.lists._round())

    assert stage.partition.unpublished == {}
    found = decode_list(stage.store.lists["recs:user:u1"])
    assert found.offset == stage.state.users.last_offset("u1")


def test_lists_say_what_made_them_and_how_much_is_the_users_own() -> None:
    """Users' lists carry the blend's name and the number of items with a reason; the default list its own, and 0."""
    stage = Stage(30)
    asyncio.run(stage.lists._round())
    asyncio.run(stage.features.refresh(60.0))

    models = ListModels(SETTINGS.fold, SETTINGS.lists, SETTINGS.list_size)
    default = decode_list(stage.store.lists.pop("recs:default"))
    assert (default.model, default.n_own) == (models.filler, 0)
    assert default.items and not any(item.because for item in default.items)
    users = [decode_list(payload) for payload in stage.store.lists.values()]
    assert {found.model for found in users} == {models.blend}
    assert [found.n_own for found in users] == [sum(bool(item.because) for item in found.items) for found in users]
    assert any(found.n_own for found in users)


def test_fields_of_the_catalogue_stand_in_every_list() -> None:
    """Users' lists and the default list have them where the catalogue has them, as of when the list is made."""
    stage = Stage(30, n_fields=1)
    assert stage.catalogue.listed is not None
    stage.catalogue.listed["i2"] = orjson.Fragment(b'{"title":"Two"}')
    asyncio.run(stage.lists._round())
    asyncio.run(stage.features.refresh(60.0))

    found = [decode_list(payload) for payload in stage.store.lists.values()]
    offered = ["i2" in {item.item_id for item in each.items} for each in found]
    assert any(offered)
    assert [each.fields for each in found] == [{"i2": {"title": "Two"}} if has else {} for has in offered]
    assert decode_list(stage.store.lists["recs:default"]).fields == {"i2": {"title": "Two"}}


def test_event_during_the_write_keeps_the_list_missing() -> None:
    """A user touched while the list is written is published again."""
    stage = Stage()
    once = iter([lambda: stage.fold(7, 6)])
    stage.store.between = lambda: next(once, lambda: None)()

    asyncio.run(stage.lists._round())

    assert set(stage.partition.unpublished) == {f"u{number}" for number in range(7)}
    asyncio.run(stage.lists._round())
    assert stage.partition.unpublished == {}


def test_a_few_calls_are_on_their_way_at_once() -> None:
    """Lists are made while others are written, of no user twice; an error that is not Redis being away ends it all."""
    stage = Stage()
    stage.partition.unpublished = {f"u{number % 7}": 0 for number in range(7)}
    waiting: list[list[str]] = []
    go = asyncio.Event()

    async def write(entries: list[tuple[str, bytes]], ttl_s: int) -> PublishResult:
        waiting.append([key for key, _ in entries])
        await go.wait()
        return PublishResult(len(entries), 0)

    async def work() -> None:
        stage.store.publish_lists = write  # type: ignore[method-assign, assignment]
        with patch.object(lists_module, "LISTS_PER_CALL", 1):
            beginning = asyncio.create_task(stage.lists._begin_round())
            for _ in range(20):
                await asyncio.sleep(0)
            assert len(waiting) == CALLS and not beginning.done()
            assert len({key for keys in waiting for key in keys}) == CALLS
            go.set()
            await beginning
            await stage.lists._round()
        assert stage.partition.unpublished == {}
        assert sorted(key for keys in waiting for key in keys) == [f"recs:user:u{number}" for number in range(7)]

        async def fail(entries: list[tuple[str, bytes]], ttl_s: int) -> None:
            raise RuntimeError("a broken store")

        stage.store.publish_lists = fail  # type: ignore[method-assign, assignment]
        stage.partition.unpublished = {"u3": 0}
        with pytest.raises(RuntimeError, match="a broken store"):
            await stage.lists.run()

    asyncio.run(asyncio.wait_for(work(), 10.0))


def looks(stage: Stage, monkeypatch: pytest.MonkeyPatch, then: list[Callable[[], None]]) -> None:
    """Let the probe look at Redis as often as there are things to do after each look."""
    steps = iter(then)

    async def next_step(seconds: float) -> None:
        step = next(steps, None)
        if step is None:
            raise asyncio.CancelledError
        step()

    monkeypatch.setattr("app.worker.features.asyncio.sleep", next_step)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(stage.features.probe())


def nothing() -> None:
    """Look again."""


@pytest.mark.parametrize("when", ["before", "after"])
def test_empty_redis_is_remembered_until_partitions_come(when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found empty before or after partitions with saved state came: every list is made anew, once."""
    stage = Stage()
    stage.partition.unpublished.clear()
    stage.state.loaded = stage.state.marker(-1)
    stage.store.lost = iter([when == "before", when == "after"])
    stage.view.own({})

    def rebuilt() -> None:
        assert len(stage.partition.rebuild) == 7
        stage.partition.rebuild.clear()

    looks(stage, monkeypatch, [lambda: stage.view.own({0: stage.partition}), rebuilt, nothing, nothing])

    assert not stage.partition.rebuild


@pytest.mark.parametrize("again", [False, True])
def test_a_new_namespace_has_lost_nothing(again: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A partition never saved has all lists still to send when the first look finds Redis empty; not later."""
    stage = Stage()
    stage.store.lost = iter([True, again])

    def nothing_yet() -> None:
        assert not stage.partition.rebuild and len(stage.partition.unpublished) == 7

    looks(stage, monkeypatch, [nothing_yet, nothing])

    assert len(stage.partition.rebuild) == (7 if again else 0)


def test_lists_of_new_events_do_not_wait_for_a_rebuild() -> None:
    """Lists are made anew at the rate allowed; in between those of new events go out at once."""
    stage = Stage()
    stage.lists._settings = Settings(rebuild_per_s=1)
    stage.partition.rebuild_all()
    stage.partition.rebuild *= 20
    stage.save()
    sent: list[list[str]] = []
    make = stage.lists._make

    async def note(users: list[tuple[OwnedPartition, str]]) -> Made:
        sent.append([user_id for _, user_id in users])
        return await make(users)

    stage.lists._make = note  # type: ignore[method-assign]

    async def work() -> None:
        running = asyncio.create_task(stage.lists.run())
        while not sent:  # noqa: ASYNC110 the publisher runs on
            await asyncio.sleep(0)
        stage.fold(1, 6)
        stage.partition.unpublished = {"u3": 0}
        stage.lists.wake()
        while stage.partition.unpublished:  # noqa: ASYNC110 the publisher runs on
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(asyncio.wait_for(work(), 10.0))

    assert [len(users) for users in sent] == [LISTS_PER_CALL, 1]
    assert len(stage.partition.rebuild) == 140 - LISTS_PER_CALL


@pytest.mark.parametrize(("lag", "sizes"), [(0, [LISTS_PER_CALL, LISTS_PER_CALL, 3]), (10**6, [43])])
def test_lists_go_out_in_small_calls_unless_behind(lag: int, sizes: list[int]) -> None:
    """So that the first ones do not wait for the last."""
    stage = Stage(n=0)
    n = sum(sizes)
    fold_all(stage.state, [record(at, f"v{at}", f"i{at % 6}") for at in range(n)])
    stage.partition.unpublished = {f"v{at}": at for at in range(n)}
    stage.partition.end_offset = n + lag
    sent: list[int] = []
    stage.store.between = lambda: sent.append(len(stage.partition.unpublished))

    asyncio.run(stage.lists._round())

    left = [*sent, 0]
    assert [before - after for before, after in pairwise(left)] == sizes
    assert len(stage.store.lists) == n


def test_share_that_was_own_for_a_moment_is_shown_again() -> None:
    """A partition that came and went before the follower looked: its share is in the view again."""
    stage = Stage()
    follower = ShareFollower(Broker("nowhere"), "items", stage.view, SETTINGS.fold)
    share = ItemShares()
    met(share, "elsewhere")
    follower._shares = {1: share}
    follower.follow({1})
    assert 1 not in stage.view.items.shares

    asyncio.run(follower._reassign(cast(Any, FakeConsumer())))

    assert stage.view.items.shares[1] is share


class FakeConsumer:
    """Has nothing assigned yet, and takes whatever is."""

    def assignment(self) -> set[Any]:
        return {TopicPartition("items", 1)}

    def assign(self, partitions: object) -> None:
        self.assigned = partitions

    def seek(self, partition: object, offset: int) -> None:
        assert offset == 3

    async def position(self, partition: object) -> int:
        return 3


def test_an_empty_list_is_made_anew_as_soon_as_there_is_something_to_offer() -> None:
    """In a new shop, without another event of its user; a successor takes over who waits for it."""
    stage = Stage()
    filler = stage.view.filler
    stage.view.items.forbid(stage.view.items.ids)
    stage.view.filler = lambda: Filler(())  # type: ignore[method-assign]
    asyncio.run(stage.lists._round())
    assert decode_list(stage.store.lists["recs:user:u1"]).items == ()
    assert len(stage.partition.bare) == 7 and stage.partition.published_offset < stage.state.next_offset - 1
    asyncio.run(stage.lists._round())
    assert len(stage.partition.bare) == 7 and not stage.partition.unpublished

    stage.view.items.forbid([])
    stage.view.filler = filler  # type: ignore[method-assign]
    asyncio.run(stage.lists._round())
    assert all(decode_list(stage.store.lists[f"recs:user:u{number}"]).items for number in range(7))
    assert not stage.partition.bare and stage.partition.published_offset == stage.state.next_offset - 1


def test_weights_that_cannot_be_read_are_learned_anew(caplog: pytest.LogCaptureFixture) -> None:
    """They are no state: the worker says so and goes on, and the next checkpoint holds weights as they are now."""
    stage = Stage()
    stage.state.beside = {"blend": {"n": 9, "weights": {"history": 1}}, "other": 1}

    stage.lists.own([stage.partition])

    assert "partition 0: stored weights of the blend" in caplog.text
    assert stage.state.beside == {"blend": stage.lists.blend.as_json(), "model": stage.lists._model, "other": 1}
    assert stage.lists.blend.as_json()["n"] == 0


def test_what_users_take_is_learned_from_the_list_in_redis() -> None:
    """Before the next lists are made; weights go into the next checkpoint; nothing is learned from lists of before."""
    stage = Stage()
    settings = SETTINGS.model_copy(update={"evaluate_fraction": 1.0})
    stage.state.evaluator = PartitionState(0, 1, settings.fold).evaluator
    stage.fold(200, 40)
    asyncio.run(stage.lists._round())
    (taken, *_) = decode_list(stage.store.lists["recs:user:u1"]).items
    stage.lists.took("u1", taken.item_id, TESTED)
    asyncio.run(stage.publish([(stage.partition, "u1")]))
    assert stage.lists.blend.as_json()["n"] == 1
    assert stage.state.beside["blend"]["n"] == 1

    stage.lists.own([stage.partition])
    stage.lists.took("u1", taken.item_id, TESTED)
    asyncio.run(stage.publish([(stage.partition, "u2")]))
    assert stage.lists.blend.as_json()["n"] == 1


@pytest.mark.parametrize("falls", ["before", "after", "by factors"], ids=["before the list", "after it", "by factors"])
def test_a_backlog_says_nothing_of_lists_that_are_made_only_now(falls: str) -> None:
    """Its events were there before anybody could see them: neither the blend nor the gauge learns from these."""
    stage = Stage()
    settings = SETTINGS.model_copy(update={"evaluate_fraction": 1.0})
    stage.state.evaluator = PartitionState(0, 1, settings.fold).evaluator
    stage.fold(200, 40)
    n = stage.state.next_offset
    if falls == "before":
        stage.partition.end_offset = n + 10**6
    asyncio.run(stage.lists._round())
    stage.partition.end_offset = n + 10**6 * (falls != "by factors")
    stage.partition.lacks_factors = falls == "by factors"
    stage.lists._attend()
    (taken, *_) = decode_list(stage.store.lists["recs:user:u1"]).items
    stage.lists.took("u1", taken.item_id, TESTED)
    stage.partition.end_offset, stage.partition.lacks_factors = n, False
    asyncio.run(stage.publish([(stage.partition, "u2")]))
    assert stage.lists.blend.as_json()["n"] == 0
    assert stage.lists._gauge.n == 0
