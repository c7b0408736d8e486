"""What everyone who talks to Kafka shares: reading partitions to their ends, and making topics."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAuthorizationFailedError, for_code

from app.broker import Broker
from app.decoding import check_decoded, tell_apart
from app.refusal import no_connection, not_allowed
from app.topics.making import make_topics, refuse_hidden
from models.errors import ServiceError
from tables.names import OPTIONAL, TopicSpec

logger = logging.getLogger("freshet")

LIMIT = "max.message.bytes"
USUAL_LIMIT = 1_048_588
FETCH_BYTES = 8 * 1024**2
RECORDS_BETWEEN_PAUSES = 1000
CODEC = "zstd"
"""How many records at a time are compressed; what goes out one by one, and checkpoints, are not (ADR 0015)."""


def reader(broker: Broker, **options: Any) -> AIOKafkaConsumer:
    """A plain consumer without a group that sees committed records only, from the earliest on."""
    return AIOKafkaConsumer(
        **broker.client(),
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=FETCH_BYTES,
        fetch_max_bytes=4 * FETCH_BYTES,
        **options,
    )


def writer(broker: Broker, **options: Any) -> AIOKafkaProducer:
    """An idempotent producer whose records are acknowledged by all replicas."""
    return AIOKafkaProducer(**broker.client(), enable_idempotence=True, acks="all", **options)


async def start_client(client: AIOKafkaConsumer | AIOKafkaProducer | AIOKafkaAdminClient, broker: Broker) -> None:
    """Start a client.

    Raises
    ------
    ServiceError
        If no broker answers, takes the login, or lets the client do what it is for; with the setting to change.
    """
    try:
        await client.start()
    except KafkaError as error:
        close = client.close if isinstance(client, AIOKafkaAdminClient) else client.stop
        forbidden = not_allowed(error)
        if forbidden is None and not isinstance(error, KafkaConnectionError):
            raise
        await close()
        raise ServiceError(forbidden or await no_connection(broker, error)) from error


async def has_stopped(producer: AIOKafkaProducer, within_s: float) -> bool:
    """Stop a producer, which by itself would wait for its broker for ever; whether all that was sent went out."""
    stopping = asyncio.create_task(producer.stop())
    done, _ = await asyncio.wait([stopping], timeout=within_s)
    if done:
        stopping.result()
        return True
    stopping.cancel()
    await asyncio.wait([stopping])
    await producer.client.close()
    producer._sender.sender_task.cancel()
    return False


async def read_to_end(
    broker: Broker,
    partitions: Iterable[TopicPartition],
    handle: Callable[[ConsumerRecord], None],
    progress: Callable[[int, int], Awaitable[None]] | None = None,
) -> int:
    """Read partitions from their start to where their committed ends are now; returns the number of records.

    Parameters
    ----------
    handle
        Called with each record, in offset order within a partition; the event loop is let go every 1,000 records.
    progress
        Awaited after each fetch with the offsets done and in all.

    Raises
    ------
    Undecodable
        At the first batch that cannot be decoded; what was read before it has been handled.
    """
    consumer = reader(broker)
    await start_client(consumer, broker)
    try:
        failures = tell_apart(consumer)
        assigned = list(partitions)
        consumer.assign(assigned)
        ends: dict[TopicPartition, int] = await consumer.end_offsets(assigned)
        starts: dict[TopicPartition, int] = await consumer.beginning_offsets(assigned)
        total = sum(ends[tp] - starts[tp] for tp in assigned)
        n = 0
        while True:
            positions = {tp: await consumer.position(tp) for tp in assigned}
            if progress is not None:
                await progress(sum(min(positions[tp], ends[tp]) - starts[tp] for tp in assigned), total)
            if all(positions[tp] >= ends[tp] for tp in assigned):
                return n
            fetched = await consumer.getmany(timeout_ms=100, max_records=20_000)
            for records in fetched.values():
                for record in records:
                    handle(record)
                    n += 1
                    if n % RECORDS_BETWEEN_PAUSES == 0:
                        await asyncio.sleep(0)
            check_decoded(failures)
    finally:
        await consumer.stop()


async def partition_counts(broker: Broker, topics: Iterable[str]) -> dict[str, int]:
    """Partitions of each topic that exists.

    Raises
    ------
    ServiceError
        If this client may not see one of them.
    """
    admin = AIOKafkaAdminClient(**broker.client())
    await start_client(admin, broker)
    try:
        found = await admin.describe_topics(list(topics))
        refuse_hidden(found)
        return {topic["topic"]: len(topic["partitions"]) for topic in found if topic["error_code"] == 0}
    finally:
        await admin.close()


async def partitions_of(broker: Broker, topic: str) -> list[TopicPartition]:
    """The topic's partitions.

    Raises
    ------
    ServiceError
        If there is no such topic.
    """
    counts = await partition_counts(broker, [topic])
    if topic not in counts:
        raise ServiceError(
            f"there is no topic {topic} at {broker}. A worker makes it at its start: run `freshet worker`, or `freshet "
            "topics`, or check FRESHET_BROKER and FRESHET_NAMESPACE."
        )
    return [TopicPartition(topic, number) for number in range(counts[topic])]


async def create_topics(broker: Broker, specs: Iterable[TopicSpec], replication_factor: int) -> None:
    """Create the topics that do not exist; what a cluster does not let be set is left out, and told.

    Parameters
    ----------
    replication_factor
        0: that of the first of these topics that is there, or the broker's default.

    Raises
    ------
    ServiceError
        If the broker refuses one.
    """
    admin = AIOKafkaAdminClient(**broker.client())
    await start_client(admin, broker)
    try:
        for topic, config in (await make_topics(admin, specs, replication_factor)).items():
            for key, value in config.items():
                logger.warning("%s was made without %s=%s, which Kafka refuses: %s", topic, key, value, OPTIONAL[key])
    except KafkaError as error:
        raise ServiceError(f"topics cannot be created at {broker}: {error!r}. Create them, or allow it.") from error
    finally:
        await admin.close()


async def topic_limits(broker: Broker, topics: Iterable[str]) -> dict[str, int]:
    """`max.message.bytes` of each topic; Kafka's own default where this client may not see it."""
    admin = AIOKafkaAdminClient(**broker.client())
    await start_client(admin, broker)
    try:
        resources = [ConfigResource(ConfigResourceType.TOPIC, name, {LIMIT: ""}) for name in topics]
        limits: dict[str, int] = {}
        for response in await admin.describe_configs(resources):
            for code, message, _, topic, entries in response.resources:
                if for_code(code) is TopicAuthorizationFailedError:
                    limits[topic] = USUAL_LIMIT
                    logger.warning(
                        "%s: this client may not see its configuration (DescribeConfigs); it should take %d bytes",
                        topic,
                        USUAL_LIMIT,
                    )
                elif code:
                    raise ServiceError(
                        f"the configuration of topic {topic} cannot be read: {for_code(code)} {message}."
                    )
                else:
                    limits[topic] = int(dict(entry[:2] for entry in entries)[LIMIT])
        return limits
    finally:
        await admin.close()
