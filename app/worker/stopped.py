"""Looks after partitions that stand at a batch that cannot be decoded: tells of them, and has them go on when they can.

A stopped partition is no standstill: all that lies before the batch is folded and saved, the other partitions go on,
and so does this one as soon as the batch can be read again, or an operator has had it stepped over.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import monotonic

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from app.batches import raw_batch
from app.kafka import reader, start_client
from app.settings import Settings
from app.stopped.skips import is_skipped, read_skips
from app.worker.owned import OwnedPartition
from app.worker.ownership import Ownership
from app.worker.stop import Stop
from models.errors import ServiceError
from tables.skips import Skip

logger = logging.getLogger("freshet")

POLL_S = 2.0
TOLD_AGAIN_S = 600.0


class StoppedPartitions:
    """Those of one worker.

    Parameters
    ----------
    go_on
        Awaited with a stop and the offset from which its partition is to be fetched again.
    report
        Told of each stop and of its end.
    """

    def __init__(
        self,
        settings: Settings,
        ownership: Ownership,
        go_on: Callable[[Stop, int], Awaitable[None]],
        report: Callable[..., None],
    ) -> None:
        self._settings = settings
        self._ownership = ownership
        self._go_on = go_on
        self._report = report
        self._wake = asyncio.Event()
        self._told: dict[int, tuple[int, float]] = {}  # partitions: the stop last told of, and when

    def take(self, stop: Stop) -> None:
        """Take note of a stop."""
        partition = self._ownership.owned.get(stop.partition)
        if partition is not None:
            partition.stop = stop
            self._wake.set()

    def as_json(self) -> dict[int, dict[str, object]]:
        """Partitions that stand, where and why."""
        stops = [partition.stop for partition in self._ownership.owned.values()]
        return {stop.partition: {"topic": stop.topic, "offset": stop.offset, "why": stop.why} for stop in stops if stop}

    async def run(self) -> None:
        """Look after them for ever; without a broker they stand as they do."""
        while True:
            await self._wake.wait()
            try:
                await self._look()
            except (KafkaError, ServiceError) as error:
                logger.debug("what stopped partitions stand at is not known: %r", error)
            if not any(partition.stop for partition in self._ownership.owned.values()):
                self._wake.clear()
            else:
                await asyncio.sleep(POLL_S)

    async def _look(self) -> None:
        stopped = [partition for partition in self._ownership.owned.values() if partition.stop]
        skips = await read_skips(self._settings)
        consumer = reader(self._settings.kafka)
        await start_client(consumer, self._settings.kafka)
        try:
            for partition in stopped:
                await self._look_at(partition, consumer, skips)
        finally:
            await consumer.stop()

    async def _look_at(self, partition: OwnedPartition, consumer: AIOKafkaConsumer, skips: list[Skip]) -> None:
        stop = partition.stop
        if stop is None:
            return
        try:
            batch = await raw_batch(consumer, TopicPartition(stop.topic, stop.partition), stop.offset)
        except ServiceError as error:
            self._tell(stop, str(error))
            return
        if self._ownership.owned.get(stop.partition) is not partition or partition.stop is not stop:
            return  # revoked meanwhile
        if batch.why_unreadable() is None:
            await self._end(partition, stop, stop.offset, "it can be decoded now")
        elif not is_skipped(skips, stop.topic, stop.partition, batch):
            self._tell(
                stop,
                f"the batch of offsets {batch.first} to {batch.behind - 1} ({len(batch.data)} bytes, codec "
                f"{batch.codec}) cannot be decoded: {stop.why}",
                first=batch.first,
                behind=batch.behind,
                bytes=len(batch.data),
                codec=batch.codec,
            )
        elif partition.state.next_offset >= stop.folded_to:
            partition.state.step_over(stop.offset, batch.behind)
            await self._end(partition, stop, batch.behind, f"offsets {stop.offset} to {batch.behind - 1} are skipped")

    async def _end(self, partition: OwnedPartition, stop: Stop, offset: int, how: str) -> None:
        partition.stop = None
        told = self._told.get(stop.partition, (-1, 0.0))[0] == stop.offset
        logger.log(
            logging.WARNING if told else logging.INFO,
            "partition %d of %s goes on at offset %d: %s.",
            stop.partition,
            stop.topic,
            offset,
            how,
        )
        self._report("partition_goes_on", topic=stop.topic, partition=stop.partition, offset=offset, how=how)
        await self._go_on(stop, offset)

    def _tell(self, stop: Stop, what: str, **batch: object) -> None:
        """Once, and then rarely."""
        offset, told_at = self._told.get(stop.partition, (-1, 0.0))
        if offset == stop.offset and monotonic() - told_at < TOLD_AGAIN_S:
            return
        self._told[stop.partition] = stop.offset, monotonic()
        logger.error(
            "partition %d of %s stands at offset %d: %s. The other partitions go on. Mend or restore the log, or step "
            "over the batch: `freshet stopped skip %d %d` (its bytes are kept).",
            stop.partition,
            stop.topic,
            stop.offset,
            what,
            stop.partition,
            stop.offset,
        )
        self._report(
            "partition_stopped",
            topic=stop.topic,
            partition=stop.partition,
            offset=stop.offset,
            why=stop.why,
            **batch,
        )
