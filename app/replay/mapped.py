"""A log read through a source of the settings: lines of JSON, rows of CSV and Parquet."""

import time
from collections.abc import Iterator
from pathlib import Path

import orjson

from app.replay.files import plain_file
from app.replay.parquet import BATCH_ROWS, cells_of, damaged, opened_parquet
from app.replay.records import EventLog, LogRecord, usable_timestamp
from app.replay.text import csv_rows
from app.sources import Source, SourceRecord
from models.errors import InvalidEvent, SettingsError

Row = bytes | str
"""A row as JSON; or, as text, why it is none."""


class SourceLog(EventLog):
    """The events that a source makes of a log's rows; a row that it refuses is left out, and counted.

    Parameters
    ----------
    log_format
        `jsonl`, `csv` or `parquet`.

    Attributes
    ----------
    n_rows, n_refused
        Rows so far in the current reading, and those of them that were refused.
    example
        The first row that was refused, and why; empty without one.
    """

    def __init__(self, path: Path, log_format: str, source: Source) -> None:
        super().__init__(path.name, path, plain_file(path))
        if log_format not in ("jsonl", "csv", "parquet"):
            raise SettingsError(f"{path} is of the format {log_format}, which is known: leave out --source.")
        self._log_format = log_format
        self._source = source
        self._record_ms = int(time.time() * 1000)
        self.n_rows = self.n_refused = 0
        self.example = ""

    def __iter__(self) -> Iterator[LogRecord]:
        self.n_rows = self.n_refused = 0
        self.example = ""
        for number, row in self.rows():
            self.n_rows += 1
            try:
                if isinstance(row, str):
                    raise InvalidEvent("bad_type", row)
                events = self._source.read(SourceRecord("", None, row, (), self._record_ms))
            except InvalidEvent as invalid:
                self.n_refused += 1
                self.example = self.example or f"row {number}: {invalid.reason}: {invalid.message}"
                continue
            for event in events:
                value = event.value or b""
                yield LogRecord(event.key, value, usable_timestamp(orjson.loads(value).get("timestamp")))

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Each row with its number from 1: of a line in JSONL, behind the header in CSV."""
        if self._log_format == "jsonl":
            for number, line in self._file.lines():
                if value := line.strip():
                    yield number, value
        elif self._log_format == "csv":
            yield from enumerate(self._csv_rows(), 1)
        else:
            yield from enumerate(self._parquet_rows(), 1)

    def _csv_rows(self) -> Iterator[Row]:
        rows = csv_rows(self._file)
        header = next(rows, None)
        if header is None:
            raise self._file.error(1, "the file is empty: a header with the names of the columns is expected")
        for cells in rows:
            if len(cells) != len(header):
                yield f"the row has {len(cells)} cells, the header {len(header)}."
            else:
                yield orjson.dumps({name: cell for name, cell in zip(header, cells, strict=True) if cell != ""})

    def _parquet_rows(self) -> Iterator[Row]:
        with opened_parquet(self.path) as file:
            names = file.schema_arrow.names
            try:
                for batch in file.iter_batches(BATCH_ROWS):
                    columns = [cells_of(batch.column(place), name) for place, name in enumerate(names)]
                    for row in zip(*columns, strict=True):
                        fields = {name: cell for name, cell in zip(names, row, strict=True) if cell is not None}
                        try:
                            yield orjson.dumps(fields)
                        except TypeError as error:
                            yield f"the row cannot be written as JSON: {error}."
            except (OSError, ValueError, NotImplementedError) as error:
                raise damaged(self.path, f"after row {self.n_rows:,}", error) from error
