"""Logs of text lines: JSONL, and text in columns."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from app.replay.columns import NAME_COLUMNS, ColumnMapping, TableColumns
from app.replay.delimited import SEEN, Layout, absent_header, csv_rows, other_delimiter
from app.replay.files import plain_file
from app.replay.records import EventLog, LogRecord, usable_timestamp


class JsonlLog(EventLog):
    """One event per line, sent byte for byte; with a column mapping, rewritten by it, or several by an array in it.

    Blank lines are skipped. A line that is no JSON object goes out as it is, to become a dead letter.

    Attributes
    ----------
    columns
        Field -> column, those that were named.
    choice
        Which rows and elements are events.
    """

    def __init__(self, path: Path, mapping: ColumnMapping) -> None:
        super().__init__(path.name, path, plain_file(path))
        self._mapping = mapping
        self.columns, self.choice = mapping.columns, mapping.choice

    def __iter__(self) -> Iterator[LogRecord]:
        return (record for _, record in self.beginning())

    def beginning(self) -> Iterator[tuple[bytes, LogRecord]]:
        """See `EventLog.beginning`: the lines as they stand, all of them."""
        self.n_skipped = 0
        is_plain = self._mapping.is_identity
        for _, line in self._file.lines():
            value = line.removesuffix(b"\n").removesuffix(b"\r")
            if not value or value.isspace():
                continue
            if is_plain:
                yield value, _as_it_is(value, _object(value))
                continue
            records = self._records(value)
            self.n_skipped += not records
            for record in records:
                yield value, record

    def _records(self, value: bytes) -> Sequence[LogRecord]:
        event = _object(value)
        if event is None:
            return (_as_it_is(value, None),)
        records = self._mapping.events(event)
        return records if not records or self._mapping.rewrites else (_as_it_is(value, event),)


def _object(value: bytes) -> dict[str, Any] | None:
    try:
        event = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) else None


def _as_it_is(value: bytes, event: dict[str, Any] | None) -> LogRecord:
    """Record of a line that is sent byte for byte; `event` is the object that it is, if it is one."""
    if event is None:
        return LogRecord(b"", value, None)
    user_id = event.get("user_id")
    key = str(user_id).encode() if type(user_id) in (str, int) else b""
    return LogRecord(key, value, usable_timestamp(event.get("timestamp")))


class CsvLog(EventLog):
    """Text in columns, in UTF-8; every row that is not blank is sent."""

    def __init__(self, path: Path, mapping: ColumnMapping, layout: Layout = SEEN) -> None:
        super().__init__(path.name, path, plain_file(path))
        self._mapping = mapping
        self._layout = layout

    def __iter__(self) -> Iterator[LogRecord]:
        rows = csv_rows(self._file, self._layout)
        header = next(rows, None)
        if header is None:
            raise self._file.error(1, "the file is empty: a header with the names of the columns is expected")
        try:
            columns = TableColumns(header, self._mapping)
        except ValueError as error:
            advice = "" if self._layout.names else other_delimiter(header) or absent_header(header)
            raise self._file.error(1, f"{error}: {advice or NAME_COLUMNS}") from error
        self.n_skipped = 0
        if columns.is_plain:
            yield from map(columns.record, rows)
            return
        for row in rows:
            records = columns.chosen(row)
            self.n_skipped += not records
            yield from records
