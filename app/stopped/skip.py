"""Steps over a batch that cannot be decoded: its bytes become a dead letter, and the order to skip it is stored."""

import time

from aiokafka import TopicPartition

from app.batches import Batch, raw_batch
from app.dead_letters.marks import Headers
from app.dead_letters.read import UNDECODABLE
from app.kafka import partition_counts, reader, start_client, topic_limits, writer
from app.settings import Settings
from app.stopped.skips import is_skipped, read_skips, write_skip
from models.errors import ServiceError
from tables.skips import Skip

OVERHEAD_BYTES = 8192  # headers, and Kafka's own


async def skip_batch(settings: Settings, partition: int, offset: int, topic: str = "") -> tuple[Skip, bool]:
    """Have the workers step over the batch at an offset; returns what was ordered, and whether it is new.

    The letter goes first: whatever happens in between, nothing is stepped over whose bytes are not kept. A letter that
    is sent again has the same origin, and readers drop it.

    Parameters
    ----------
    topic
        One that the intake reads; that of the events by default.

    Raises
    ------
    ServiceError
        If there is no such batch, it can be decoded, or its bytes do not fit into the topic of dead letters.
    """
    topic = topic or settings.names.events
    n_partitions = (await partition_counts(settings.kafka, [topic])).get(topic, 0)
    if partition >= n_partitions:
        raise ServiceError(f"topic {topic} has {n_partitions} partitions, there is none with number {partition}.")
    consumer = reader(settings.kafka)
    await start_client(consumer, settings.kafka)
    try:
        batch = await raw_batch(consumer, TopicPartition(topic, partition), offset)
    finally:
        await consumer.stop()
    why = batch.why_unreadable()
    if why is None or not batch.first <= offset < batch.behind:
        raise ServiceError(
            f"at offset {offset} of partition {partition} of {topic} there is nothing that cannot be decoded, and "
            "nothing else is stepped over. `freshet stopped list` shows what stands."
        )
    skip = Skip(
        topic, partition, batch.first, batch.behind, batch.sha256, why, len(batch.data), int(time.time() * 1000)
    )
    if is_skipped(await read_skips(settings), topic, partition, batch):
        return skip, False
    await _keep(settings, batch, skip)
    await write_skip(settings, skip)
    return skip, True


async def _keep(settings: Settings, batch: Batch, skip: Skip) -> None:
    """Send the batch's bytes to the dead letters, whole."""
    dead_letters, size = settings.names.dead_letters, len(batch.data) + OVERHEAD_BYTES
    limits = await topic_limits(settings.kafka, [dead_letters])
    if size > limits[dead_letters]:
        raise ServiceError(
            f"the batch has {len(batch.data)} bytes, topic {dead_letters} takes messages of {limits[dead_letters]}: it "
            f"would not be kept. Raise its max.message.bytes to {size} or more, then run this again."
        )
    message = (
        f"Offsets {skip.first} to {skip.behind - 1} were stepped over: the batch (codec {batch.codec}) cannot be "
        f"decoded: {skip.why}. Its bytes are here as they lie in the log."
    )
    fields = {
        "reason": UNDECODABLE,
        "message": message,
        "topic": skip.topic,
        "partition": str(skip.partition),
        "offset": str(skip.first),
        "behind": str(skip.behind),
        "sha256": skip.sha256,
    }
    headers: Headers = [(name, text.encode()) for name, text in fields.items()]
    producer = writer(settings.kafka, max_request_size=size)
    await start_client(producer, settings.kafka)
    try:
        await producer.send_and_wait(dead_letters, batch.data, headers=headers)
    finally:
        await producer.stop()
