"""Sessions as the OTTO recommender data set holds them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from app.replay.columns import ColumnMapping
from app.replay.files import plain_file
from app.replay.records import EventLog, LogRecord

EVENT_TYPES = {"clicks": "click", "carts": "add_to_cart", "orders": "purchase"}
"""What a session's types are called here."""

_AS_IT_IS = ColumnMapping()


class OttoLog(EventLog):
    """A session is a user; events in the order of the file.

    A line is `{"session": int, "events": [{"aid": int, "ts": Unix ms, "type": "clicks" | "carts" | "orders"}, ...]}`.
    A line or event that is something else is sent as far as it can be read, behind the one before it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path.name, path, plain_file(path))

    def __iter__(self) -> Iterator[LogRecord]:
        for _, line in self._file.lines():
            found = _session(line)
            if found is not None:
                session, events = found
                for event in events:
                    yield _record(session, event)
            elif not line.isspace():
                yield LogRecord(b"", line.removesuffix(b"\n").removesuffix(b"\r"), None)


def is_otto_line(line: bytes) -> bool:
    """Whether a line of a log is a session."""
    return _session(line) is not None


def _session(line: bytes) -> tuple[Any, list[Any]] | None:
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(fields, dict) or "session" not in fields or "user_id" in fields:
        return None
    events = fields.get("events")
    return (fields["session"], events) if isinstance(events, list) else None


def _record(session: Any, event: Any) -> LogRecord:
    if not isinstance(event, dict):
        return _AS_IT_IS.record({"user_id": session, "context": event})
    theirs = event.get("type")
    event_type = EVENT_TYPES.get(theirs, theirs) if isinstance(theirs, str) else theirs
    fields = {"user_id": session, "item_id": event.get("aid"), "event_type": event_type, "timestamp": event.get("ts")}
    return _AS_IT_IS.record(fields)
