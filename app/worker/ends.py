"""Where the log begins and ends, asked of the broker: the worker's own client tells only as long as it fetches.

A client whose position was deleted goes on at the log's start, and says nothing. Offsets are passed over in good order
as well: marks of transactions, and what they took back.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from app.broker import Broker
from app.kafka import reader, start_client
from app.worker.owned import OwnedPartition

logger = logging.getLogger("freshet")

POLL_S = 2.0


async def follow_ends(broker: Broker, topic: str, owned: Callable[[], Mapping[int, OwnedPartition]]) -> None:
    """Keep the ends of the partitions owned up to date, for ever, and tell what was deleted before it was folded.

    Without a broker they stay as they are.
    """
    consumer = reader(broker)
    await start_client(consumer, broker)
    try:
        while True:
            await asyncio.sleep(POLL_S)
            partitions = owned()
            tps = [TopicPartition(topic, number) for number in partitions]
            gaps = {tp: list(partitions[tp.partition].gaps) for tp in tps}
            try:
                ends = await consumer.end_offsets(tps)
                starts = await consumer.beginning_offsets(tps) if any(gaps.values()) else {}
            except KafkaError as error:
                logger.debug("where %s ends is not known: %r", topic, error)
                continue
            for tp, end in ends.items():
                partition = partitions[tp.partition]
                partition.end_offset = max(partition.end_offset, end)
                for first, behind in gaps[tp]:
                    partition.gaps.popleft()
                    if starts[tp] > first:
                        partition.tell_deleted(first, behind)
    finally:
        await consumer.stop()
