"""Events and profiles, held against the contract before they are sent."""

import re
import time
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from freshet_client.errors import InvalidEvent

EVENT_TYPES: Final = (
    "impression",
    "view",
    "click",
    "add_to_cart",
    "purchase",
    "rating",
    "like",
    "dislike",
    "skip",
)
"""The types that workers know without settings."""

RATING_SCALE: Final = (0.5, 5.0)
MAX_EVENT_BYTES: Final = 65_536
MAX_PROFILE_BYTES: Final = 1_000_000
MAX_ID_BYTES: Final = 256
MAX_EVENT_ID_BYTES: Final = 64
MAX_AHEAD_MS: Final = 300_000
MIN_TIMESTAMP_MS: Final = 10**11
MAX_TIMESTAMP_MS: Final = 253_402_300_799_999
MAX_AGE: Final = 150
_forbidden_in_id = re.compile("[\x00-\x1f\x7f-\x9f{}]").search


@dataclass(frozen=True, slots=True)
class UserEvent:
    """One interaction.

    Parameters
    ----------
    user_id, item_id
        1 to 256 bytes of UTF-8; an integer is its digits.
    event_type
        One of `EVENT_TYPES`, or of those that the workers' settings add.
    timestamp
        When it happened, Unix milliseconds UTC; now, unless said.
    event_id
        By which workers know one that was sent again: 1 to 64 bytes; one of its own, unless said.
    value
        Needed for a `rating`; else free, e.g. a dwell time.
    context
        Flat, free: device, session, the list_id of the list that was shown.
    """

    user_id: str | int
    item_id: str | int
    event_type: str
    timestamp: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    event_id: str | None = field(default_factory=lambda: uuid.uuid4().hex)
    value: float | None = None
    context: Mapping[str, object] | None = None

    def as_fields(self) -> dict[str, object]:
        """The fields as they are sent; those that are None are left out."""
        names = ("user_id", "item_id", "event_type", "timestamp", "event_id", "value", "context")
        return {name: found for name in names if (found := getattr(self, name)) is not None}


def event_record(
    fields: Mapping[str, Any], now_ms: int, extra_types: Collection[str], scale: tuple[float, float]
) -> tuple[bytes, bytes]:
    """Key and value of an event's record.

    Parameters
    ----------
    extra_types
        Event types beside `EVENT_TYPES`.
    scale
        The least and the greatest rating.

    Raises
    ------
    InvalidEvent
        If a worker with such settings would make it a dead letter.

    Examples
    --------
    >>> fields = {"user_id": 77, "item_id": "i1", "event_type": "view", "timestamp": 1700000000000}
    >>> event_record(fields, 1700000000000, (), RATING_SCALE)[0]
    b'77'
    """
    value, found = _written(fields, MAX_EVENT_BYTES)
    user_id = _id(found, "user_id")
    _id(found, "item_id")
    event_type = found.get("event_type")
    if type(event_type) is not str:
        raise _not_a(found, "event_type", "a string")
    if event_type not in EVENT_TYPES and event_type not in extra_types:
        known = ", ".join((*EVENT_TYPES, *extra_types))
        raise _refused(
            "unknown_event_type", found, "event_type", f"unknown. Send one of {known}; or name it in extra_event_types"
        )
    _check_time(found, now_ms)
    if found.get("event_id") is not None:
        _text(found, "event_id", MAX_EVENT_ID_BYTES)
    _check_value(found, is_rating=event_type == "rating", scale=scale)
    context = found.get("context")
    if context is not None and type(context) is not dict:
        raise _not_a(found, "context", "a flat object")
    if context and any(type(each) in (dict, list) for each in context.values()):
        raise _refused("bad_type", found, "context", "not flat. Send strings, numbers, booleans or nulls in it")
    return user_id.encode(), value


def profile_record(user_id: str | int, profile: Mapping[str, Any] | None) -> tuple[bytes, bytes | None]:
    """Key and value of a profile's record; None deletes.

    Raises
    ------
    InvalidEvent
        If the workers would not take it.

    Examples
    --------
    >>> profile_record("u42", {"age": 31, "location": "Graz"})
    (b'u42', b'{"age":31,"location":"Graz"}')
    """
    key = _id({"user_id": user_id}, "user_id").encode("utf-8")
    if profile is None:
        return key, None
    value, found = _written(profile, MAX_PROFILE_BYTES)
    age = found.get("age")
    if age is not None and type(age) is not int:
        raise _not_a(found, "age", "whole years")
    if age is not None and not 0 <= age <= MAX_AGE:
        raise _refused("out_of_range", found, "age", f"send whole years, 0 to {MAX_AGE}")
    for name in ("gender", "location"):
        if found.get(name) is not None and type(found[name]) is not str:
            raise _not_a(found, name, "a string")
    for name in ("preferences", "attributes"):
        if found.get(name) is not None and type(found[name]) is not dict:
            raise _not_a(found, name, "an object")
    return key, value


def _written(fields: Mapping[str, Any], max_bytes: int) -> tuple[bytes, dict[str, Any]]:
    """The fields as JSON, and as a worker will read them."""
    if not isinstance(fields, Mapping):
        raise InvalidEvent("not_object", f"it is {_shown(fields)}: send a mapping of fields.")
    try:
        value = orjson.dumps(dict(fields))
    except TypeError as error:
        raise InvalidEvent("bad_type", f"it cannot be written as JSON: {error}. Send a plain object.") from None
    if len(value) > max_bytes:
        raise InvalidEvent("too_large", f"it has {len(value)} bytes: send at most {max_bytes}.")
    return value, orjson.loads(value)


def _id(fields: Mapping[str, Any], name: str) -> str:
    text = _text(fields, name, MAX_ID_BYTES)
    if _forbidden_in_id(text):
        raise _refused(
            "out_of_range", fields, name, "send no control characters (U+0000-001F, U+007F-009F) and no braces"
        )
    return text


def _text(fields: Mapping[str, Any], name: str, max_bytes: int) -> str:
    found = fields.get(name)
    if type(found) is int:
        found = str(found)
    if type(found) is not str:
        raise _not_a(fields, name, "a string or an integer")
    try:
        size = len(found.encode())
    except UnicodeEncodeError:
        raise _refused("bad_type", fields, name, "not UTF-8") from None
    if not 0 < size <= max_bytes:
        raise _refused("out_of_range", fields, name, f"{size} bytes. Send 1 to {max_bytes} bytes of UTF-8")
    return found


def _check_time(fields: Mapping[str, Any], now_ms: int) -> None:
    wanted = f"Unix milliseconds UTC, {MIN_TIMESTAMP_MS} (March 1973) or later"
    timestamp = fields.get("timestamp")
    if type(timestamp) is not int:
        raise _not_a(fields, "timestamp", f"an integer: {wanted}")
    if timestamp < MIN_TIMESTAMP_MS:
        raise _refused("out_of_range", fields, "timestamp", f"looks like seconds. Send {wanted}")
    if timestamp > now_ms + MAX_AHEAD_MS:
        why = f"more than {MAX_AHEAD_MS} ms ahead of now, {now_ms}. Send {wanted}, and check this machine's clock"
        raise _refused("future_timestamp", fields, "timestamp", why)
    if timestamp > MAX_TIMESTAMP_MS:
        raise _refused("out_of_range", fields, "timestamp", f"send Unix milliseconds UTC, <= {MAX_TIMESTAMP_MS}")


def _check_value(fields: Mapping[str, Any], *, is_rating: bool, scale: tuple[float, float]) -> None:
    value = fields.get("value")
    if value is None:
        if is_rating:
            raise InvalidEvent("missing_field", "value is missing: a rating has one. Send a finite number, e.g. 4.5.")
        return
    if type(value) is not float and type(value) is not int:
        raise _not_a(fields, "value", "a finite number")
    if is_rating and not scale[0] <= value <= scale[1]:
        raise _refused("out_of_range", fields, "value", f"the scale of ratings is {scale[0]:g} to {scale[1]:g}")


def _not_a(fields: Mapping[str, Any], name: str, wanted: str) -> InvalidEvent:
    if name not in fields:
        return InvalidEvent("missing_field", f"{name} is missing. Send {wanted}.")
    return _refused("bad_type", fields, name, f"not {wanted}")


def _refused(reason: str, fields: Mapping[str, Any], name: str, why: str) -> InvalidEvent:
    return InvalidEvent(reason, f"{name} has value {_shown(fields.get(name))}: {why}.")


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    shown = repr(value[:80] if isinstance(value, str) else value)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
