"""What the records of their topics mean, by the settings."""

import asyncio
from typing import Any

import orjson
import pytest
from aiokafka import ConsumerRecord

from app.intake.reading import Reading, make_reading
from app.settings import Settings
from app.sources.rewritten import rewritten_headers
from models.errors import InvalidEvent, SettingsError

MAPPED = {"user_id": "who", "item_id": "_headers.sku", "event_type": "what", "timestamp": "_timestamp"}
AT_MS = 1_700_000_000_000


def record(topic: str, value: Any, headers: list[tuple[str, bytes | None]] = [], at_ms: int = AT_MS) -> ConsumerRecord:  # noqa: B006 nobody changes it
    """A record of theirs."""
    return ConsumerRecord(topic, 2, 7, at_ms, 0, None, orjson.dumps(value), None, 1, 1, tuple(headers))


def reading(**sources: Any) -> Reading:
    """The reading of these sources."""
    return make_reading(Settings(sources=sources))


def test_each_topic_is_read_by_its_source_and_goes_where_its_kind_belongs() -> None:
    """Events to the log, keyed by user; a catalogue entry to the items, keyed by item."""
    made = reading(
        shop={"topics": ["visits"], **MAPPED}, goods={"topics": ["goods"], "kind": "items", "item_id": "sku"}
    )

    topic, (event,) = made.read(record("visits", {"who": 5, "what": "view"}, [("sku", b"i1")]))
    assert (topic, event.key) == ("user_events", b"5")
    assert orjson.loads(event.value or b"") == {
        "user_id": "5",
        "item_id": "i1",
        "event_type": "view",
        "timestamp": AT_MS,
    }
    topic, (entry,) = made.read(record("goods", {"sku": "i1", "title": "One"}))
    assert (topic, entry.key) == ("items", b"i1")
    assert made.topics == ["goods", "visits"]


def test_a_re_driven_record_is_read_as_it_was_written_first() -> None:
    """Topic, time and headers of their topic count, not those of ours."""
    made = reading(shop={"topics": ["visits"], **MAPPED})
    headers = rewritten_headers("visits", AT_MS, [("source.sku", b"i9")])

    _, (event,) = made.read(record("freshet.redriven", {"who": "u", "what": "view"}, headers, at_ms=AT_MS + 9))

    assert orjson.loads(event.value or b"")["item_id"] == "i9"
    assert orjson.loads(event.value or b"")["timestamp"] == AT_MS


def test_a_topic_that_left_the_settings_is_no_event() -> None:
    """A re-driven record whose source is gone is a dead letter again, and says why."""
    made = reading(shop={"topics": ["visits"], **MAPPED})
    gone = record("freshet.redriven", {}, rewritten_headers("gone", AT_MS, []))

    asyncio.run(made.prepare([gone]))
    with pytest.raises(InvalidEvent, match="topic 'gone' is in no source"):
        made.read(gone)


def test_what_its_topic_does_not_take_is_a_dead_letter() -> None:
    """It would stop its partition for ever."""
    made = reading(goods={"topics": ["goods"], "kind": "items", "item_id": "sku"})
    made.limits = {"items": 100}

    with pytest.raises(InvalidEvent, match="items takes 100") as caught:
        made.read(record("goods", {"sku": "i1", "title": "x" * 200}))
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ({"a": {"topics": ["user_events"]}}, "a topic of Freshet's own"),
        ({"a": {"topics": ["freshet.redriven"]}}, "a topic of Freshet's own"),
        ({"a": {"topics": ["t"]}, "b": {"topics": ["t"]}}, "which another source has as well"),
    ],
)
def test_a_topic_has_one_meaning(sources: dict[str, Any], said: str) -> None:
    """Own topics, and one topic in two sources, are refused with the setting's name."""
    with pytest.raises(SettingsError, match=said):
        reading(**sources)


def test_isolated_namespaces_have_no_intake() -> None:
    """A replay or a benchmark reads nobody's topics."""
    settings = Settings(sources={"shop": {"topics": ["visits"], **MAPPED}})

    assert settings.has_intake and not settings.apart("replay-1").has_intake
    assert not Settings(sources={"shop": MAPPED}).has_intake
