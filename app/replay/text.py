"""Logs of text lines: JSONL and CSV."""

import csv
from collections.abc import Iterator
from pathlib import Path

import orjson

from app.replay.columns import NAME_COLUMNS, ColumnMapping, TableColumns
from app.replay.files import LogFile, plain_file
from app.replay.records import EventLog, LogRecord, usable_timestamp

_SEPARATORS = (";", "\t", "|")


class JsonlLog(EventLog):
    """One event per line, sent byte for byte; with a column mapping, rewritten by it.

    Blank lines are skipped. A line that is no JSON object goes out as it is, to become a dead letter.

    Attributes
    ----------
    columns
        Field -> column, those that were named.
    """

    def __init__(self, path: Path, mapping: ColumnMapping) -> None:
        super().__init__(path.name, path, plain_file(path))
        self._mapping = mapping
        self.columns = mapping.columns

    def __iter__(self) -> Iterator[LogRecord]:
        return (record for _, record in self.beginning())

    def beginning(self) -> Iterator[tuple[bytes, LogRecord]]:
        """See `EventLog.beginning`: the lines as they stand, all of them."""
        rewrite = not self._mapping.is_identity
        for _, line in self._file.lines():
            value = line.removesuffix(b"\n").removesuffix(b"\r")
            if value and not value.isspace():
                yield value, self._record(value, rewrite)

    def _record(self, value: bytes, rewrite: bool) -> LogRecord:
        try:
            event = orjson.loads(value)
        except orjson.JSONDecodeError:
            return LogRecord(b"", value, None)
        if not isinstance(event, dict):
            return LogRecord(b"", value, None)
        if rewrite:
            return self._mapping.object_record(event)
        user_id = event.get("user_id")
        key = str(user_id).encode() if type(user_id) in (str, int) else b""
        return LogRecord(key, value, usable_timestamp(event.get("timestamp")))


class CsvLog(EventLog):
    """Comma-separated values in UTF-8 behind a header; every row that is not blank is sent."""

    def __init__(self, path: Path, mapping: ColumnMapping) -> None:
        super().__init__(path.name, path, plain_file(path))
        self._mapping = mapping

    def __iter__(self) -> Iterator[LogRecord]:
        rows = csv_rows(self._file)
        header = next(rows, None)
        if header is None:
            raise self._file.error(1, "the file is empty: a header with the names of the columns is expected")
        try:
            columns = TableColumns(header, self._mapping)
        except ValueError as error:
            raise self._file.error(1, f"{error}: {NAME_COLUMNS}") from error
        for row in rows:
            yield columns.record(row)


class _Lines:
    """Text lines of a file that remember those taken since the last row was complete."""

    def __init__(self, file: LogFile) -> None:
        self._numbered = file.text_lines()
        self.number = 0
        self.pending: list[str] = []
        self.exhausted = False

    def __iter__(self) -> Iterator[str]:
        for number, line in self._numbered:
            self.number = number
            self.pending.append(line)
            yield line
        self.exhausted = True


def csv_rows(file: LogFile) -> Iterator[list[str]]:
    """Rows of a CSV file, the header first, without blank ones; a row with a stray quote is one raw cell.

    Raises
    ------
    LogError
        When a quote is never closed, which would swallow the rows behind it; when something else than a comma
        separates the columns.
    """
    lines = _Lines(file)
    reader = csv.reader(lines, strict=True)
    has_header = False
    while True:
        first_line = lines.number + 1
        lines.pending.clear()
        try:
            row = next(reader, None)
        except csv.Error as error:
            if lines.exhausted or len(lines.pending) > 1:
                raise file.error(first_line, f"a quote in the row that begins here never closes ({error})") from error
            row = ["".join(lines.pending).rstrip("\r\n")]
        if row is None:
            return
        if row:
            if not has_header:
                _refuse_other_separators(file, lines.number, row)
            has_header = True
            yield row


def _refuse_other_separators(file: LogFile, number: int, header: list[str]) -> None:
    """Name what separates the columns of a header that is one cell, if it is no comma."""
    if len(header) == 1 and (found := [each for each in _SEPARATORS if each in header[0]]):
        problem = (
            f"the columns are separated by {found[0]!r}: write them with commas, e.g. by csvformat or a spreadsheet"
        )
        raise file.error(number, problem)
