"""Follows the item shares of the partitions that other workers hold, as of their last checkpoints."""

import asyncio
import logging
import time

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from app.broker import Broker
from app.decoding import check_decoded, tell_apart
from app.kafka import reader, start_client
from app.worker.checkpoints import unreadable
from app.worker.live_view import LiveView
from models.errors import Undecodable
from tables.fold_settings import FoldSettings
from tables.items import ItemShares

logger = logging.getLogger("freshet")

POLL_MS = 200
SLICE_S = 0.001  # of values applied between two turns of the event loop


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
        consumer = reader(self._broker)
        await start_client(consumer, self._broker)
        failures = tell_apart(consumer)
        try:
            while True:
                if self._changed.is_set():
                    self._changed.clear()
                    await self._reassign(consumer)
                if not self._shares:
                    await self._changed.wait()
                    continue
                fetched = await consumer.getmany(timeout_ms=POLL_MS, max_records=5000)
                for tp, records in fetched.items():
                    await self._take(tp.partition, records)
                try:
                    check_decoded(failures)
                except Undecodable as error:
                    raise unreadable(error) from error
                await self._show(consumer)
        finally:
            await consumer.stop()

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
        return ItemShares(settings.cooccurrence, settings.ratings, settings.history)

    async def _take(self, number: int, records: list[ConsumerRecord]) -> None:
        share = self._shares.get(number)
        if share is None:
            return
        began = time.perf_counter()
        for record in records:
            share.apply(record.key.decode(), record.value)
            if time.perf_counter() - began > SLICE_S:
                await asyncio.sleep(0)
                began = time.perf_counter()

    async def _show(self, consumer: AIOKafkaConsumer) -> None:
        """Show the shares whose awaited end is reached."""
        for tp, end in list(self._ends.items()):
            if await consumer.position(tp) >= end:
                del self._ends[tp]
                if tp.partition in self._wanted:
                    self._view.follow(tp.partition, self._shares[tp.partition])
        if not self._ends and not self._changed.is_set():
            self._view.knows_shares = True
