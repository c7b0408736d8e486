"""Confluent's wire format: which schema a value names, and the body behind its frame; and JSON."""

import struct
import uuid
from typing import Any

import orjson

from models.errors import InvalidEvent


def schema_name(value: bytes | None, header: bytes | None) -> tuple[str, bytes]:
    """The name of the schema of a value, and the body behind its frame.

    The frame is 0 and the id in 4 bytes, big endian; where the header has the id, there is none: 0 and the id as in
    the frame, or 1 and the 16 bytes of a GUID.

    Raises
    ------
    InvalidEvent
        When there is neither.
    """
    if value is None:
        raise InvalidEvent("not_json", "the record's value is null: a value in Confluent's wire format was expected.")
    if header is not None and len(header) == 17 and header[0] == 1:
        return f"guids/{uuid.UUID(bytes=header[1:])}", value
    if header is not None and len(header) == 5 and header[0] == 0:
        return f"ids/{int.from_bytes(header[1:], 'big')}", value
    if len(value) < 5 or value[0] != 0:
        raise InvalidEvent(
            "not_json",
            f"the value begins with {value[:5]!r}: no frame of Confluent's serializers (0, then 4 bytes of a schema "
            'id), and no header __value_schema_id. Take "confluent" out of the source\'s format if all are so.',
        )
    (schema_id,) = struct.unpack_from(">I", value, 1)
    return f"ids/{schema_id}", value[5:]


def json_value(body: bytes) -> Any:
    """The value of a body that is JSON.

    Raises
    ------
    InvalidEvent
        When it is none.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidEvent("not_json", f"the value is no JSON: {error}.") from None
