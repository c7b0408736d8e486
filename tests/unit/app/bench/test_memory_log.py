"""The log of `freshet bench memory`."""

import orjson

from app.bench.memory_log import LEAST_MORE, MemoryLog
from models.events import EventRules, decode


def key_of(value: bytes) -> bytes:
    """The key that an event has in Kafka."""
    return str(orjson.loads(value)["user_id"]).encode()


def test_every_item_is_touched_before_any_other_event() -> None:
    """By views, in an order that no number tells; every event is a valid one of the users there are."""
    log = MemoryLog(500, n_users=30)

    events = [decode(key_of(value), value, 2**41, EventRules()) for value in log]

    touching = [event.item_id for event in events[:500]]
    assert sorted(touching) == sorted(f"i{number}" for number in range(500)) != touching
    assert {event.event_type for event in events[:500]} == {"view"}
    assert len(events) == len(log) == 500 + LEAST_MORE
    assert {event.user_id for event in events} == {f"u{number}" for number in range(30)}
    assert {event.event_type for event in events[500:]} >= {"rating", "purchase", "dislike"}


def test_large_catalogues_get_as_many_events_again() -> None:
    """So that what an item has does not thin out with the catalogue."""
    assert len(MemoryLog(LEAST_MORE)) == 2 * LEAST_MORE
    assert len(MemoryLog(3 * LEAST_MORE)) == 6 * LEAST_MORE


def test_equal_arguments_give_equal_bytes() -> None:
    """Another seed gives another log."""
    first, same, other = (list(MemoryLog(50, 10, seed)) for seed in (1, 1, 2))

    assert first == same != other
