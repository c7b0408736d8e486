"""Replay to Kafka: the catalogue, then the events, in order and at the pace asked for."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer

from app.acks import ANSWER_S, GIVE_UP_S, Acks, unanswered
from app.broker import Broker
from app.kafka import CODEC, has_stopped, start_client, writer
from app.replay.fit import MAX_KEY_BYTES, MAX_VALUE_BYTES, fit
from app.replay.pacing import Pacer
from app.replay.records import CatalogueEntry, LogHash, LogRecord
from models.partitioner import partition_of

LINGER_MS = 5
BATCH_BYTES = 256 * 1024
IN_FLIGHT = 20_000


@asynccontextmanager
async def log_producer(
    broker: Broker, partitioner: str, *, linger_ms: int = LINGER_MS
) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that places users as the workers expect; what is sent is acknowledged when the block ends.

    Raises
    ------
    ServiceError
        If no broker answers.
    """
    producer = writer(
        broker,
        linger_ms=linger_ms,
        max_batch_size=BATCH_BYTES,
        compression_type=CODEC if linger_ms else None,  # of one record it costs more than it saves
        max_request_size=MAX_VALUE_BYTES + MAX_KEY_BYTES + 10_000,
        partitioner=lambda key, known, _available: known[partition_of(key, len(known), partitioner)],
    )
    await start_client(producer, broker)
    try:
        yield producer
    except BaseException:
        await has_stopped(producer, GIVE_UP_S)
        raise
    if not await has_stopped(producer, ANSWER_S):
        raise unanswered(ANSWER_S)


async def send_catalogue(producer: AIOKafkaProducer, topic: str, entries: Iterable[CatalogueEntry]) -> int:
    """Send catalogue entries; returns how many, all acknowledged."""
    n = 0
    async with Acks(IN_FLIGHT) as acks:
        for entry in entries:
            await acks.add(await producer.send(topic, key=entry.item_id.encode(), value=entry.value))
            n += 1
    return n


async def send_events(
    producer: AIOKafkaProducer,
    topic: str,
    records: Iterable[LogRecord],
    pacer: Pacer,
    on_sent: Callable[[], None],
) -> tuple[int, str]:
    """Send a log's records; returns how many, all acknowledged, and the SHA-256 of the log as sent."""
    log_hash = LogHash()
    n = 0
    async with Acks(IN_FLIGHT) as acks:
        for record in records:
            await pacer.wait(record.timestamp_ms)
            sent = fit(record)
            log_hash.add(sent)
            await acks.add(await producer.send(topic, key=sent.key, value=sent.value))
            n += 1
            on_sent()
    return n, log_hash.hexdigest()
