"""What the pipeline's speed is compared with: a plain read of the backlog, and a plain Faust agent."""

from collections.abc import Callable, Sequence
from itertools import islice
from time import monotonic, perf_counter

import orjson
from aiokafka import TopicPartition

from app.bench.backlog import Backlog, preload
from app.bench.child import Child
from app.bench.place import Place
from app.broker import Broker
from app.kafka import create_topics, reader, start_client
from models.errors import ServiceError
from tables.names import TopicSpec

STOCK_EVENTS = 100_000
SILENT_S = 60.0
POLL_MS = 100


async def read_raw(broker: Broker, topic: str, n_partitions: int, n_records: int) -> float:
    """Seconds that aiokafka's `getmany` and orjson need for all records, from the first fetch on."""
    consumer = reader(broker)
    await start_client(consumer, broker)
    try:
        partitions: Sequence[TopicPartition] = [TopicPartition(topic, number) for number in range(n_partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        n, started = 0, perf_counter()
        while n < n_records:
            for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                for record in records:
                    orjson.loads(record.value)
                n += len(records)
        return perf_counter() - started
    finally:
        await consumer.stop()


async def run_stock(place: Place, backlog: Backlog, show: Callable[[int], None]) -> float:
    """Events a second that a plain Faust agent counts: of the first 100,000, from the first one to the last.

    Its clock is kind to it: starting, the first fetch and the acknowledgements of its last writes do not count.

    Raises
    ------
    ServiceError
        If it says nothing, or counts nothing, for a minute.
    """
    name, n_partitions = f"{place.settings.namespace}.stock", place.settings.partitions
    topic, n_events = f"{name}.events", min(STOCK_EVENTS, len(backlog))
    await create_topics(place.settings.kafka, [TopicSpec(topic, n_partitions)], place.settings.replication_factor)
    await preload(place.settings.kafka, topic, n_partitions, islice(backlog, n_events), lambda n: None)
    arguments = (name, topic, str(n_partitions))
    async with Child(place.folder, "app.bench.stock", *arguments, variables=place.environment) as stock:
        n_before, moved = 0, monotonic()
        while True:
            line = await stock.line(SILENT_S)
            n = sum(line["partitions"].values()) if line["event"] == "progress" else 0
            show(n)
            if n >= n_events:
                return n_events / float(line["seconds"])
            if n > n_before:
                n_before, moved = n, monotonic()
            elif monotonic() - moved > SILENT_S:
                raise ServiceError(f"the plain Faust agent stands still at {n_before} of {n_events} events.")
