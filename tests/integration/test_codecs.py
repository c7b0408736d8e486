"""Every codec of Kafka: by producers, and by what topics are set to, for events and for saved state."""

import asyncio

import orjson
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from confluent_kafka import Producer

from app.batches import raw_batch
from app.kafka import reader, start_client
from tests.command import freshet
from tests.scene import Scene

PARTITIONS = 2
CODECS = ("gzip", "lz4", "snappy", "zstd")
USERS = [f"user-{number}" for number in range(60)]


def event(user_id: str, number: int) -> bytes:
    """A valid event."""
    fields = {"user_id": user_id, "item_id": f"i{number % 7}", "event_type": "view", "timestamp": 1_700_000_000_000}
    return orjson.dumps(fields)


def produce(scene: Scene, codec: str) -> None:
    """A few events of every user in large batches, sent by confluent-kafka."""
    options = {"partitioner": "murmur2_random", "compression.type": codec, "linger.ms": 300}
    producer = Producer({"bootstrap.servers": scene.settings.broker, **options})
    for number in range(5 * len(USERS)):
        user_id = USERS[number % len(USERS)]
        producer.produce(scene.names.events, key=user_id.encode(), value=event(user_id, number))
    assert producer.flush(20) == 0
    scene.n_sent += 5 * len(USERS)


def stored_codecs(scene: Scene, topic: str) -> list[str]:
    """Codecs of the stored batches of partition 0, oldest first; those that follow each other once."""

    async def read() -> list[str]:
        consumer, tp = reader(scene.settings.kafka), TopicPartition(topic, 0)
        await start_client(consumer, scene.settings.kafka)
        try:
            at, end, found = 0, (await consumer.end_offsets([tp]))[tp], list[str]()
            while at < end:
                batch = await raw_batch(consumer, tp, at)
                at = batch.behind
                if not found or found[-1] != batch.codec:
                    found.append(batch.codec)
            return found
        finally:
            await consumer.stop()

    return asyncio.run(read())


def compress(scene: Scene, topics: list[str], codec: str) -> None:
    """Have the broker compress whatever comes into topics, as they are otherwise."""
    configs = {spec.name: {**spec.config, "compression.type": codec} for spec in scene.names.topics(PARTITIONS)}

    async def alter() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=scene.settings.broker)
        await admin.start()
        try:
            resources = [ConfigResource(ConfigResourceType.TOPIC, topic, configs[topic]) for topic in topics]
            await admin.alter_configs(resources)
        finally:
            await admin.close()

    asyncio.run(alter())


@pytest.mark.timeout(600)  # the first start of all downloads Kafka
def test_every_codec_of_producers_and_of_topics(scene: Scene) -> None:
    """Librdkafka with each codec, then zstd by the topics: every event is counted, saved state is read at the start."""
    scene.create(PARTITIONS)
    worker = scene.worker()
    for codec in CODECS:
        produce(scene, codec)
    states = scene.assert_exact()
    assert stored_codecs(scene, scene.names.events) == list(CODECS)
    assert {user_id for state in states for user_id in state.users} == set(USERS)
    assert sum(state.metrics.counts["events"] for state in states) == scene.n_sent

    topics = [scene.names.events, scene.names.user_checkpoints, scene.names.item_checkpoints]
    compress(scene, topics, "zstd")
    produce(scene, "none")
    scene.assert_exact()
    assert worker.stop() == 0
    for topic in topics[1:]:
        assert stored_codecs(scene, topic)[:1] == ["none"] and "zstd" in stored_codecs(scene, topic)

    successor = scene.worker()
    assert sum(line["next_offset"] for line in successor.of_kind("loaded")) == scene.n_sent
    produce(scene, "lz4")
    scene.assert_lists(scene.assert_exact())
    assert stored_codecs(scene, scene.names.events) == [*CODECS]  # what came as lz4 lies there as zstd
    assert scene.read(scene.names.dead_letters) == []


def test_our_own_producers_compress(scene: Scene) -> None:
    """`produce` at full speed sends zstd, at a rate it does not."""
    scene.create(1)
    lines = b"\n".join(event(user_id, number) for number, user_id in enumerate(USERS * 3))
    assert freshet("produce", "-", settings=scene.settings, stdin=lines).code == 0
    assert freshet("produce", "-", "--rate", "500", settings=scene.settings, stdin=lines).code == 0

    assert stored_codecs(scene, scene.names.events) == ["zstd", "none"]
    assert len(scene.read(scene.names.events)) == 2 * 3 * len(USERS)
