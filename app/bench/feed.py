"""Sends a log to Kafka while workers fold it: as fast as it goes, but only so far ahead of them."""

import asyncio
from collections.abc import Callable, Sequence

from app.bench.workload import Sent
from app.broker import Broker
from app.kafka import start_client, writer

SLICE = 500
PAUSE_S = 0.005


async def feed(broker: Broker, topic: str, records: Sequence[Sent], allowed: Callable[[], int]) -> None:
    """Send all records in order, each one acknowledged.

    Parameters
    ----------
    allowed
        How many records may have been sent by now; asked again and again.
    """
    producer = writer(broker, linger_ms=2, max_batch_size=256 * 1024)
    await start_client(producer, broker)
    try:
        sent = 0
        while sent < len(records):
            until = min(allowed(), sent + SLICE, len(records))
            if until <= sent:
                await asyncio.sleep(PAUSE_S)
                continue
            await asyncio.gather(
                *[await producer.send(topic, record.value, key=record.key) for record in records[sent:until]]
            )
            sent = until
    finally:
        await producer.stop()
