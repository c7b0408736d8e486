"""How other people's serializers show: by their first bytes, their quotes, or the names of an envelope's fields.

Only for messages: what a value is, its settings say.
"""

from collections.abc import Mapping
from typing import Final

SOURCES: Final = "or read the topic through a [sources.<name>] of the settings"

_ENVELOPES: Final = (
    (frozenset(("schema", "payload")), "connect", "Kafka Connect's JsonConverter with schemas.enable=true"),
    (frozenset(("specversion", "source", "id")), "cloudevents", "a CloudEvent in structured mode"),
    (frozenset(("op", "after", "source")), "debezium", "Debezium's envelope of a change"),
    (frozenset(("messageId", "type")), "segment", "an analytics call as Segment or RudderStack send it"),
    (frozenset(("event_name", "event_timestamp")), "ga4", "a row of a GA4 export"),
)
FRAME_BYTES: Final = 5


def is_framed(data: bytes | None) -> bool:
    """Whether bytes begin as Confluent's serializers write them: zero, a schema id of 4 bytes, and something behind."""
    return data is not None and len(data) > FRAME_BYTES and data[0] == 0


def envelope_of(fields: Mapping[str, object]) -> tuple[str, str] | None:
    """The format that the names of an object's fields tell of, and who writes it so; None where they do not."""
    names = fields.keys()
    for known, name, writer in _ENVELOPES:
        if known <= names and (name != "connect" or len(names) == len(known)):
            return name, writer
    return None


def hint_of_fields(fields: Mapping[str, object]) -> str:
    """The sentence to add to a message about a field that is missing; empty where the fields tell nothing."""
    found = envelope_of(fields)
    if found is None:
        return ""
    name, writer = found
    return f' The value looks like {writer}: send the plain event, {SOURCES} with format = "{name}".'


def hint_of_value(value: bytes) -> str:
    """What to say of a value that is no JSON, in place of the parser's words; empty where it tells nothing."""
    if is_framed(value):
        schema_id = int.from_bytes(value[1:FRAME_BYTES], "big")
        return (
            f"it begins with the 5-byte frame of Confluent's serializers (0, schema id {schema_id}). "
            f'Use a serializer of plain JSON, {SOURCES} with format = "confluent".'
        )
    if value.startswith(b"\xef\xbb\xbf"):
        return "it begins with a byte order mark. Leave that out."
    return ""


def hint_of_key(key: bytes | None, user_id: str) -> str:
    """The sentence to add to a message about a key that is not the user_id."""
    plain = user_id.encode()
    if key is None:
        return f" The record has no key: let the producer set one, {SOURCES}."
    if key == b'"' + plain + b'"':
        return (
            " The key is JSON, in quotes, as Spring's JsonSerializer and Connect's JsonConverter write it: use a "
            f"string serializer for keys, {SOURCES}."
        )
    if len(key) in (4, 8) and user_id.isdecimal() and int.from_bytes(key, "big") == int(user_id):
        return (
            f" The key is a binary number of {len(key)} bytes, as Java's LongSerializer and IntegerSerializer write "
            f"it: use a string serializer for keys, {SOURCES}."
        )
    if is_framed(key):
        return f" The key has the 5-byte frame of Confluent's serializers: use a string serializer for keys, {SOURCES}."
    return ""
