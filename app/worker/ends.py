"""Where the log ends, asked of the broker: the worker's own client tells only as long as it fetches."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from app.kafka import reader, start_client
from app.worker.owned import OwnedPartition

logger = logging.getLogger("freshet")

POLL_S = 2.0


async def follow_ends(broker: str, topic: str, owned: Callable[[], Mapping[int, OwnedPartition]]) -> None:
    """Keep the ends of the partitions owned up to date, for ever; without a broker they stay as they are."""
    consumer = reader(broker)
    await start_client(consumer, broker)
    try:
        while True:
            await asyncio.sleep(POLL_S)
            partitions = owned()
            try:
                ends = await consumer.end_offsets([TopicPartition(topic, number) for number in partitions])
            except KafkaError as error:
                logger.debug("where %s ends is not known: %r", topic, error)
                continue
            for tp, end in ends.items():
                partitions[tp.partition].end_offset = max(partitions[tp.partition].end_offset, end)
    finally:
        await consumer.stop()
