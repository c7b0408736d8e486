"""The follower of other workers' shares: what it wants may change while it waits."""

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition

from app.broker import Broker
from app.settings import Settings
from app.worker import follower as module
from app.worker.follower import ShareFollower
from app.worker.live_view import LiveView
from tables.items import ItemShares
from tests.learning import met

SETTINGS = Settings()
TOPIC = "items"
N_RECORDS = 3


class FakeBroker:
    """A consumer whose answers come when `answers` is set; every partition holds a few records, read at once."""

    def __init__(self) -> None:
        self._fetcher = SimpleNamespace(_records={})
        self.answers = asyncio.Event()
        self.asked = asyncio.Event()
        self.assigned: dict[TopicPartition, int] = {}

    def assignment(self) -> set[TopicPartition]:
        return set(self.assigned)

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.assigned = dict.fromkeys(partitions, 0)

    def unsubscribe(self) -> None:
        self.assigned = {}

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.assigned[partition] = offset

    async def position(self, partition: TopicPartition) -> int:
        return self.assigned[partition]

    async def seek_to_beginning(self, *partitions: TopicPartition) -> None:
        self.assigned.update(dict.fromkeys(partitions, 0))

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        self.asked.set()
        await self.answers.wait()
        return dict.fromkeys(partitions, N_RECORDS)

    async def getmany(self, **bounds: int) -> dict[TopicPartition, list[object]]:
        await asyncio.sleep(0)
        unread = [tp for tp, at in self.assigned.items() if at < N_RECORDS]
        self.assigned.update(dict.fromkeys(unread, N_RECORDS))
        return {tp: records(tp.partition) for tp in unread}

    async def stop(self) -> None:
        """Nothing to close."""


def records(partition: int, n: int = N_RECORDS) -> list[object]:
    """Values of items that stand in this partition alone."""
    share = ItemShares(learned=False)
    for number in range(n):
        met(share, f"{partition}-{number}")
    return [SimpleNamespace(key=item_id.encode(), value=share.encode(slot)) for item_id, slot in share.slots.items()]


async def until_shown(view: LiveView, task: "asyncio.Task[None]") -> None:
    """Wait until the view knows every share that is followed; if the follower ends, with its error."""
    while not view.knows_shares:
        if task.done():
            await task
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("first", "meanwhile"),
    [({1}, [set(), {2}]), ({1}, [{1, 2}]), ({1, 2}, [{2}]), ({1}, [set(), {1}]), ({1}, [set()])],
)
def test_what_is_wanted_may_change_while_the_broker_is_asked(
    first: set[int], meanwhile: list[set[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rebalance between question and answer: the follower goes on, and shows what was said last."""
    view = LiveView(SETTINGS.fold)

    async def work() -> None:
        broker = FakeBroker()
        monkeypatch.setattr(module, "reader", lambda address: broker)
        monkeypatch.setattr(module, "start_client", lambda *client: asyncio.sleep(0))
        follower = ShareFollower(Broker("nowhere"), TOPIC, view, SETTINGS.fold)
        running = asyncio.create_task(follower.run())
        follower.follow(first)
        await broker.asked.wait()
        for foreign in meanwhile:
            follower.follow(foreign)
        broker.answers.set()
        for _ in range(20):
            await asyncio.sleep(0)
        await until_shown(view, running)
        assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(asyncio.wait_for(work(), 10.0))

    wanted = meanwhile[-1]
    assert {number for number, share in view.items.shares.items() if len(share) == N_RECORDS} >= wanted
    assert {f"{number}-{item}" for number in wanted for item in range(N_RECORDS)} <= view.items.index.keys()
