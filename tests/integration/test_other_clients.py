"""Events written by librdkafka: by Java's partitioner, and by its own."""

from typing import Any

import orjson
import pytest
from confluent_kafka import Producer

from models.partitioner import partition_of
from tests.scene import Scene

PARTITIONS = 4
USERS = [f"user-{number}" for number in range(100)]


def produce(scene: Scene, **options: Any) -> None:
    """One event of every user, sent by confluent-kafka."""
    producer = Producer({"bootstrap.servers": scene.settings.broker, **options})
    for number, user_id in enumerate(USERS):
        event = {"user_id": user_id, "item_id": f"i{number % 7}", "event_type": "view", "timestamp": 1_700_000_000_000}
        producer.produce(scene.names.events, key=user_id.encode(), value=orjson.dumps(event))
    assert producer.flush(20) == 0
    scene.n_sent += len(USERS)


def misplaced() -> set[str]:
    """Users whom the two partitioners put into different partitions."""
    return {
        user_id
        for user_id in USERS
        if partition_of(user_id.encode(), PARTITIONS, "crc32") != partition_of(user_id.encode(), PARTITIONS, "murmur2")
    }


@pytest.mark.timeout(600)  # the first start of all downloads Kafka
def test_murmur2_random_is_understood(scene: Scene) -> None:
    """With `partitioner=murmur2_random` every event arrives."""
    scene.create(PARTITIONS)
    scene.worker()
    produce(scene, partitioner="murmur2_random")

    states = scene.assert_exact()

    assert {user_id for state in states for user_id in state.users} == set(USERS)
    scene.assert_lists(states)
    assert scene.read(scene.names.dead_letters) == []


def test_own_partitioner_ends_in_dead_letters(scene: Scene) -> None:
    """With librdkafka's default a misplaced user is a dead letter `wrong_partition`; none is folded, none is lost."""
    scene.create(PARTITIONS)
    scene.worker()
    produce(scene)

    states = scene.assert_exact()

    letters = scene.read(scene.names.dead_letters)
    assert {letter.key.decode() for letter in letters} == misplaced()
    assert {dict(letter.headers)["reason"] for letter in letters} == {b"wrong_partition"}
    assert {user_id for state in states for user_id in state.users} == set(USERS) - misplaced()


def test_own_partitioner_is_understood_by_setting(scene: Scene) -> None:
    """With FRESHET_PARTITIONER=crc32 all events of librdkafka's default partitioner arrive."""
    scene.create(PARTITIONS)
    scene.configure(partitioner="crc32")
    scene.worker()
    produce(scene)

    states = scene.assert_exact()

    assert {user_id for state in states for user_id in state.users} == set(USERS)
    assert scene.read(scene.names.dead_letters) == []
