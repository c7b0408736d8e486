"""Transactions of other producers."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer

from tests.scene import Scene, Sent


@asynccontextmanager
async def taken_back(scene: Scene, records: Iterable[Sent]) -> AsyncIterator[AIOKafkaProducer]:
    """One of somebody else, with these records; it is open in the block, and aborted at its end."""
    producer = AIOKafkaProducer(**scene.settings.kafka.client(), transactional_id=f"{scene.names.group}.somebody-else")
    await producer.start()
    try:
        await producer.begin_transaction()
        for record in records:
            await producer.send_and_wait(scene.names.events, record.value, key=record.key, partition=record.partition)
        yield producer
        await producer.abort_transaction()
    finally:
        await producer.stop()
