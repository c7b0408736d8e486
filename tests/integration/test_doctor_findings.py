"""What `freshet doctor` says of one set-up with most that can be wrong; all of it in one run."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import redis
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from app.kafka_admin import committed_offsets, log_ranges
from models.partitioner import partition_of
from tests.command import Outcome, freshet
from tests.scene import Scene, Sent
from tests.stack import require, scene_on, shared_stack

N_SECONDS, N_LATE, N_RIGHT = 40, 60, 100
HOUR_MS = 3_600_000
MEMORY = {"maxmemory": str(2**40), "maxmemory-policy": "allkeys-lru"}
USERS = [[f"u{n}" for n in range(99) if partition_of(b"u%d" % n, 2) == number][:5] for number in (0, 1)]


def event(user_id: str, timestamp_ms: int, event_type: str = "view") -> Sent:
    """An event as it is sent."""
    fields = {"user_id": user_id, "item_id": "i", "event_type": event_type, "timestamp": timestamp_ms}
    return Sent(user_id.encode(), orjson.dumps(fields))


async def configure(scene: Scene, changes: dict[str, dict[str, str]]) -> None:
    """Change the configuration of topics."""
    made = {spec.name: dict(spec.config) for spec in scene.names.topics(2)}
    admin = AIOKafkaAdminClient(**scene.settings.kafka.client())
    await admin.start()
    try:
        resources = [
            ConfigResource(ConfigResourceType.TOPIC, topic, {**made[topic], **change})
            for topic, change in changes.items()
        ]
        await admin.alter_configs(resources)
    finally:
        await admin.close()


async def commit(scene: Scene, sent: Sent) -> None:
    """Send one event in a transaction of its own, whose mark ends the partition."""
    producer = AIOKafkaProducer(**scene.settings.kafka.client(), transactional_id=f"{scene.names.group}.other")
    await producer.start()
    try:
        async with producer.transaction():
            await producer.send_and_wait(scene.names.events, sent.value, key=sent.key)
    finally:
        await producer.stop()


def misuse(scene: Scene) -> None:
    """Do most of what can be done wrong, and wait until a worker has folded it."""
    now_ms = int(time.time() * 1000)
    refused = [
        *[event(USERS[0][0], now_ms, "glance")] * 30,
        *[Sent(b"u", b"{")] * 20,
        *[Sent(b"other", event("u1", now_ms).value)] * 6,
    ]
    late_ms = now_ms - 48 * HOUR_MS
    right = [event(USERS[0][n % 5], now_ms - n) for n in range(N_RIGHT)]
    late = [event(USERS[0][n % 5], late_ms) for n in range(N_LATE)]
    seconds = [event(USERS[0][n % 5], now_ms // 1000) for n in range(N_SECONDS)]
    scene.send([*refused, *right, *seconds, *late])
    asyncio.run(commit(scene, event(USERS[1][0], now_ms)))
    scene.n_sent += 1
    ends = {number: state.next_offset for number, state in enumerate(scene.await_durable())}

    def uncommitted() -> dict[int, int]:
        committed = asyncio.run(committed_offsets(scene.settings.kafka, scene.names.group, scene.names.events, 2))
        return {number: end for number, end in ends.items() if committed.get(number) != end}

    scene.await_none(uncommitted, 10, "offsets")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    """What the doctor says, once, of a namespace in which most is wrong."""
    stack = require(shared_stack())
    with pytest.MonkeyPatch.context() as patch, redis.Redis.from_url(stack.redis_url) as server:
        for scene in scene_on(stack, tmp_path_factory.mktemp("doctor"), patch):
            scene.create(2)
            scene.worker()
            misuse(scene)
            names = scene.names
            changes = {
                names.events: {"message.timestamp.type": "CreateTime", "retention.ms": str(48 * HOUR_MS)},
                names.profiles: {"cleanup.policy": "delete"},
                names.user_checkpoints: {"segment.bytes": str(128 * 1024**2)},
            }
            asyncio.run(configure(scene, changes))
            before = {name: server.config_get(name)[name] for name in MEMORY}
            try:
                for name, value in MEMORY.items():
                    server.config_set(name, value)
                outcome = freshet("doctor", "--json", settings=scene.settings)
            finally:
                for name, value in before.items():
                    server.config_set(name, value)
            ranges = asyncio.run(log_ranges(scene.settings.kafka, names.events, 2))
            assert [end for _, end in ranges.values()] == [scene.n_sent - 1 - in_one(scene), 2 + in_one(scene)]
            yield outcome


def in_one(scene: Scene) -> int:
    """Records of partition 1 that were no transaction's."""
    return sum(int(record.partition == 1) for record in scene.read(scene.names.events)) - 1


def found(told: Outcome, check: str) -> list[dict[str, Any]]:
    """The findings of one check."""
    return [finding for finding in orjson.loads(told.out)["findings"] if finding["check"] == check]


@pytest.mark.timeout(600)  # the first start of all downloads Kafka
def test_the_doctor_fails_and_says_all_of_it(told: Outcome) -> None:
    """Exit code 1, and one list of everything that is wrong."""
    said = orjson.loads(told.out)
    wrong = sorted({finding["check"] for finding in said["findings"] if finding["status"] == "wrong"})

    assert (told.code, said["ok"]) == (1, False)
    assert wrong == ["Redis", "bad events", "configuration", "event times"]


def test_dead_letters_of_every_kind(told: Outcome) -> None:
    """All refused events are findings, by reason, with an example and the setting; those in seconds among them."""
    by_reason = {one["details"]["reason"]: one for one in found(told, "bad events") if one["details"]}

    counts = {reason: (one["status"], one["details"]["n"]) for reason, one in by_reason.items()}
    assert counts == {
        "unknown_event_type": ("wrong", 30),
        "not_json": ("wrong", 20),
        "wrong_key": ("wrong", 6),
        "out_of_range": ("wrong", N_SECONDS),
    }
    assert "looks like seconds. Send Unix milliseconds UTC" in by_reason["out_of_range"]["found"]
    assert """FRESHET_EXTRA_EVENT_TYPES='{"glance":[1.0,1]}'""" in by_reason["unknown_event_type"]["advice"]
    assert "the record's key is b'other', its user_id 'u1'" in by_reason["wrong_key"]["found"]


def test_seconds(told: Outcome) -> None:
    """A flood of times in seconds is called that."""
    (one,) = [one for one in found(told, "event times") if one["status"] == "wrong"]

    assert "look like seconds" in one["found"].replace("looks", "look")
    assert one["details"] == {"looks_like": "seconds", "n": N_SECONDS, "of": N_RIGHT + N_SECONDS + N_LATE + 37}


def test_late_events(told: Outcome) -> None:
    """The share of late events, and how many the checkpoints have counted; those in seconds are none."""
    (one,) = found(told, "late events")

    assert (one["status"], one["details"]["n"], one["details"]["late"]) == ("note", N_LATE, N_LATE)
    assert "up to 2.0 days" in one["found"]


def test_records_stamped_by_their_producers(told: Outcome) -> None:
    """A topic with CreateTime is a note with what hangs on it."""
    (one,) = [one for one in found(told, "event times") if one["status"] == "note"]

    assert "message.timestamp.type is CreateTime" in one["found"]


def test_retention_and_cleaning(told: Outcome) -> None:
    """Two days are too short for what trends look back on; profiles that are not compacted vanish."""
    (retention,) = found(told, "retention")
    configuration = {one["status"]: one for one in found(told, "configuration")}

    assert (retention["status"], "keeps events for 2 days" in retention["found"]) == ("note", True)
    assert "profiles vanish" in configuration["wrong"]["found"]
    assert "segment.bytes is 134217728" in configuration["note"]["found"]
    assert "larger ones make a start read more" in configuration["note"]["advice"]


def test_redis_that_evicts(told: Outcome) -> None:
    """A policy that drops lists is wrong."""
    (one,) = [one for one in found(told, "Redis") if one["status"] == "wrong"]

    assert "with allkeys-lru: lists vanish" in one["found"]


def test_the_mark_of_a_transaction_is_no_lag(told: Outcome) -> None:
    """A partition that ends with one has lag 0 for good."""
    (lag,) = found(told, "lag")

    assert (lag["status"], lag["found"]) == ("ok", "records in no checkpoint, by partition: 0: 0, 1: 0")
