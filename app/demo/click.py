"""One click: from `send()` to the list in Redis that reacts to it."""

import asyncio
import time
from dataclasses import dataclass

import orjson

from app.client import Reader
from app.replay.send import log_producer
from app.settings import Settings
from models.errors import ServiceError

POLL_S = 0.001
WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Click:
    """What was clicked, and what the list became; `milliseconds` is None if it never reacted."""

    user_id: str
    item_id: str
    milliseconds: float | None
    new_items: tuple[str, ...]
    waited_s: float = WAIT_S


async def one_click(settings: Settings, reader: Reader, user_id: str) -> Click:
    """Click the first item of a user's list and wait until the list in Redis no longer offers it.

    Raises
    ------
    ServiceError
        If the user has no list.
    """
    before = reader.recs(user_id)
    if before is None or not before.items:
        raise ServiceError(f"user {user_id} has no list to click in.")
    clicked = before.items[0].item_id
    features = reader.user_features(user_id)
    event = {
        "user_id": user_id,
        "item_id": clicked,
        "event_type": "click",
        "timestamp": int(features.get("last_event_ms", 0)) + 1000,
    }
    async with log_producer(settings.kafka, settings.partitioner, linger_ms=0) as producer:
        await producer.partitions_for(settings.names.events)
        started = time.perf_counter()
        await producer.send(settings.names.events, key=user_id.encode(), value=orjson.dumps(event))
        while time.perf_counter() - started < WAIT_S:
            await asyncio.sleep(POLL_S)
            after = reader.recs(user_id)
            if after is not None and after.version > before.version:
                milliseconds = 1000 * (time.perf_counter() - started)
                known = {item.item_id for item in before.items}
                new = tuple(item.item_id for item in after.items if item.item_id not in known)
                return Click(user_id, clicked, milliseconds, new)
    return Click(user_id, clicked, None, ())
