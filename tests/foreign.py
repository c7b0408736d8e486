"""Records as others write them: two keyless topics of different forms whose arrays fan out, and what they come to."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from app.kafka import create_topics, writer
from tables.names import TopicSpec
from tests.scene import Scene

TRACK, HITS = "shop.track", "app_hits"
PARTITIONS = {TRACK: 3, HITS: 2}
TYPES = {"Product Viewed": "view", "Product Added": "add_to_cart", "Order Completed": "purchase"}
KINDS = {"pv": "view", "buy": "purchase"}
DAYS_30_MS = 30 * 86_400_000

Plain = tuple[str, str, str, int, str]
"""A plain event: user, item, type, time, event_id."""


class Foreign(NamedTuple):
    """A record, where it lies, and the plain events in it; None: a dead letter."""

    topic: str
    partition: int
    time_ms: int
    value: bytes
    events: list[Plain] | None


def sources(scene: Scene) -> dict[str, Any]:
    """The settings for both topics, which have the test's own prefix."""
    return {
        "shop": {"topics": [topic_of(scene, TRACK)], "format": "segment"},
        "app": {
            "topics": [topic_of(scene, HITS)],
            "user_id": "visitor",
            "each": "hits",
            "item_id": "each.sku",
            "event_type": "each.kind",
            "timestamp": "at",
            "time": "s",
            "event_id": "id",
            "types": KINDS,
        },
    }


def topic_of(scene: Scene, name: str) -> str:
    """The topic's name in a test."""
    return f"{name}-{scene.settings.namespace}"


def create(scene: Scene) -> None:
    """Make both topics, kept for ever: what lies there is old."""
    specs = [TopicSpec(topic_of(scene, name), n, {"retention.ms": "-1"}) for name, n in PARTITIONS.items()]
    asyncio.run(create_topics(scene.settings.kafka, specs, 1))


def made(seed: int, n: int, name: str, first_ms: int, last_ms: int, *, bad: float = 0.03) -> list[Foreign]:
    """So many records between two times, in time order, far more of them on some partitions than on others."""
    draw = random.Random(seed)
    records = []
    for number in range(n):
        time_ms = first_ms + (last_ms - first_ms) * number // n
        time_ms -= time_ms % 1000
        topic = draw.choice((TRACK, TRACK, HITS))
        partition = min(draw.randrange(PARTITIONS[topic]), draw.randrange(PARTITIONS[topic]))
        user, event_id = f"u{draw.randrange(60)}", f"{name}{number}"
        items = [f"i{draw.randrange(200)}" for _ in range(draw.randrange(1, 5))]
        if is_bad := draw.random() < bad:
            items[-1] = "not{one}"
        make = _track if topic == TRACK else _hits
        kind, value = make(draw, user, items, time_ms, event_id)
        events = [(user, item, kind, time_ms, f"{event_id}/{index}") for index, item in enumerate(items)]
        records.append(Foreign(topic, partition, time_ms, value, None if is_bad else events))
    return records


def _track(draw: random.Random, user: str, items: list[str], time_ms: int, event_id: str) -> tuple[str, bytes]:
    event = draw.choice(list(TYPES))
    stamp = datetime.fromtimestamp(time_ms / 1000, UTC).isoformat().replace("+00:00", "Z")
    fields = {"type": "track", "event": event, "userId": user, "messageId": event_id, "timestamp": stamp}
    return TYPES[event], orjson.dumps({**fields, "properties": {"products": [{"product_id": item} for item in items]}})


def _hits(draw: random.Random, user: str, items: list[str], time_ms: int, event_id: str) -> tuple[str, bytes]:
    kind = draw.choice(list(KINDS))
    hits = [{"sku": item, "kind": kind} for item in items]
    return KINDS[kind], orjson.dumps({"id": event_id, "visitor": user, "at": time_ms // 1000, "hits": hits})


def send(scene: Scene, records: Sequence[Foreign]) -> None:
    """Send records without keys, each with its time, all acknowledged."""

    async def send_all() -> None:
        producer = writer(scene.settings.kafka, linger_ms=2)
        await producer.start()
        try:
            for start in range(0, len(records), 500):
                acks = [
                    await producer.send(
                        topic_of(scene, one.topic), one.value, partition=one.partition, timestamp_ms=one.time_ms
                    )
                    for one in records[start : start + 500]
                ]
                await asyncio.gather(*acks)
        finally:
            await producer.stop()

    asyncio.run(send_all())


def plain(records: Iterable[Foreign]) -> Counter[Plain]:
    """The events that records come to."""
    return Counter(event for record in records for event in record.events or ())


def found(scene: Scene) -> Counter[Plain]:
    """The events that lie in the log, as often as they do."""
    return Counter(as_plain(record.value) for record in scene.read(scene.names.events))


def as_plain(value: bytes) -> Plain:
    """The event that a value of the log says."""
    fields = orjson.loads(value)
    user_id, item_id, event_type = fields["user_id"], fields["item_id"], fields["event_type"]
    return user_id, item_id, event_type, fields["timestamp"], fields.get("event_id", "")
