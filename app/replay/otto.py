"""Sessions as the OTTO recommender data set holds them."""

from array import array
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

import numpy as np
import orjson

from app.replay.columns import ColumnMapping
from app.replay.files import plain_file
from app.replay.records import EventLog, LogRecord, event_record

EVENT_TYPES = {"clicks": "click", "carts": "add_to_cart", "orders": "purchase"}
"""What a session's types are called here."""

SLICE_EVENTS = 20_000_000
"""Events sorted at once, 33 bytes each."""

_NAMES = tuple(EVENT_TYPES.values())
_CODES = {theirs: code for code, theirs in enumerate(EVENT_TYPES)}
_ODD = -1
_BUCKET_MS = 60_000
_END_MS = _MAX_ID = 2**62
_AS_IT_IS = ColumnMapping()


class _Row(NamedTuple):
    """One event as numbers; what has no such form is in `odd`, ready to be sent."""

    time_ms: int
    session: int = 0
    item: int = 0
    code: int = _ODD
    odd: LogRecord | None = None


class OttoLog(EventLog):
    """A session is a user, and the events of all sessions come in the order of (timestamp, row).

    A line is `{"session": int, "events": [{"aid": int, "ts": Unix ms, "type": "clicks" | "carts" | "orders"}, ...]}`.
    A line or event that is something else is sent as far as it can be read, behind the one before it.

    The file is read once to count, and once for each slice of time with at most `slice_events` events (more only where
    one minute holds more): so memory is bounded, and a log that fits into one slice is read twice.
    """

    def __init__(self, path: Path, *, slice_events: int = SLICE_EVENTS) -> None:
        super().__init__(path.name, path, plain_file(path))
        self._slice_events = slice_events
        self._minutes: Counter[int] | None = None

    def n_records(self) -> int:
        """Count the events; reads the file."""
        return self._counted().total()

    def __iter__(self) -> Iterator[LogRecord]:
        for start_ms, end_ms in pairwise(self._bounds()):
            yield from self._sorted(start_ms, end_ms)

    def beginning(self) -> Iterator[tuple[bytes, LogRecord]]:
        """See `EventLog.beginning`: in the order of the file."""
        for row in self._rows():
            record = _record(row)
            yield record.value, record

    def _counted(self) -> Counter[int]:
        """Events of each minute."""
        if self._minutes is None:
            self._minutes = Counter(row.time_ms // _BUCKET_MS for row in self._rows())
        return self._minutes

    def _bounds(self) -> list[int]:
        bounds, n = [0], 0
        for minute, n_events in sorted(self._counted().items()):
            if n and n + n_events > self._slice_events:
                bounds.append(minute * _BUCKET_MS)
                n = 0
            n += n_events
        return [*bounds, _END_MS]

    def _sorted(self, start_ms: int, end_ms: int) -> Iterator[LogRecord]:
        times, sessions, items, codes = array("q"), array("q"), array("q"), array("b")
        odd: dict[int, LogRecord] = {}
        for row in self._rows():
            if start_ms <= row.time_ms < end_ms:
                if row.odd is not None:
                    odd[len(times)] = row.odd
                times.append(row.time_ms)
                sessions.append(row.session)
                items.append(row.item)
                codes.append(row.code)
        for place in np.argsort(np.asarray(times), kind="stable"):
            n = int(place)
            yield _record(_Row(times[n], sessions[n], items[n], codes[n], odd.get(n)))

    def _rows(self) -> Iterator[_Row]:
        """Every event in file order."""
        time_ms = 0
        for _, line in self._file.lines():
            found = _session(line)
            if found is None:
                if not line.isspace():
                    yield _Row(time_ms, odd=LogRecord(b"", line.removesuffix(b"\n").removesuffix(b"\r"), None))
                continue
            session, events = found
            for event in events:
                row = _row(session, event, time_ms)
                time_ms = row.time_ms
                yield row


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


def _row(session: Any, event: Any, time_ms: int) -> _Row:
    if not isinstance(event, dict):
        return _Row(time_ms, odd=_AS_IT_IS.record({"user_id": session, "context": event}))
    item, at_ms, theirs = event.get("aid"), event.get("ts"), event.get("type")
    if type(at_ms) is int and 0 < at_ms < _END_MS:
        time_ms = at_ms
        if _is_id(session) and _is_id(item) and isinstance(theirs, str) and theirs in _CODES:
            return _Row(at_ms, session, item, _CODES[theirs])
    event_type = EVENT_TYPES.get(theirs, theirs) if isinstance(theirs, str) else theirs
    fields = {"user_id": session, "item_id": item, "event_type": event_type, "timestamp": at_ms}
    return _Row(time_ms, odd=_AS_IT_IS.record(fields))


def _record(row: _Row) -> LogRecord:
    if row.odd is not None:
        return row.odd
    return event_record(
        {
            "user_id": str(row.session),
            "item_id": str(row.item),
            "event_type": _NAMES[row.code],
            "timestamp": row.time_ms,
        }
    )


def _is_id(found: object) -> TypeGuard[int]:
    return type(found) is int and -_MAX_ID < found < _MAX_ID
