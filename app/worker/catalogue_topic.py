"""The `items` topic, read from its beginning by every worker, without a group."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from itertools import chain
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from agents.catalogue import follow_catalogue
from app.batches import step_behind
from app.broker import Broker
from app.decoding import Failures, tell_apart
from app.kafka import reader, start_client
from app.worker.catalogue import Catalogue
from app.worker.live_view import LiveView
from models.errors import ServiceError

logger = logging.getLogger("freshet")

AGAIN_S = 1.0  # until a broker that did not answer is asked again


class Batch(NamedTuple):
    """Records that one fetch gave, and whether all that the topic held at the start has come with them."""

    records: Sequence[ConsumerRecord]
    is_caught_up: bool


async def run_catalogue(broker: Broker, topic: str, n_partitions: int, *, catalogue: Catalogue, view: LiveView) -> None:
    """Follow the topic for ever."""
    consumer = reader(broker)
    await start_client(consumer, broker)
    try:
        assigned = [TopicPartition(topic, number) for number in range(n_partitions)]
        await follow_catalogue(_batches(consumer, assigned), catalogue=catalogue, view=view)
    finally:
        await consumer.stop()


async def _batches(consumer: AIOKafkaConsumer, assigned: list[TopicPartition]) -> AsyncIterator[Batch]:
    failures = tell_apart(consumer)
    consumer.assign(assigned)
    ends = await consumer.end_offsets(assigned)
    records: Sequence[ConsumerRecord] = ()
    is_caught_up = False
    while True:
        is_caught_up = is_caught_up or all([await consumer.position(tp) >= ends[tp] for tp in assigned])
        yield Batch(records, is_caught_up)
        if failures:
            await _pass_over(consumer, failures)
        records = [*chain.from_iterable((await consumer.getmany(timeout_ms=500, max_records=5000)).values())]


async def _pass_over(consumer: AIOKafkaConsumer, failures: Failures) -> None:
    """Leave out batches that cannot be decoded, told: this is no state, and heals with the next entries."""
    for tp, failure in list(failures.items()):
        del failures[tp]
        try:
            batch = await step_behind(consumer, tp, failure.offset)
        except (KafkaError, ServiceError):
            await asyncio.sleep(AGAIN_S)
            continue
        logger.error(
            "offsets %d to %d of partition %d of %s (codec %s) cannot be decoded and are left out: %s. Send the "
            "catalogue entries in them again.",
            failure.offset,
            batch.behind - 1,
            tp.partition,
            tp.topic,
            batch.codec,
            failure.why,
        )
