"""What an operator asks Kafka: groups, offsets, configurations; and topics made to fit."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
    for_code,
)
from aiokafka.structs import OffsetAndMetadata

from app.broker import Broker
from app.kafka import create_topics, partition_counts, reader, start_client
from models.errors import ServiceError
from tables.names import TopicSpec

WAIT_S = 20.0
POLL_S = 0.1
COORDINATOR_S: Final = 10.0
NO_COORDINATOR_YET: Final = (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group: its state in Kafka's own word, and its members as `client_id at host`."""

    state: str
    members: tuple[str, ...]


@asynccontextmanager
async def admin_client(broker: Broker) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client for as long as the block lasts."""
    client = AIOKafkaAdminClient(**broker.client())
    await start_client(client, broker)
    try:
        yield client
    finally:
        await client.close()


async def describe_group(broker: Broker, group: str) -> Group:
    """The group as its coordinator sees it; state `Dead` if there has never been one."""

    async def asked() -> Group:
        async with admin_client(broker) as client:
            (response,) = await client.describe_consumer_groups([group])
        (found,) = response.groups
        code, state, members = found[0], found[2], found[5]
        if code:
            raise for_code(code)(group)
        return Group(state, tuple(f"{member[1]} at {member[2].lstrip('/')}" for member in members))

    return await _once_coordinated(asked)


async def _once_coordinated(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again while a broker that is asked for its first group makes the topic where groups are kept."""
    deadline = time.monotonic() + COORDINATOR_S
    while True:
        try:
            return await ask()
        except NO_COORDINATOR_YET:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(POLL_S)


async def committed_offsets(broker: Broker, group: str, topic: str, n_partitions: int) -> dict[int, int]:
    """Committed offset of each partition that has one."""

    async def asked() -> Mapping[TopicPartition, OffsetAndMetadata]:
        async with admin_client(broker) as client:
            found: Mapping[TopicPartition, OffsetAndMetadata] = await client.list_consumer_group_offsets(
                group, partitions=[TopicPartition(topic, number) for number in range(n_partitions)]
            )
            return found

    found = await _once_coordinated(asked)
    return {tp.partition: entry.offset for tp, entry in found.items() if entry.offset >= 0}


async def commit_offsets(broker: Broker, group: str, topic: str, offsets: Mapping[int, int]) -> None:
    """Set the committed offsets of a group without members."""
    consumer = AIOKafkaConsumer(**broker.client(), group_id=group, enable_auto_commit=False)
    await start_client(consumer, broker)
    try:
        consumer.assign([TopicPartition(topic, number) for number in offsets])
        await consumer.commit({TopicPartition(topic, number): offset for number, offset in offsets.items()})
    finally:
        await consumer.stop()


async def log_ranges(broker: Broker, topic: str, n_partitions: int) -> dict[int, tuple[int, int]]:
    """First and end offset of each partition."""
    consumer = reader(broker)
    await start_client(consumer, broker)
    try:
        tps = [TopicPartition(topic, number) for number in range(n_partitions)]
        consumer.assign(tps)
        starts, ends = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
        return {tp.partition: (starts[tp], ends[tp]) for tp in tps}
    finally:
        await consumer.stop()


async def topic_configs(broker: Broker, topics: Iterable[str]) -> dict[str, dict[str, str]]:
    """Configuration of each topic, by Kafka's own names; without those that this client may not see."""
    async with admin_client(broker) as client:
        responses = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in topics])
    return {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for response in responses
        for resource in response.resources
        if resource[0] == 0
    }


async def fit_topics(
    broker: Broker, specs: Iterable[TopicSpec], replication_factor: int, *, anew: Container[str] = ()
) -> list[str]:
    """Make each topic have its number of partitions; returns what was done.

    Missing ones are created, small ones grow, and too large ones are deleted and created anew: Kafka cannot shrink a
    topic. For topics whose content is about to be dropped anyway.

    Parameters
    ----------
    anew
        Topics that are made anew in any case.

    Raises
    ------
    ServiceError
        If the broker does not get it done in time.
    """
    wanted = {spec.name: spec for spec in specs}
    counts = await partition_counts(broker, wanted)
    large = [
        name
        for name, spec in wanted.items()
        if counts.get(name, 0) > spec.partitions or (name in counts and name in anew)
    ]
    small = {
        name: spec for name, spec in wanted.items() if 0 < counts.get(name, 0) < spec.partitions and name not in large
    }
    async with admin_client(broker) as client:
        if small:
            await client.create_partitions({name: NewPartitions(spec.partitions) for name, spec in small.items()})
        if large:
            await client.delete_topics(large)
            await _await_counts(broker, dict.fromkeys(large, 0))
    await create_topics(broker, wanted.values(), replication_factor)
    await _await_counts(broker, {name: spec.partitions for name, spec in wanted.items()})
    missing = wanted.keys() - counts.keys()
    return [
        *(f"{name} has {spec.partitions} partitions now, instead of {counts[name]}" for name, spec in small.items()),
        *(f"{name} was made anew with {wanted[name].partitions} partitions, it had {counts[name]}" for name in large),
        *(f"{name} was made" for name in sorted(missing)),
    ]


async def _await_counts(broker: Broker, wanted: Mapping[str, int]) -> None:
    try:
        async with asyncio.timeout(WAIT_S):
            while True:
                counts = await partition_counts(broker, wanted)
                if all(counts.get(name, 0) == n for name, n in wanted.items()):
                    return
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise ServiceError(
            f"topics {', '.join(wanted)} do not have {', '.join(map(str, wanted.values()))} partitions after "
            f"{WAIT_S:g} s. Look into the broker's log, then run the command again."
        ) from None
