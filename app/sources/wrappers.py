"""What stands around other people's records, taken off: CloudEvents, Connect's and Debezium's envelopes."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final

import orjson

from app.sources.schema_times import by_connect_schema
from app.sources.source import SourceRecord
from app.sources.times import Instant
from models.errors import InvalidEvent
from models.events import shown

_SCHEMA_AND_PAYLOAD: Final = {"schema", "payload"}
_STRUCTURED: Final = "application/cloudevents"
CHANGES: Final = ("c", "u", "d", "r")


def connect_payload(body: Any) -> Any:
    """The payload of Kafka Connect's JSON, its values as the schema beside it says.

    Raises
    ------
    InvalidEvent
        When it is no such envelope.
    """
    if not is_connect(body):
        raise InvalidEvent(
            "bad_type",
            f"the value is {shown(body)}: Connect's JSON has exactly the fields schema and payload. "
            'Take "connect" out of the source\'s format if schemas.enable is false.',
        )
    return by_connect_schema(body["schema"], body["payload"])


def is_connect(body: Any) -> bool:
    """Whether a value is Kafka Connect's JSON with its schema."""
    return isinstance(body, dict) and body.keys() == _SCHEMA_AND_PAYLOAD


def header(record: SourceRecord, name: str) -> bytes | None:
    """The last header of this name, whatever its case."""
    found = [value for key, value in record.headers if key.lower() == name]
    return found[-1] if found else None


def is_binary_cloudevent(record: SourceRecord) -> bool:
    """Whether a record's headers are a CloudEvent's attributes, its value the data alone."""
    content_type = header(record, "content-type") or b""
    return not content_type.lower().startswith(_STRUCTURED.encode()) and header(record, "ce_specversion") is not None


def cloudevent(body: Any, record: SourceRecord) -> dict[str, Any]:
    """A CloudEvent as in structured mode: attributes beside `data`; and `_event_id`, made of source and id.

    Raises
    ------
    InvalidEvent
        When it is none, or one of a batch.
    """
    if is_binary_cloudevent(record):
        attributes = {
            name.lower().removeprefix("ce_"): (value or b"").decode("utf-8", "replace")
            for name, value in record.headers
            if name.lower().startswith("ce_")
        }
        event: dict[str, Any] = attributes | {"data": body}
    elif isinstance(body, dict) and "specversion" in body:
        event = body | {"data": _from_base64(body["data_base64"])} if "data_base64" in body else body
    else:
        raise InvalidEvent(
            "missing_field",
            f"the value is {shown(body)}: a CloudEvent has ce_specversion among its headers (binary mode) or "
            "specversion among its fields (structured mode). Send one, or change the source's format.",
        )
    source, own = event.get("source"), event.get("id")
    if isinstance(source, str) and isinstance(own, str) and own:
        return {**event, "_event_id": f"{source} {own}"}
    raise InvalidEvent("missing_field", "source or id is missing: a CloudEvent has both, as text.")


def _from_base64(text: Any) -> Any:
    try:
        return orjson.loads(b64decode(text, validate=True))
    except (ValueError, TypeError) as error:
        raise InvalidEvent("bad_type", f"data_base64 has value {shown(text)}: no JSON in base64 ({error}).") from None


def change(body: Any, ops: frozenset[str]) -> dict[str, Any] | None:
    """A change of Debezium; None where it is of no kind asked for. A deleted row stands in `after` as it was.

    Raises
    ------
    InvalidEvent
        When it is none.
    """
    if is_connect(body):
        body = connect_payload(body)
    if not isinstance(body, dict) or "op" not in body:
        raise InvalidEvent(
            "missing_field",
            f"the value is {shown(body)}: a change of Debezium has op, before, after and source. Take "
            '"debezium" out of the source\'s format if its connector unwraps them (ExtractNewRecordState).',
        )
    op = body["op"]
    if not isinstance(op, str) or op not in ops:
        return None  # also t, m: a table emptied, a message
    source = body.get("source")
    at_ms = source.get("ts_ms") if isinstance(source, Mapping) else None
    known = {"source": {**source, "ts_ms": Instant(at_ms)}} if type(at_ms) is int and isinstance(source, dict) else {}
    return {**body, **known, "after": body.get("before") if op == "d" else body.get("after")}
