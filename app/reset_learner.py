"""Drops what the learner of factors knows; to be called behind the transactional ids of all partitions."""

from aiokafka import ConsumerRecord, TopicPartition

from app.kafka import read_to_end, start_client, topic_limits
from app.kafka_admin import log_ranges
from app.settings import Settings
from app.worker.checkpoints import send_entries
from app.worker.learner import PARTITION, learner_producer
from tables.cutting import Entry
from tables.learner import LearnerMarker
from tables.marker import MARKER_KEY


async def forget_learned(settings: Settings) -> int:
    """Remove all rows, and pass over all lessons that lie in the topic; returns how many rows there were.

    Partitions that are fenced off hand nothing over any more, so what comes behind is of the log folded anew.

    Raises
    ------
    Undecodable
        If the topic of factors cannot be read.
    """
    names, broker = settings.names, settings.kafka
    producer = learner_producer(settings, (await topic_limits(broker, [names.factors]))[names.factors])
    await start_client(producer, broker)
    try:
        rows: set[bytes] = set()

        def take(record: ConsumerRecord) -> None:
            (rows.discard if record.value is None else rows.add)(record.key)

        await read_to_end(broker, [TopicPartition(names.factors, PARTITION)], take)
        rows.discard(MARKER_KEY)
        (_, end) = (await log_ranges(broker, names.interactions, 1))[PARTITION]
        marker: Entry = (MARKER_KEY, LearnerMarker(position=end).encode())
        entries: list[Entry] = [(key, None) for key in sorted(rows)]
        await producer.begin_transaction()
        for ack in await send_entries(producer, names.factors, PARTITION, [*entries, marker]):
            await ack
        await producer.commit_transaction()
        return len(rows)
    finally:
        await producer.stop()
