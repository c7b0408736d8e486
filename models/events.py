"""The event: its shape, what it means, and the one place where bytes become an event or a dead letter."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import orjson

from models.errors import InvalidEvent, SettingsError
from models.event_types import DEFAULT_TYPES, RATING, EventType
from models.foreign import hint_of_fields, hint_of_key, hint_of_value

__all__ = [
    "ANY_SCALE",
    "DEFAULT_SCALE",
    "DEFAULT_TYPES",
    "REASONS",
    "Event",
    "EventRules",
    "EventType",
    "checked_id",
    "decode",
    "rating_bounds",
    "shown",
]

REASONS: Final = (
    "not_json",
    "not_object",
    "missing_field",
    "bad_type",
    "out_of_range",
    "unknown_event_type",
    "future_timestamp",
    "too_large",
    "wrong_key",
    "wrong_partition",
)
"""Every reason code of a dead letter; `decode` gives all but the last, which takes the record's partition."""

MAX_ID_BYTES: Final = 256
MAX_EVENT_ID_BYTES: Final = 64
MIN_TIMESTAMP_MS: Final = 10**11
"""In March 1973. What lies below are seconds, of a time before 5138, where milliseconds belong."""

SECONDS: Final = "looks like seconds"
"""What every message about such a time says."""

MAX_TIMESTAMP_MS: Final = 253_402_300_799_999
"""The end of the year 9999: what calendars know, and far below what the numbers of windows can hold (2**40 of 5 s)."""

DEFAULT_SCALE: Final = (0.5, 5.0)
"""Of ratings: stars, halves among them."""

ANY_SCALE: Final = (-1e6, 1e6)
"""The widest scale that ratings may have."""

_forbidden_in_id = re.compile("[\x00-\x1f\x7f-\x9f{}]").search


class Event(NamedTuple):
    """One valid event; `timestamp_ms` is its event time, Unix milliseconds UTC."""

    user_id: str
    item_id: str
    event_type: str
    timestamp_ms: int
    event_id: str | None = None
    value: float | None = None
    context: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class EventRules:
    """What is a valid event, and what an event means.

    Parameters
    ----------
    types
        The known event types by name.
    max_bytes
        Longest event.
    max_ahead_ms
        How far an event's time may lie ahead of its record's time.
    positive_rating
        Least value of a positive rating.
    negative_rating
        Greatest value of a negative one; what lies between speaks neither for nor against.
    low_rating_weight
        Weight of a rating that is not positive; a positive one has its type's weight.
    rating_scale
        The least and the greatest value that a rating can have.
    """

    types: Mapping[str, EventType] = field(default_factory=lambda: DEFAULT_TYPES)
    max_bytes: int = 65_536
    max_ahead_ms: int = 300_000
    positive_rating: float = 4.0
    negative_rating: float = 2.0
    low_rating_weight: float = 0.5
    rating_scale: tuple[float, float] = DEFAULT_SCALE

    def __post_init__(self) -> None:
        object.__setattr__(self, "types", dict(self.types))  # theirs may change, ours may not
        for name, known in self.types.items():
            if name != known.name:
                raise SettingsError(f"event type {known.name!r} is filed under {name!r}: use one name for both.")
        for setting, least in (("max_bytes", 1), ("max_ahead_ms", 0), ("low_rating_weight", 0)):
            number = getattr(self, setting)
            if not (math.isfinite(number) and number >= least):
                raise SettingsError(f"{setting} has value {number!r}: use a finite number of {least} or more.")
        if not math.isfinite(self.positive_rating):
            raise SettingsError(f"positive_rating has value {self.positive_rating!r}: use a finite number, e.g. 4.")
        lowest, highest = self.rating_scale
        if not ANY_SCALE[0] <= lowest < highest <= ANY_SCALE[1]:
            raise SettingsError(
                f"rating_scale has value [{lowest}, {highest}]: use the least and the greatest rating, e.g. [1, 10]."
            )
        if self.positive_rating > highest:
            raise SettingsError(
                f"positive_rating has value {self.positive_rating!r}: no rating is as high, their scale ends at "
                f"{highest:g}. Use at most that, or another rating_scale."
            )
        if not self.negative_rating < self.positive_rating:
            raise SettingsError(
                f"negative_rating has value {self.negative_rating!r}: use less than positive_rating, which is "
                f"{self.positive_rating!r}, e.g. 2."
            )

    def is_positive(self, event: Event) -> bool:
        """Whether the event speaks for its item: a rating by its value, all else by its type's polarity."""
        if event.event_type == RATING:
            return event.value is not None and event.value >= self.positive_rating
        return self.types[event.event_type].polarity > 0

    def is_negative(self, event: Event) -> bool:
        """Whether the event speaks against its item: a rating by its value, all else by its type's polarity."""
        if event.event_type == RATING:
            return event.value is not None and event.value <= self.negative_rating
        return self.types[event.event_type].polarity < 0

    def weight(self, event: Event) -> float:
        """How much the event counts when it is learned."""
        if event.event_type == RATING and not self.is_positive(event):
            return self.low_rating_weight
        return self.types[event.event_type].weight

    def is_seen(self, event: Event) -> bool:
        """Whether the event makes its item a seen one."""
        return self.types[event.event_type].makes_seen


def rating_bounds(scale: tuple[float, float]) -> tuple[float, float]:
    """Least positive and greatest negative rating: 4 and 2 of five stars, three quarters and a quarter up a scale.

    >>> rating_bounds((1, 10)), rating_bounds(DEFAULT_SCALE)
    ((7.75, 3.25), (4.0, 2.0))
    """
    lowest, highest = (1.0, 5.0) if tuple(scale) == DEFAULT_SCALE else scale
    return lowest + 0.75 * (highest - lowest), lowest + 0.25 * (highest - lowest)


def decode(key: bytes | None, value: bytes | None, record_ms: int, rules: EventRules) -> Event:
    """Turn a record into its event.

    Null for an optional field counts as absent, unknown fields are ignored, of repeated fields the last counts. An
    integer as an id is its digits: 77 is "77".

    Parameters
    ----------
    record_ms
        The record's own time: Kafka's timestamp, or the start of a replay of a file.

    Raises
    ------
    InvalidEvent
        For whatever is not a valid event, and nothing else for any bytes whatever.

    Examples
    --------
    >>> value = b'{"user_id": "u1", "item_id": "i1", "event_type": "view", "timestamp": 1700000000000}'
    >>> decode(b"u1", value, 1700000000000, EventRules())[:4]
    ('u1', 'i1', 'view', 1700000000000)
    """
    fields = _fields(value, rules.max_bytes)
    get = fields.get
    user_id = _text(fields, "user_id", MAX_ID_BYTES)
    if _forbidden_in_id(user_id):
        raise _forbidden("user_id", user_id)
    item_id = _text(fields, "item_id", MAX_ID_BYTES)
    if _forbidden_in_id(item_id):
        raise _forbidden("item_id", item_id)
    event_type = get("event_type")
    if type(event_type) is not str:
        raise _not_a(fields, "event_type", "a string")
    if event_type not in rules.types:
        raise _refused("unknown_event_type", "event_type", event_type, _unknown_type(event_type, rules))
    timestamp_ms = get("timestamp")
    if type(timestamp_ms) is not int:
        raise _no_time(fields)
    if timestamp_ms < MIN_TIMESTAMP_MS:
        raise _too_early(timestamp_ms)
    if timestamp_ms > record_ms + rules.max_ahead_ms:
        allowed = f"{rules.max_ahead_ms} ms ahead of the record's time, {record_ms}. Send Unix milliseconds UTC"
        raise _refused("future_timestamp", "timestamp", timestamp_ms, f"more than {allowed}")
    if timestamp_ms > MAX_TIMESTAMP_MS:  # its record is stamped as late: not in milliseconds, both of them
        raise _refused("out_of_range", "timestamp", timestamp_ms, f"send Unix milliseconds UTC, <= {MAX_TIMESTAMP_MS}")
    event_id = None if get("event_id") is None else _text(fields, "event_id", MAX_EVENT_ID_BYTES)
    number: float | None = None
    if event_type == RATING:
        number = _rating(fields, rules.rating_scale)
    elif get("value") is not None:
        number = _number(fields)
    context = None if get("context") is None else _context(fields)
    if key != user_id.encode():
        raise InvalidEvent(
            "wrong_key",
            f"the record's key is {shown(key)}, its user_id {shown(user_id)}: send the user_id in UTF-8 as the key."
            + hint_of_key(key, user_id),
        )
    # what the generated constructor does, without its detour: a seventh of the whole
    return tuple.__new__(Event, (user_id, item_id, event_type, timestamp_ms, event_id, number, context))


def _fields(value: bytes | None, max_bytes: int) -> dict[str, Any]:
    if value is None:
        raise InvalidEvent("not_json", "the record's value is null: send a JSON object.")
    if len(value) > max_bytes:
        raise InvalidEvent("too_large", f"the event has {len(value)} bytes: send at most {max_bytes}.")
    try:
        fields = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        found = f"the event is {shown(value)}: {hint_of_value(value) or f'{error}. Send a JSON object in UTF-8.'}"
        raise InvalidEvent("not_json", found) from None  # the cause would keep the whole text alive
    if type(fields) is not dict:
        raise InvalidEvent("not_object", f"the event is {shown(fields)}: send a JSON object.")
    return fields


def _text(fields: dict[str, Any], name: str, max_bytes: int) -> str:
    text = fields.get(name)
    if type(text) is not str:
        text = _integer_id(fields, name)
    size = len(text) if text.isascii() else len(text.encode())
    if not 0 < size <= max_bytes:
        raise _refused("out_of_range", name, text, f"{size} bytes. Send 1 to {max_bytes} bytes of UTF-8")
    return text


def checked_id(name: str, found: object) -> str:
    """An id outside of events, under the rules of theirs: a string or an integer.

    Raises
    ------
    InvalidEvent
        If it is none, or too long, or has what no id may have.
    """
    try:
        text = _text({} if found is None else {name: found}, name, MAX_ID_BYTES)
    except UnicodeEncodeError:
        raise InvalidEvent("bad_type", f"{name} has value {shown(found)}: not UTF-8.") from None
    if _forbidden_in_id(text):
        raise _forbidden(name, text)
    return text


def _too_early(timestamp_ms: int) -> InvalidEvent:
    wanted = f"Unix milliseconds UTC, {MIN_TIMESTAMP_MS} (March 1973) or later"
    if timestamp_ms <= 0:
        return _refused("out_of_range", "timestamp", timestamp_ms, f"send {wanted}")
    meant = f", here {timestamp_ms * 1000}" if timestamp_ms * 1000 >= MIN_TIMESTAMP_MS else ""
    return _refused("out_of_range", "timestamp", timestamp_ms, f"{SECONDS}. Send {wanted}{meant}")


def _no_time(fields: dict[str, Any]) -> InvalidEvent:
    """The refusal of what is no integer; seconds with a fraction are called that."""
    found, wanted = fields.get("timestamp"), "an integer in Unix milliseconds UTC"
    if type(found) is float and MIN_TIMESTAMP_MS <= found * 1000 < MIN_TIMESTAMP_MS * 1000:
        return _refused("bad_type", "timestamp", found, f"{SECONDS}. Send {wanted}, here {int(found * 1000)}")
    return _not_a(fields, "timestamp", wanted)


def _integer_id(fields: dict[str, Any], name: str) -> str:
    found = fields.get(name)
    if type(found) is int:
        return str(found)
    if type(found) is float:  # also an integer beyond 64 bits: the parser has rounded it
        wrong = "has a fraction, or more digits than 64 bits hold, and would name somebody else once rounded"
        raise _refused("bad_type", name, found, f"{wrong}. Send ids as strings, or as integers")
    raise _not_a(fields, name, "a string or an integer")


def _unknown_type(event_type: str, rules: EventRules) -> str:
    return (
        f"unknown. Send one of {', '.join(rules.types)}; or make it known by FRESHET_EXTRA_EVENT_TYPES, e.g. "
        f"{json.dumps({event_type[:64]: [1.0, 1]})}; or say which one it is by an alias, [sources.<name>] types"
    )


def _number(fields: dict[str, Any]) -> float:
    number = fields.get("value")
    if number is None:
        raise InvalidEvent("missing_field", "value is missing: a rating has one. Send a finite number, e.g. 4.5.")
    if type(number) is not float and type(number) is not int:
        raise _not_a(fields, "value", "a finite number")
    return float(number)  # finite: the parser refuses NaN, Infinity and what overflows


def _rating(fields: dict[str, Any], scale: tuple[float, float]) -> float:
    number, (lowest, highest) = _number(fields), scale
    if lowest <= number <= highest:
        return number
    allowed = f"the scale of ratings is {lowest:g} to {highest:g}"
    meant = [min(1, math.floor(number)), max(10, math.ceil(number))]
    setting = f"say what theirs is, e.g. FRESHET_RATING_SCALE='{meant}'"
    raise _refused("out_of_range", "value", fields["value"], f"{allowed}. Send one within, or {setting}")


def _context(fields: dict[str, Any]) -> dict[str, object]:
    context = fields["context"]
    if type(context) is not dict:
        raise _not_a(fields, "context", "a flat object")
    for name, scalar in context.items():
        if type(scalar) is dict or type(scalar) is list:
            wrong = f"not flat, its field {shown(name)} is {shown(scalar)}. Send strings, numbers, booleans or nulls"
            raise _refused("bad_type", "context", context, wrong)
    return context


def _forbidden(name: str, text: str) -> InvalidEvent:
    return _refused("out_of_range", name, text, "send no control characters (U+0000-001F, U+007F-009F) and no braces")


def _not_a(fields: dict[str, Any], name: str, wanted: str) -> InvalidEvent:
    if name not in fields:
        return InvalidEvent("missing_field", f"{name} is missing. Send {wanted}.{hint_of_fields(fields)}")
    return _refused("bad_type", name, fields[name], f"not {wanted}")


def _refused(reason: str, name: str, value: object, why: str) -> InvalidEvent:
    return InvalidEvent(reason, f"{name} has value {shown(value)}: {why}.")


def shown(value: object, max_chars: int = 80) -> str:
    """A value as a message quotes it: short, on one line, its control characters escaped."""
    if isinstance(value, dict):
        return f"an object of {len(value)} fields"
    if isinstance(value, list):
        return f"an array of {len(value)} elements"  # never its repr: a deep one exhausts the stack
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    shown = repr(value[:max_chars] if isinstance(value, str | bytes) else value)
    cut = len(shown) > max_chars or (isinstance(value, str | bytes) and len(value) > max_chars)
    return f"{shown[: max_chars - 3]}..." if cut else shown
