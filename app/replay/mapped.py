"""A log read through a source of the settings: lines of JSON, rows of CSV, Parquet and Arrow."""

import time
from collections.abc import Iterator
from pathlib import Path

import orjson

from app.replay.delimited import SEEN, Layout
from app.replay.files import plain_file
from app.replay.records import EventLog, LogRecord, usable_timestamp
from app.replay.refusals import Refusals
from app.replay.rows import Row, any_header, table_rows, text_rows
from app.sources import Source, SourceRecord
from models.errors import InvalidEvent, SettingsError


class SourceLog(EventLog):
    """The events that a source makes of a log's rows; a row that it refuses is left out, and counted.

    Parameters
    ----------
    log_format
        `jsonl`, `csv`, `parquet` or `arrow`.
    layout
        How text in columns is written.

    Attributes
    ----------
    n_rows
        Rows so far in the current reading.
    refusals
        Those of them that were refused; of a row with an array, the elements.
    """

    def __init__(self, path: Path, log_format: str, source: Source, layout: Layout = SEEN) -> None:
        super().__init__(path.name, path, plain_file(path))
        if log_format not in ("jsonl", "csv", "parquet", "arrow"):
            raise SettingsError(f"{path} is of the format {log_format}, which is known: leave out --source.")
        self._log_format = log_format
        self._source = source
        self._layout = layout
        self._record_ms = int(time.time() * 1000)
        self.n_rows, self.refusals, self._has_parts = 0, Refusals(), False

    @property
    def n_refused(self) -> int:
        """How many rows were refused."""
        return self.refusals.counts.total()

    @property
    def refused(self) -> str:
        """How much was refused, and the first of it with why; empty if nothing was."""
        if not self.n_refused:
            return ""
        whole = f"the elements of {self.n_rows:,} rows" if self._has_parts else f"{self.n_rows:,} rows"
        return f"{self.n_refused:,} of {whole} were refused and left out, the first: {self.refusals.first}"

    def __iter__(self) -> Iterator[LogRecord]:
        self.n_rows, self.n_skipped, self.refusals, self._has_parts = 0, 0, Refusals(), False
        for number, row in self.rows():
            self.n_rows += 1
            try:
                if isinstance(row, str):
                    raise InvalidEvent("bad_type", row)
                found = self._source.read_apart(SourceRecord("", None, row, (), self._record_ms))
            except InvalidEvent as invalid:
                found = [invalid]
            self.n_skipped += not found
            self._has_parts = self._has_parts or len(found) > 1
            for event in found:
                if isinstance(event, InvalidEvent):
                    self.refusals.take(number, row.encode() if isinstance(row, str) else row, event)
                    continue
                value = event.value or b""
                yield LogRecord(event.key, value, usable_timestamp(orjson.loads(value).get("timestamp")))

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Each row with its number from 1: of a line in JSONL, behind the header in CSV."""
        if self._log_format in ("parquet", "arrow"):
            return table_rows(self.path, any_header)
        return text_rows(self._file, self._log_format, any_header, self._layout)
