"""Logs in JSONL and CSV, and the one way to open any log."""

import csv
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson

from app.replay.columns import ColumnMapping, CsvColumns
from app.replay.datasets import fetch_dataset
from app.replay.files import LogFile, plain_file
from app.replay.movielens import LAYOUTS, MovieLensLog, layout_of_file
from app.replay.records import EventLog, LogRecord, usable_timestamp
from models.errors import LogError, SettingsError

_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
_PARQUET_MAGIC = b"PAR1"


class JsonlLog(EventLog):
    """One event per line, sent byte for byte; with a column mapping, rewritten by it.

    Blank lines are skipped. A line that is no JSON object goes out as it is, to become a dead letter.
    """

    def __init__(self, path: Path, mapping: ColumnMapping) -> None:
        super().__init__(path.name, path, plain_file(path))
        self._mapping = mapping

    def __iter__(self) -> Iterator[LogRecord]:
        rewrite = not self._mapping.is_identity
        for _, line in self._file.lines():
            value = line.removesuffix(b"\n").removesuffix(b"\r")
            if value and not value.isspace():
                yield self._record(value, rewrite)

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
        key = user_id.encode() if isinstance(user_id, str) else b""
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
            columns = CsvColumns(header, self._mapping)
        except ValueError as error:
            fix = "name the columns with --column FIELD=COLUMN, a constant type with --event-type"
            raise self._file.error(1, f"{error}: {fix}") from error
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
        When a quote is never closed, which would swallow the rows behind it.
    """
    lines = _Lines(file)
    reader = csv.reader(lines, strict=True)
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
            yield row


def open_log(
    path: Path | None,
    *,
    dataset: str | None,
    columns: Mapping[str, str],
    event_type: str | None,
    timestamp_unit: str = "ms",
) -> EventLog:
    """Open a recorded log; what it is shows in its name and first bytes.

    Parameters
    ----------
    path
        A JSONL or CSV file, plain or gzip; a MovieLens folder, zip, or ratings file in its folder. None with `dataset`
        stands for the data folder, where a set that can be fetched is fetched when absent.
    dataset
        Name of a MovieLens set, one of `app.replay.datasets.DATASETS`.
    columns, event_type, timestamp_unit
        See `ColumnMapping`; not for MovieLens sets, whose columns are known.

    Raises
    ------
    LogError
        When there is no such log, or it is of no kind that can be read.
    SettingsError
        When the flags do not go together.
    """
    mapping = ColumnMapping(dict(columns), event_type, timestamp_unit)
    if dataset is not None:
        if dataset not in LAYOUTS:
            raise SettingsError(f"--dataset has value {dataset!r}: use one of {', '.join(LAYOUTS)}.")
        _refuse_mapping(mapping, dataset)
        place = path if path is not None else fetch_dataset(dataset, show_progress=sys.stderr.isatty())
        return MovieLensLog(place, layout=LAYOUTS[dataset], name=dataset)
    if path is None:
        raise SettingsError(f"No log is named: give a file, or --dataset with one of {', '.join(LAYOUTS)}.")
    if path.is_dir():
        _refuse_mapping(mapping, str(path))
        return MovieLensLog(path)
    magic = _first_bytes(path)
    if magic.startswith(_ZIP_MAGICS):
        _refuse_mapping(mapping, str(path))
        return MovieLensLog(path)
    if magic.startswith(_PARQUET_MAGIC):
        raise LogError(f"{path}: Parquet is not a kind of log that can be replayed. Write it as CSV or JSONL.")
    if mapping.is_identity and (layout := layout_of_file(path)):
        return MovieLensLog(path.parent, layout=layout)
    return JsonlLog(path, mapping) if _is_jsonl(path) else CsvLog(path, mapping)


def _refuse_mapping(mapping: ColumnMapping, what: str) -> None:
    if not mapping.is_identity:
        raise SettingsError(
            f"{what} is a MovieLens set, whose columns are known: leave out --column, --event-type, --timestamp-unit."
        )


def _first_bytes(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        raise LogError(f"{path}: not a file or folder, and a log is opened more than once. Write it to a file first.")
    try:
        with path.open("rb") as raw:
            return raw.read(4)
    except OSError as error:
        raise LogError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error


def _is_jsonl(path: Path) -> bool:
    stem = path.name.lower().removesuffix(".gz")
    if stem.endswith((".jsonl", ".ndjson", ".json")):
        return True
    if stem.endswith(".csv"):
        return False
    for _, line in plain_file(path).lines():
        if not line.isspace():
            return line.lstrip().startswith(b"{")
    return True
