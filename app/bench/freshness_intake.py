"""The traffic of `freshet bench freshness --intake`, as others write it: no key, another form, a topic of its own.

Where a probe lies in the log is known only when the intake has written it: a consumer of the log finds out.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from app.bench.child import Child
from app.bench.workload import Sent
from app.broker import Broker
from app.kafka import create_topics, start_client
from app.settings import Settings
from app.sources import SourceSettings
from tables.names import TopicSpec

N_PARTITIONS: Final = 4
POLL_MS: Final = 500
MARK: Final = b'"due"'


def foreign_topic(namespace: str) -> str:
    """The topic of theirs, in the namespace of the benchmark."""
    return f"{namespace}.visits"


def foreign_source(namespace: str) -> SourceSettings:
    """What the intake is told of it."""
    return SourceSettings(
        topics=(foreign_topic(namespace),),
        user_id="visitor.id",
        each="hits",
        item_id="each.sku",
        event_type="each.kind",
        value="each.stars",
        timestamp="at",
        time="ms",
        context="extra",
    )


def foreign_form(record: Sent) -> bytes:
    """An event as they would write it."""
    event = orjson.loads(record.value)
    hit = {"sku": event["item_id"], "kind": event["event_type"], "stars": event.get("value")}
    visit = {"visitor": {"id": event["user_id"]}, "at": event["timestamp"], "hits": [hit]}
    return orjson.dumps({**visit, "extra": event.get("context")})


async def create_foreign(settings: Settings) -> None:
    """Make the topic of theirs."""
    await create_topics(settings.kafka, [TopicSpec(foreign_topic(settings.namespace), N_PARTITIONS)], 1)


@asynccontextmanager
async def offsets_told(
    broker: Broker, topic: str, n_partitions: int, prober: Child, probes: Mapping[float, int]
) -> AsyncIterator[None]:
    """Tell the prober where in the log each probe lies, as soon as it lies there.

    Parameters
    ----------
    probes
        When each probe was due -> its number; filled meanwhile.
    """
    consumer = AIOKafkaConsumer(**broker.client(), enable_auto_commit=False, isolation_level="read_committed")
    await start_client(consumer, broker)
    partitions = [TopicPartition(topic, number) for number in range(n_partitions)]
    consumer.assign(partitions)
    await consumer.seek_to_end(*partitions)
    for partition in partitions:
        await consumer.position(partition)

    async def tell() -> None:
        while True:
            for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                for record in records:
                    if MARK in record.value:
                        due = orjson.loads(record.value)["context"]["due"]
                        prober.tell(number=probes[due], offset=record.offset)

    telling = asyncio.create_task(tell())
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.wait([telling])
        await consumer.stop()
