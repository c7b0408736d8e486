"""What a record of the log says."""

from typing import Any

import orjson
import pytest
from aiokafka import ConsumerRecord

from app.dashboard.log import Event, event_of


def record(value: bytes | None, key: bytes | None = b"u1") -> Any:
    """A record at 3:17."""
    return ConsumerRecord("user_events", 3, 17, 1000, 0, key, value, None, 0, 0, ())


def test_an_event_is_shown_as_it_is() -> None:
    """Integer ids as text, a value as a number."""
    fields = {"user_id": 1, "item_id": "i1", "event_type": "rating", "value": 4}
    assert event_of(record(orjson.dumps(fields))) == Event(3, 17, 1000, "1", "i1", "rating", 4.0)


@pytest.mark.parametrize("value", [None, b"", b"\xff\x00", b"[1]", b'"x"', b"null"])
def test_what_is_no_event_is_told_as_such(value: bytes | None) -> None:
    """With what its key says."""
    assert event_of(record(value)) == Event(3, 17, 1000, "u1", "", None, None)
    assert event_of(record(value, None)).user_id == ""


@pytest.mark.parametrize("odd", [[1], {"a": 1}, True, None, "x" * 10_000])
def test_odd_fields_do_no_harm(odd: Any) -> None:
    """Whatever stands in them, it is text of bounded length."""
    fields = dict.fromkeys(("user_id", "item_id", "event_type", "value"), odd)
    found = event_of(record(orjson.dumps(fields)))
    assert max(len(found.user_id), len(found.item_id), len(found.event_type or "")) <= 256
    assert found.value is None
