"""A log without times: its events get some, so that windows, clocks and tests have something to go by."""

from collections.abc import Iterator
from typing import Final

import orjson

from app.replay.records import EventLog, LogRecord, event_record

FIRST_MS: Final = 946_684_800_000
"""The time of the first row, 2000-01-01T00:00:00Z: not of now, so that the same bytes give the same numbers."""

STEP_MS: Final = 1000
"""From one row to the next; 800 million rows end before 2026."""

_BEFORE: Final = ("user_id", "item_id", "event_type")


class TimelessLog(EventLog):
    """The records of a log, each a second later than the one before it in the file.

    Parameters
    ----------
    reader
        The log in the order of its file. Its broken rows, of no user, stay as they are.
    """

    def __init__(self, reader: EventLog) -> None:
        super().__init__(reader.name, reader.path, reader._file)
        self._reader = reader

    def __iter__(self) -> Iterator[LogRecord]:
        return (record for _, record in self.beginning())

    def beginning(self) -> Iterator[tuple[bytes, LogRecord]]:
        """See `EventLog.beginning`."""
        for number, (raw, record) in enumerate(self._reader.beginning()):
            yield raw, _stamped(record, FIRST_MS + number * STEP_MS)
        self.n_skipped = self._reader.n_skipped

    def n_records(self) -> int | None:
        """See `EventLog.n_records`."""
        return self._reader.n_records()


def _stamped(record: LogRecord, time_ms: int) -> LogRecord:
    if not record.key:
        return record
    event = orjson.loads(record.value)
    first = {name: event[name] for name in _BEFORE if name in event}
    return event_record({**first, "timestamp": time_ms, **event})
