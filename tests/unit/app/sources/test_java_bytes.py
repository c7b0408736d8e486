"""What Java's own serializers write is read as it was meant."""

import orjson
import pytest

from models.errors import InvalidEvent
from models.events import EventRules, decode
from tests.java_bytes import CHANGE, CONNECT, CONNECT_KEY, DELETED, SPRING, SPRING_HEADERS, SPRING_KEY
from tests.sources import RECORD_MS, events, record, settings

MS = 1_700_000_000_123


def test_a_struct_of_connect() -> None:
    """JsonConverter: NUMERIC(0) is an id, NUMERIC(2) a rating, Timestamp milliseconds."""
    assert events(settings(format="connect", timestamp="at", value="stars"), record(CONNECT)) == [
        {"user_id": "77", "item_id": "lamp", "event_type": "rating", "timestamp": MS, "value": 4.5}
    ]


@pytest.mark.parametrize("column", ["ms", "us", "ns", "zoned"])
def test_a_change_of_debezium(column: str) -> None:
    """The same moment in four columns, each by its schema, whatever `time` says."""
    for words in ({}, {"time": "s"}):
        (event,) = events(settings(format="debezium", timestamp=f"after.{column}", **words), record(CHANGE))
        assert event == {"user_id": "77", "item_id": "lamp", "event_type": "view", "timestamp": MS}


def test_a_day_and_the_time_of_the_change() -> None:
    """Date counts days; source.ts_ms is the change, the outer ts_ms the connector's clock and a bare number."""
    by_day = events(settings(format="debezium", timestamp="after.day"), record(CHANGE))
    assert by_day[0]["timestamp"] == 19_675 * 86_400_000
    by_change = events(settings(format="debezium", timestamp="source.ts_ms"), record(CHANGE))
    assert by_change[0]["timestamp"] == 1_700_000_000_500


def test_a_deleted_row_is_no_event_unless_it_is_asked_for() -> None:
    """A delete has its row in `before`; where deletes count, it is read from there."""
    given = {"format": "debezium", "timestamp": "after.zoned"}
    assert events(settings(**given), record(DELETED)) == []
    (event,) = events(settings(**given, ops=["d"]), record(DELETED))
    assert event["timestamp"] == MS


def test_spring_writes_keys_in_quotes_and_times_as_numbers() -> None:
    """A LocalDateTime is an array, an Instant seconds with a fraction; key = json reads its key."""
    row = record(SPRING, SPRING_KEY, SPRING_HEADERS)
    words = {"constants": {"event_type": "view"}, "key": "json"}
    (local,) = events(settings(timestamp="at", time="array", user_id="_key", **words), row)
    assert (local["user_id"], local["timestamp"]) == ("u1", 1_700_000_000_000)
    (instant,) = events(settings(timestamp="inst", time="s", **words), row)
    assert (instant["user_id"], instant["timestamp"]) == ("77", MS)


@pytest.mark.parametrize("key", [CONNECT_KEY, SPRING_KEY])
def test_a_worker_names_the_serializer_of_a_key(key: bytes) -> None:
    """Written to the events topic itself, such a key is a dead letter that says why."""
    value = orjson.dumps({"user_id": "u1", "item_id": "a", "event_type": "view", "timestamp": MS})
    with pytest.raises(InvalidEvent, match=r"in quotes, as Spring's JsonSerializer and Connect's JsonConverter"):
        decode(key, value, RECORD_MS, EventRules())


@pytest.mark.parametrize(("value", "name"), [(CONNECT, "connect"), (CHANGE, "connect"), (DELETED, "debezium")])
def test_a_worker_names_the_serializer_of_a_value(value: bytes, name: str) -> None:
    """So is such a value, with the format to set."""
    with pytest.raises(InvalidEvent, match=f'format = "{name}"'):
        decode(b"u1", value, RECORD_MS, EventRules())
