"""Looks for partitions that stand at a batch that cannot be decoded, whether a worker runs or not."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from app.batches import Batch, raw_batch
from app.decoding import Failure, tell_apart
from app.kafka import partition_counts, reader, start_client
from app.kafka_admin import committed_offsets, log_ranges
from app.settings import Settings
from app.stopped.skips import is_skipped, read_skips
from models.errors import ServiceError
from tables.skips import Skip

PATIENCE_S = 60.0
LOOKED_AT = 5000
"""Records of a partition that are looked at, from the last checkpoint on: a worker is seldom further."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """A partition of the log that stands, or will.

    Parameters
    ----------
    offset, why
        The first offset that cannot be read, and why not.
    batch
        The batch it lies in; None if the broker does not give it.
    n_waiting
        Offsets behind it that wait, with those of the batch itself.
    """

    topic: str
    partition: int
    offset: int
    why: str
    batch: Batch | None
    n_waiting: int


async def find_stopped(settings: Settings) -> list[Stopped]:
    """Partitions that stand; what was ordered to be stepped over does not count.

    Raises
    ------
    ServiceError
        If Kafka cannot be reached, or does not give what is in the log.
    """
    topic = settings.names.events
    counts = await partition_counts(settings.kafka, [topic])
    if topic not in counts:
        return []
    committed = await committed_offsets(settings.kafka, settings.names.group, topic, counts[topic])
    ranges = await log_ranges(settings.kafka, topic, counts[topic])
    waiting = {
        TopicPartition(topic, number): (max(committed.get(number, start), start), end)
        for number, (start, end) in ranges.items()
    }
    waiting = {tp: (at, end) for tp, (at, end) in waiting.items() if at < end}
    if not waiting:
        return []
    consumer = reader(settings.kafka)
    await start_client(consumer, settings.kafka)
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await _look(consumer, waiting, await read_skips(settings))
    except TimeoutError:
        raise ServiceError(
            f"the log {topic} was not read from its last checkpoints on within {PATIENCE_S:g} s. Look into the "
            "broker's log, then run this again."
        ) from None
    finally:
        await consumer.stop()


async def _look(
    consumer: AIOKafkaConsumer, waiting: dict[TopicPartition, tuple[int, int]], skips: Sequence[Skip]
) -> list[Stopped]:
    """Read on from where each partition was saved, for a while."""
    failures = tell_apart(consumer)
    consumer.assign(list(waiting))
    for tp, (at, _) in waiting.items():
        consumer.seek(tp, at)
    left, found = dict.fromkeys(waiting, LOOKED_AT), list[Stopped]()
    while left:
        fetched = await consumer.getmany(*left, timeout_ms=100, max_records=LOOKED_AT)
        for tp, records in fetched.items():
            left[tp] -= len(records)
        for tp in list(left):
            failure, end = failures.pop(tp, None), waiting[tp][1]
            if failure is not None:
                stopped = await _stopped(consumer, tp, failure, end)
                if stopped.batch and is_skipped(skips, tp.topic, tp.partition, stopped.batch):
                    consumer.seek(tp, stopped.batch.behind)
                    continue
                found.append(stopped)
            if failure is not None or left[tp] <= 0 or await consumer.position(tp) >= end:
                del left[tp]
                consumer.pause(tp)
    return sorted(found, key=lambda stopped: stopped.partition)


async def _stopped(consumer: AIOKafkaConsumer, tp: TopicPartition, failure: Failure, end: int) -> Stopped:
    try:
        batch = await raw_batch(consumer, tp, failure.offset)
    except ServiceError:
        batch = None
    return Stopped(tp.topic, tp.partition, failure.offset, failure.why, batch, max(0, end - failure.offset))
