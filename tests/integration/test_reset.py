"""`freshet reset`: the log is folded anew, whatever was saved before."""

import asyncio
import time

import orjson
import pytest
import redis
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from app import reset as resetting
from app.kafka import create_topics, partition_counts
from app.kafka_admin import committed_offsets
from app.worker.checkpoints import CheckpointWriter
from tables.cutting import Cut
from tables.marker import MARKER_KEY
from tests.command import Outcome, freshet
from tests.exits import wait_exit
from tests.flow import events
from tests.scene import Scene

LIMITS = 1_048_588


def run_reset(scene: Scene) -> Outcome:
    """Reset without being asked."""
    return freshet("reset", "--yes", "--json", settings=scene.settings)


def saved_keys(scene: Scene) -> dict[tuple[str, int, bytes], bytes | None]:
    """The latest value of every key of saved state that has one."""
    latest: dict[tuple[str, int, bytes], bytes | None] = {}
    for topic in (scene.names.user_checkpoints, scene.names.item_checkpoints, scene.names.factors):
        for record in scene.read(topic):
            latest[topic, record.partition, record.key] = record.value
    return {key: value for key, value in latest.items() if value is not None}


def folded(scene: Scene, partitions: int, n: int = 400) -> None:
    """A namespace with `n` events folded and saved, and no worker."""
    scene.create(partitions)
    worker = scene.worker()
    scene.send(events(3, n))
    scene.await_durable()
    await_default_list(scene, epoch=1)
    worker.stop()


def await_default_list(scene: Scene, epoch: int) -> None:
    """Return when the default list of an epoch is in Redis."""
    deadline = time.monotonic() + 20
    with redis.Redis.from_url(scene.settings.redis_url) as client:
        while b'"version":"%06d-' % epoch not in (client.get(scene.keys.default_list()) or b""):
            assert time.monotonic() < deadline, scene.logs()
            time.sleep(0.1)


def start_anew(scene: Scene) -> None:
    """Start a worker; what those before had saved counts no more."""
    for worker in scene.workers:
        worker.progress = {}
    scene.worker()


def write_marker(scene: Scene, partition: int, marker: bytes) -> None:
    """Put other bytes in place of a partition's marker."""
    before = scene.markers()[partition]

    async def write() -> None:
        limits = dict.fromkeys((scene.names.user_checkpoints, scene.names.item_checkpoints), LIMITS)
        writer = CheckpointWriter(partition, scene.names, scene.settings.kafka, limits)
        await writer.start()
        await writer.write(Cut(before, [(MARKER_KEY, marker)], [], 0))
        await writer.stop()

    asyncio.run(write())


def grow(scene: Scene, partitions: int) -> None:
    """Give the log more partitions."""

    async def grow_log() -> None:
        admin = AIOKafkaAdminClient(**scene.settings.kafka.client())
        await admin.start()
        await admin.create_partitions({scene.names.events: NewPartitions(partitions)})
        await admin.close()

    asyncio.run(grow_log())
    while asyncio.run(partition_counts(scene.settings.kafka, [scene.names.events]))[scene.names.events] < partitions:
        time.sleep(0.05)


def shrink(scene: Scene) -> None:
    """Make the log anew, empty, with one partition."""

    async def delete() -> None:
        admin = AIOKafkaAdminClient(**scene.settings.kafka.client())
        await admin.start()
        await admin.delete_topics([scene.names.events])
        await admin.close()

    asyncio.run(delete())
    while asyncio.run(partition_counts(scene.settings.kafka, [scene.names.events])):
        time.sleep(0.05)
    log = next(spec for spec in scene.names.topics(1) if spec.name == scene.names.events)
    asyncio.run(create_topics(scene.settings.kafka, [log], 1))
    scene.n_sent = 0


def test_the_log_is_folded_anew(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing stays but new markers; the next worker ends up with the same state and newer lists."""
    monkeypatch.setattr(resetting, "KEYS_PER_TRANSACTION", 50)
    folded(scene, 2)
    n_saved = sum(key != MARKER_KEY for _, _, key in saved_keys(scene))

    outcome = run_reset(scene)

    assert outcome.code == 0, outcome.err
    done = orjson.loads(outcome.out)
    assert done == {"epoch": 2, "n_partitions": 2, "n_removed": n_saved, "n_records": 400}
    markers = scene.markers()
    assert {(m.epoch, m.next_offset, m.published_offset, m.n_partitions) for m in markers.values()} == {(2, 0, -1, 2)}
    assert {key for _, _, key in saved_keys(scene)} == {MARKER_KEY}
    names, broker = scene.names, scene.settings.kafka
    assert asyncio.run(committed_offsets(broker, names.group, names.events, 2)) == {0: 0, 1: 0}

    start_anew(scene)
    states = scene.assert_exact()
    for state in states:
        state.epoch = 2
    scene.assert_lists(states)


def test_refused_while_a_worker_runs(scene: Scene) -> None:
    """With a worker in the group nothing is touched, and the message says how to stop it."""
    scene.create(1)
    scene.worker()
    before = scene.markers()

    outcome = run_reset(scene)

    assert outcome.code == 1
    assert "1 workers are in the group" in outcome.err
    assert "SIGTERM" in outcome.err
    assert {marker.epoch for marker in scene.markers().values()} <= {1}
    assert before.keys() <= scene.markers().keys()


def test_nobody_to_be_asked(scene: Scene) -> None:
    """Without a terminal --yes is needed; nothing is changed."""
    folded(scene, 1, 50)
    before = saved_keys(scene)

    outcome = freshet("reset", settings=scene.settings)

    assert outcome.code == 2
    assert "--yes" in outcome.err
    assert "50 records are folded anew" in outcome.err
    assert saved_keys(scene) == before


@pytest.mark.parametrize("marker", [b"\x63of another version", b"\x01no json"], ids=["version", "damaged"])
def test_marker_that_cannot_be_read(scene: Scene, marker: bytes) -> None:
    """The documented way out of an unknown version: the epoch comes from the lists in Redis, and rises."""
    folded(scene, 1)
    run_reset(scene)
    worker = scene.worker()
    await_default_list(scene, epoch=2)
    worker.stop()
    write_marker(scene, 0, marker)

    outcome = run_reset(scene)

    assert orjson.loads(outcome.out)["epoch"] == 3


def test_marker_that_cannot_be_read_without_redis(scene: Scene) -> None:
    """If nobody knows the epoch the reset says so, and removes nothing."""
    folded(scene, 1, 50)
    write_marker(scene, 0, b"\x63")
    before = saved_keys(scene)

    outcome = freshet("reset", "--yes", "--redis", "redis://127.0.0.1:1/0", settings=scene.settings)

    assert outcome.code == 1
    assert "does not say its epoch" in outcome.err
    assert saved_keys(scene) == before


def test_log_with_more_partitions(scene: Scene) -> None:
    """A worker refuses a log that has grown; after the reset the checkpoints have grown, too, and it folds."""
    folded(scene, 1)
    grow(scene, 3)
    refused = scene.worker(ready=False)
    assert wait_exit(refused, 30) == 1
    assert "freshet reset" in refused.log_path.read_text()

    outcome = run_reset(scene)

    assert outcome.code == 0, outcome.err
    topics = (scene.names.user_checkpoints, scene.names.item_checkpoints)
    assert set(asyncio.run(partition_counts(scene.settings.kafka, topics)).values()) == {3}
    start_anew(scene)
    scene.send(events(4, 200))
    scene.assert_exact()


def test_log_made_anew_with_fewer_partitions(scene: Scene) -> None:
    """Checkpoint topics that are too large are made anew; the epoch rises above that of the lists in Redis."""
    folded(scene, 3)
    shrink(scene)

    outcome = run_reset(scene)

    assert orjson.loads(outcome.out) == {"epoch": 2, "n_partitions": 1, "n_removed": 0, "n_records": 0}, outcome.err
    assert "was made anew with 1 partitions, it had 3" in outcome.err
    start_anew(scene)
    scene.send(events(4, 100))
    scene.assert_exact()


def test_interrupted_reset_is_never_taken_for_state(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a reset that died half way a worker refuses to start; another reset ends it well."""
    folded(scene, 1)
    write, n_left = CheckpointWriter.write, 2

    async def dying(self: CheckpointWriter, cut: Cut) -> None:
        nonlocal n_left
        n_left -= 1
        if n_left < 0:
            raise KeyboardInterrupt
        await write(self, cut)

    with monkeypatch.context() as patch:
        patch.setattr(resetting, "KEYS_PER_TRANSACTION", 20)
        patch.setattr(CheckpointWriter, "write", dying)
        assert run_reset(scene).code == 130
    refused = scene.worker(ready=False)
    assert wait_exit(refused, 30) == 1
    assert "freshet reset" in refused.log_path.read_text()

    assert orjson.loads(run_reset(scene).out)["epoch"] == 2
    start_anew(scene)
    scene.assert_exact()
