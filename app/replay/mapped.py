"""A log read through a source of the settings: lines of JSON, rows of CSV and Parquet."""

import time
from collections.abc import Iterator
from pathlib import Path

import orjson

from app.replay.delimited import SEEN, Layout
from app.replay.files import plain_file
from app.replay.records import EventLog, LogRecord, usable_timestamp
from app.replay.refusals import Refusals
from app.replay.rows import Row, any_header, parquet_rows, text_rows
from app.sources import Source, SourceRecord
from models.errors import InvalidEvent, SettingsError


class SourceLog(EventLog):
    """The events that a source makes of a log's rows; a row that it refuses is left out, and counted.

    Parameters
    ----------
    log_format
        `jsonl`, `csv` or `parquet`.
    layout
        How text in columns is written.

    Attributes
    ----------
    n_rows
        Rows so far in the current reading.
    refusals
        Those of them that were refused.
    """

    def __init__(self, path: Path, log_format: str, source: Source, layout: Layout = SEEN) -> None:
        super().__init__(path.name, path, plain_file(path))
        if log_format not in ("jsonl", "csv", "parquet"):
            raise SettingsError(f"{path} is of the format {log_format}, which is known: leave out --source.")
        self._log_format = log_format
        self._source = source
        self._layout = layout
        self._record_ms = int(time.time() * 1000)
        self.n_rows, self.refusals = 0, Refusals()

    @property
    def n_refused(self) -> int:
        """How many rows were refused."""
        return self.refusals.counts.total()

    @property
    def example(self) -> str:
        """The first row that was refused, and why; empty without one."""
        return self.refusals.first

    def __iter__(self) -> Iterator[LogRecord]:
        self.n_rows, self.n_skipped, self.refusals = 0, 0, Refusals()
        for number, row in self.rows():
            self.n_rows += 1
            try:
                if isinstance(row, str):
                    raise InvalidEvent("bad_type", row)
                events = self._source.read(SourceRecord("", None, row, (), self._record_ms))
            except InvalidEvent as invalid:
                self.refusals.take(number, row.encode() if isinstance(row, str) else row, invalid)
                continue
            self.n_skipped += not events
            for event in events:
                value = event.value or b""
                yield LogRecord(event.key, value, usable_timestamp(orjson.loads(value).get("timestamp")))

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Each row with its number from 1: of a line in JSONL, behind the header in CSV."""
        if self._log_format == "parquet":
            return parquet_rows(self.path, any_header)
        return text_rows(self._file, self._log_format, any_header, self._layout)
