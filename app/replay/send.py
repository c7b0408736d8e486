"""Replay to Kafka: the catalogue, then the events, in order and at the pace asked for."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer

from app.kafka import start_client, writer
from app.replay.fit import MAX_KEY_BYTES, MAX_VALUE_BYTES, fit
from app.replay.pacing import Pacer
from app.replay.records import CatalogueEntry, LogHash, LogRecord
from models.partitioner import partition_of

LINGER_MS = 5
BATCH_BYTES = 256 * 1024
IN_FLIGHT = 20_000


@asynccontextmanager
async def log_producer(broker: str, partitioner: str, *, linger_ms: int = LINGER_MS) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that places users as the workers expect; what is sent is acknowledged when the block ends."""
    producer = writer(
        broker,
        linger_ms=linger_ms,
        max_batch_size=BATCH_BYTES,
        max_request_size=MAX_VALUE_BYTES + MAX_KEY_BYTES + 10_000,
        partitioner=lambda key, known, _available: known[partition_of(key, len(known), partitioner)],
    )
    await start_client(producer, broker)
    try:
        yield producer
    finally:
        await producer.stop()


async def send_catalogue(producer: AIOKafkaProducer, topic: str, entries: Iterable[CatalogueEntry]) -> int:
    """Send catalogue entries; returns how many, all acknowledged."""
    acks = [await producer.send(topic, key=entry.item_id.encode(), value=entry.value) for entry in entries]
    for ack in acks:
        await ack
    return len(acks)


async def send_events(
    producer: AIOKafkaProducer,
    topic: str,
    records: Iterable[LogRecord],
    pacer: Pacer,
    on_sent: Callable[[], None],
) -> tuple[int, str]:
    """Send a log's records; returns how many, all acknowledged, and the SHA-256 of the log as sent."""
    log_hash = LogHash()
    acks = []
    n = 0
    for record in records:
        await pacer.wait(record.timestamp_ms)
        sent = fit(record)
        log_hash.add(sent)
        acks.append(await producer.send(topic, key=sent.key, value=sent.value))
        n += 1
        on_sent()
        if len(acks) >= IN_FLIGHT:
            for ack in acks:
                await ack
            acks = []
    for ack in acks:
        await ack
    return n, log_hash.hexdigest()
