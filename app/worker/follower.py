"""Follows the item shares of the partitions that other workers hold, as of their last checkpoints."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from agents.shares import follow_shares
from app.broker import Broker
from app.decoding import Failures, check_decoded, tell_apart
from app.kafka import reader, start_client
from app.worker.checkpoints import readable
from app.worker.live_view import LiveView
from tables.fold_settings import FoldSettings
from tables.items import ItemShares

POLL_MS = 200
N_FETCHED = 5000


class Batch(NamedTuple):
    """Records that one fetch gave, by partition, and the partitions whose awaited end is reached with them."""

    records: Mapping[int, Sequence[ConsumerRecord]]
    reached: Collection[int]


@asynccontextmanager
async def following(broker: Broker) -> AsyncIterator[AIOKafkaConsumer]:
    """A started consumer of saved state, for as long as the block lasts."""
    consumer = reader(broker)
    await start_client(consumer, broker)
    try:
        yield consumer
    finally:
        await consumer.stop()


async def fetched(consumer: AIOKafkaConsumer, failures: Failures) -> Mapping[int, Sequence[ConsumerRecord]]:
    """Records that came within a moment, by partition.

    Raises
    ------
    StateError
        If a batch cannot be decoded.
    """
    found = await consumer.getmany(timeout_ms=POLL_MS, max_records=N_FETCHED)
    with readable():
        check_decoded(failures)
    return {tp.partition: records for tp, records in found.items()}


class ShareFollower:
    """Keeps the view's foreign shares; a plain read-committed consumer without a group.

    A partition that becomes foreign is read from its start, and shown when the end it had then is reached; until all
    are, `LiveView.knows_shares` is false and nothing is published.
    """

    def __init__(self, broker: Broker, topic: str, view: LiveView, settings: FoldSettings) -> None:
        self._broker = broker
        self._topic = topic
        self._view = view
        self._settings = settings
        self._wanted: set[int] = set()
        self._changed = asyncio.Event()
        self._shares: dict[int, ItemShares] = {}
        self._ends: dict[TopicPartition, int] = {}

    def follow(self, foreign: set[int]) -> None:
        """Follow these partitions from now on."""
        if foreign != self._wanted:
            self._view.knows_shares = False
        self._wanted = set(foreign)
        self._changed.set()
        if not foreign:
            self._view.knows_shares = True

    async def run(self) -> None:
        """Follow for ever.

        Raises
        ------
        StateError
            If a batch cannot be decoded: whoever holds that partition next cannot read it either.
        """
        async with following(self._broker) as consumer:
            await follow_shares(self._batches(consumer), shares=self, clock=time.perf_counter)

    async def _batches(self, consumer: AIOKafkaConsumer) -> AsyncIterator[Batch]:
        """What comes of the partitions wanted by then."""
        failures = tell_apart(consumer)
        while True:
            if self._changed.is_set():
                self._changed.clear()
                await self._reassign(consumer)
            if not self._shares:
                await self._changed.wait()
                continue
            records = await fetched(consumer, failures)
            yield Batch(records, [tp.partition for tp, end in self._ends.items() if await consumer.position(tp) >= end])

    async def _reassign(self, consumer: AIOKafkaConsumer) -> None:
        """Read what is wanted by now; what `follow` says while the broker is asked has its turn in the next round."""
        wanted = self._wanted
        new = wanted - self._shares.keys()
        self._shares = {number: share for number, share in self._shares.items() if number in wanted}
        self._shares |= {number: self._share() for number in sorted(new)}
        positions = {tp: await consumer.position(tp) for tp in consumer.assignment() if tp.partition in self._shares}
        assigned = [TopicPartition(self._topic, number) for number in sorted(self._shares)]
        if not assigned:
            consumer.unsubscribe()
            return
        consumer.assign(assigned)
        for tp in assigned:
            if tp.partition not in new:
                consumer.seek(tp, positions[tp])
        fresh = [tp for tp in assigned if tp.partition in new]
        if fresh:
            await consumer.seek_to_beginning(*fresh)
        self._ends = {tp: end for tp, end in self._ends.items() if tp in assigned}
        self._ends |= await consumer.end_offsets(fresh) if fresh else {}
        for number in (wanted & self._wanted) - new - {tp.partition for tp in self._ends}:
            if self._view.items.shares.get(number) is not self._shares[number]:
                self._view.follow(number, self._shares[number])  # it was ours for a moment

    def _share(self) -> ItemShares:
        settings = self._settings
        models = (settings.cooccurrence, settings.ratings, settings.history, settings.following)
        return ItemShares(*models, learned=False)

    def of(self, number: int) -> ItemShares | None:
        """The share of a partition that is followed."""
        return self._shares.get(number)

    def show(self, reached: Collection[int]) -> None:
        """Show the shares whose awaited end is reached."""
        self._ends = {tp: end for tp, end in self._ends.items() if tp.partition not in reached}
        for number in reached:
            if number in self._wanted:
                self._view.follow(number, self._shares[number])
        if not self._ends and not self._changed.is_set():
            self._view.knows_shares = True
