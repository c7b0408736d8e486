"""Puts the stock counter through the same ordeal, and reads what it has counted."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from random import Random
from time import monotonic

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from app.bench.faults import Fault, Ordeal
from app.bench.fleet import Fleet
from app.bench.stock import changelog
from app.bench.workload import Workload
from app.broker import Broker
from app.kafka import create_topics, reader, start_client
from tables.names import TopicSpec

MAX_EVENTS = 30_000
PATIENCE_S = 20.0
COUNTED_WITHIN_S = 60.0
SETTLED_S = 5.0


async def count_stock(
    broker: Broker,
    name: str,
    folder: Path,
    environment: Mapping[str, str],
    *,
    events: int,
    seed: int,
    faults: list[Fault],
    n_partitions: int,
    n_workers: int,
    session_timeout_s: float,
) -> dict[str, int]:
    """Events that the stock counter should have counted, and those it had a minute after the last fault at most.

    It takes `MAX_EVENTS` at most, at a twentieth of the speed, and only valid events without repetitions, so that each
    one counts. The faults come at the same shares of its log. The environment says where its workers find Kafka.
    """
    events = min(events, MAX_EVENTS)
    topic = f"{name}.events"
    await create_topics(broker, [TopicSpec(topic, n_partitions)], 0)
    records = list(Workload(events, seed, malformed=0, duplicates=0).records())
    command = [
        sys.executable,
        "-m",
        "app.bench.stock",
        name,
        topic,
        str(n_partitions),
        str(session_timeout_s),
    ]
    fleet = Fleet(environment, folder, command)
    ordeal = Ordeal(fleet, faults, Random(seed), bounded=False, patience_s=PATIENCE_S, gives_up=True)
    try:
        await ordeal.run(broker, topic, records, n_workers)
        return {"expected": events, "counted": await _counted(broker, name, topic, n_partitions)}
    finally:
        await fleet.stop()


async def _counted(broker: Broker, name: str, topic: str, n_partitions: int) -> int:
    """Sum of the newest counts: when all offsets are committed and nothing changes any more, or the time is over."""
    counts: dict[bytes, int] = {}
    log = [TopicPartition(topic, number) for number in range(n_partitions)]
    consumer, admin = reader(broker), AIOKafkaAdminClient(**broker.client())
    await start_client(consumer, broker)
    await start_client(admin, broker)
    try:
        ends = await consumer.end_offsets(log)
        consumer.assign([TopicPartition(changelog(name), number) for number in range(n_partitions)])
        started = changed = monotonic()
        while monotonic() - started < COUNTED_WITHIN_S:
            if await _take(consumer, counts):
                changed = monotonic()
            elif monotonic() - changed > SETTLED_S:
                committed = await admin.list_consumer_group_offsets(name)
                if all(tp in committed and committed[tp].offset >= ends[tp] for tp in log):
                    break
                await asyncio.sleep(1)
        return sum(counts.values())
    finally:
        await consumer.stop()
        await admin.close()


async def _take(consumer: AIOKafkaConsumer, counts: dict[bytes, int]) -> bool:
    fetched = await consumer.getmany(timeout_ms=200)
    for records in fetched.values():
        for record in records:
            counts[record.key] = int(record.value or 0)
    return bool(fetched)
