"""The client's senders on real Kafka: what they send, a worker folds."""

import asyncio
import time
from typing import Any

import orjson
import pytest

from freshet_client import EventCollector, FeatureStore, InvalidEvent, Position, Reader, ServiceError, UserEvent
from tables.profiles import parse_profile
from tests.scene import Scene

PATIENCE_S = 30.0


def test_an_event_becomes_a_list_and_features(scene: Scene) -> None:
    """An event is acknowledged with its place, lies under its user, and is in the list and features read next."""
    scene.create(partitions=3)
    scene.worker()
    settings = scene.settings

    async def send() -> tuple[Position, list[Position]]:
        async with EventCollector(settings.broker, settings.namespace) as collector:
            first = await collector.track_event(UserEvent("u1", "i1", "view"))
            events = [UserEvent(f"u{n}", "i2", "rating", value=4.5) for n in range(2, 12)]
            with pytest.raises(InvalidEvent, match="glance"):
                await collector.track_event(UserEvent("u1", "i1", "glance"))
            return first, await asyncio.gather(*map(collector.track_event, events))

    first, others = asyncio.run(send())
    records = scene.read(scene.names.events)

    assert len(records) == 11
    assert all(record.key == orjson.loads(record.value)["user_id"].encode() for record in records)
    assert {(record.partition, record.offset) for record in records} == {first, *others}
    assert str(first) == f"{first.partition}:{first.offset}"
    with Reader(settings.redis_url, settings.namespace) as reader:
        deadline = time.monotonic() + PATIENCE_S
        while (found := reader.recs("u1")) is None or found.rung != "user":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert found.source == (scene.names.events, *first)
        while not reader.user_features("u1"):
            assert time.monotonic() < deadline
            time.sleep(0.05)

    async def features() -> dict[str, Any]:
        async with FeatureStore(settings.redis_url, settings.broker, settings.namespace) as store:
            assert await store.get_user_features("nobody") == {}
            return await store.get_user_features("u1")

    assert asyncio.run(features()).items() >= {"n_events": 1, "view_all": 1, "recent_items": ["i1"]}.items()


def test_a_profile_replaces_the_one_before(scene: Scene) -> None:
    """Profiles lie in their topic as workers read them, the newest last; None deletes."""
    scene.create(partitions=1)
    settings = scene.settings

    async def send() -> None:
        async with FeatureStore(settings.redis_url, settings.broker, settings.namespace) as store:
            await store.update_user_features("u1", {"age": 31, "preferences": {"genres": ["drama"]}})
            await store.update_user_features("u1", None)
            with pytest.raises(InvalidEvent, match="age has value 200"):
                await store.update_user_features("u1", {"age": 200})

    asyncio.run(send())
    written, deleted = scene.read(scene.names.profiles)

    assert (written.key, deleted.key, deleted.value) == (b"u1", b"u1", None)
    assert parse_profile(written.value).age == 31


def test_a_broker_that_is_not_there() -> None:
    """Is an error in time, and the collector can be closed after it."""

    async def send() -> None:
        async with EventCollector("127.0.0.1:1", timeout_s=2) as collector:
            with pytest.raises(ServiceError, match=r"Kafka at 127.0.0.1:1 cannot be reached"):
                await collector.track_event(UserEvent("u1", "i1", "view"))

    asyncio.run(send())
