"""The topic of what is stepped over: read whole, it has a record for each batch ever skipped."""

from collections.abc import Iterable

from aiokafka import ConsumerRecord, TopicPartition

from app.batches import Batch
from app.kafka import create_topics, partition_counts, read_to_end, start_client, writer
from app.settings import Settings
from tables.skips import Skip

PARTITION = 0


async def read_skips(settings: Settings) -> list[Skip]:
    """Everything that was ordered to be stepped over, in the order of its places.

    Raises
    ------
    StateError
        If a record of it cannot be read.
    """
    topic, found = settings.names.skips, dict[bytes, Skip]()

    def take(record: ConsumerRecord) -> None:
        if record.value is None:
            found.pop(record.key, None)
        else:
            found[record.key] = Skip.decode(record.value)

    if topic in await partition_counts(settings.kafka, [topic]):
        await read_to_end(settings.kafka, [TopicPartition(topic, PARTITION)], take)
    return sorted(found.values(), key=lambda skip: (skip.topic, skip.partition, skip.first))


def is_skipped(skips: Iterable[Skip], topic: str, partition: int, batch: Batch) -> bool:
    """Whether a batch, these very bytes at this very place, is to be stepped over."""
    return any(
        (skip.topic, skip.partition, skip.first, skip.sha256) == (topic, partition, batch.first, batch.sha256)
        for skip in skips
    )


async def write_skip(settings: Settings, skip: Skip) -> None:
    """Order that a batch is stepped over; the topic is made if it is not there."""
    specs = [spec for spec in settings.names.topics(settings.partitions) if spec.name == settings.names.skips]
    await create_topics(settings.kafka, specs, settings.replication_factor)
    producer = writer(settings.kafka)
    await start_client(producer, settings.kafka)
    try:
        await producer.send_and_wait(settings.names.skips, skip.encode(), key=skip.key, partition=PARTITION)
    finally:
        await producer.stop()
