"""What a worker refuses: values that do not fit, and state that belongs to another log."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.admin.new_partitions import NewPartitions

from app.kafka import partition_counts, topic_limits
from app.worker.process import WorkerProcess
from models.partitioner import partition_of
from tests.command import freshet
from tests.exits import wait_exit
from tests.flow import events
from tests.logs import START_MS
from tests.scene import Scene, Sent

EXIT_S = 60.0


@asynccontextmanager
async def admin_of(scene: Scene) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client that changes topics."""
    admin = AIOKafkaAdminClient(**scene.settings.kafka.client())
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


def limit_values(scene: Scene, topics: list[str], n_bytes: int) -> None:
    """Lower the topics' `max.message.bytes`."""

    async def alter() -> None:
        changes = {"max.message.bytes": str(n_bytes)}
        async with admin_of(scene) as admin:
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, changes) for topic in topics])
        while set((await topic_limits(scene.settings.kafka, topics)).values()) != {n_bytes}:  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # the broker has said yes, and takes a moment

    asyncio.run(alter())


def recreate(scene: Scene, topic: str) -> None:
    """Delete a topic and make it again, empty."""

    async def delete() -> None:
        async with admin_of(scene) as admin:
            await admin.delete_topics([topic])
        while await partition_counts(scene.settings.kafka, [topic]):  # noqa: ASYNC110 the broker does it
            await asyncio.sleep(0.1)

    asyncio.run(delete())
    scene.create(scene.settings.partitions)


def add_partitions(scene: Scene, topic: str, total: int) -> None:
    """Give a topic more partitions."""

    async def grow() -> None:
        async with admin_of(scene) as admin:
            await admin.create_partitions({topic: NewPartitions(total)})

    asyncio.run(grow())


def refusal(worker: WorkerProcess) -> str:
    """What the worker says when it ends, which must be with code 1 and without standing still."""
    assert wait_exit(worker, EXIT_S) == 1
    return worker.log_path.read_text().splitlines()[-1]


def running(scene: Scene, partitions: int, fault: str | None = None) -> WorkerProcess:
    """A worker that has folded and saved a log."""
    scene.create(partitions)
    scene.send(events(1, 500))
    worker = scene.worker(fault)
    scene.await_durable()
    return worker


@pytest.mark.parametrize(
    ("kind", "limit", "said"),
    [
        ("item_checkpoints", 20_000, "max.message.bytes"),
        ("dead_letters", 32_767, "Raise its max.message.bytes to 32768"),
    ],
)
def test_topic_too_small_is_refused_at_start(scene: Scene, kind: str, limit: int, said: str) -> None:
    """A topic that cannot take the largest value, or a letter even cut: exit code 1, naming topic, limit and fix."""
    scene.create(1)
    topic = getattr(scene.names, kind)
    limit_values(scene, [topic], limit)

    message = refusal(scene.worker(ready=False))

    assert f"topic {topic} takes messages of {limit} bytes" in message
    assert said in message


def test_value_too_large_in_flight_is_named(scene: Scene) -> None:
    """A value that does not fit ends the worker with the key and the size; the broker is not asked, nothing is cut."""
    scene.create(1)
    limit_values(scene, [scene.names.user_checkpoints, scene.names.item_checkpoints], 8_000)
    worker = scene.worker("no_bound")
    big = [
        b'{"user_id": "big", "item_id": "%d", "event_type": "view", "timestamp": 1700000000000}' % number
        for number in range(1500)
    ]
    scene.send(Sent(b"big", value) for value in big)

    message = refusal(worker)

    assert "the state of 'big' has " in message
    assert f"topic {scene.names.user_checkpoints} takes 6800" in message


def test_topic_made_anew_is_refused(scene: Scene) -> None:
    """State beyond the end of the log: exit code 1, naming both offsets and `freshet reset`."""
    assert running(scene, 2).stop() == 0
    recreate(scene, scene.names.events)

    message = refusal(scene.worker(ready=False))

    assert "but its log ends at 0" in message
    assert "freshet reset" in message


def test_topic_made_anew_under_a_running_worker_is_refused(scene: Scene) -> None:
    """A worker whose topic is made anew beneath it does not pass over the new log in silence."""
    worker = running(scene, 1, "quick_metadata")
    recreate(scene, scene.names.events)
    scene.send(events(2, 50))

    message = refusal(worker)

    assert "freshet reset" in message


def test_more_partitions_are_refused(scene: Scene) -> None:
    """State of two partitions, a topic of four: exit code 1, saying that users have moved and what to do."""
    assert running(scene, 2).stop() == 0
    add_partitions(scene, scene.names.events, 4)

    message = refusal(scene.worker(ready=False))

    assert "has 4 partitions" in message
    assert "freshet reset" in message


def test_more_partitions_under_a_running_worker_are_refused(scene: Scene) -> None:
    """A worker whose topic gets more partitions ends and says so, as soon as it learns of them."""
    worker = running(scene, 2, "quick_metadata")
    add_partitions(scene, scene.names.events, 4)

    message = refusal(worker)

    assert "has 4 partitions now" in message
    assert "freshet reset" in message


def test_a_changed_partitioner_is_refused_and_nobody_is_counted_anew(scene: Scene) -> None:
    """Placed by CRC-32, then set to murmur2: the worker names both and the command; set back, it counts on."""
    scene.configure(partitioner="crc32")
    scene.create(3)
    users = [f"u{number}" for number in range(12)]
    first = [placed(user, f"i{number}") for number in range(7) for user in users]
    worker = scene.worker()
    scene.send(first)
    scene.await_durable()
    assert worker.stop() == 0
    before = scene.markers()

    scene.configure(partitioner="murmur2")
    said = refusal(scene.worker(ready=False))

    assert "FRESHET_PARTITIONER was crc32 when the state was made and is murmur2 now" in said
    assert "Set FRESHET_PARTITIONER=crc32 again, or stop all workers and run `freshet reset`" in said
    assert scene.markers() == before
    findings = orjson.loads(freshet("doctor", "--json", settings=scene.settings).out)["findings"]
    (told,) = (each for each in findings if each["check"] == "settings")
    assert told["status"] == "wrong"
    assert "FRESHET_PARTITIONER is murmur2 here, and crc32 where the state of partitions 0, 1, 2" in told["found"]

    scene.configure(partitioner="crc32")
    scene.worker()
    scene.send([placed(user, "i9") for user in users])
    states = scene.assert_exact()
    counted = {user: found.n_events for state in states for user in users if (found := state.users.get(user))}
    assert counted == dict.fromkeys(users, 8)


def placed(user_id: str, item_id: str) -> Sent:
    """A view, in the one of three partitions that CRC-32 says."""
    event = {"user_id": user_id, "item_id": item_id, "event_type": "view", "timestamp": START_MS}
    return Sent(user_id.encode(), orjson.dumps(event), partition_of(user_id.encode(), 3, "crc32"))
