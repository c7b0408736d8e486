"""The one way to open any log: what it is shows in its name and first bytes, unless it is said."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from app.replay.arrow_tables import MAGICS, PARQUET_MAGICS
from app.replay.choice import Choice
from app.replay.columns import NO_TIMES, ColumnMapping
from app.replay.datasets import fetch_dataset
from app.replay.delimited import SEEN, Layout
from app.replay.files import plain_file
from app.replay.mapped import SourceLog
from app.replay.movielens import LAYOUTS, MovieLensLog, layout_of_file
from app.replay.otto import OttoLog, is_otto_line
from app.replay.parquet import ParquetLog
from app.replay.records import EventLog
from app.replay.text import CsvLog, JsonlLog
from app.replay.timeless import TimelessLog
from app.sources import Source
from models.errors import LogError, SettingsError

AUTO = "auto"
FORMATS = (AUTO, "jsonl", "csv", "parquet", "arrow", "otto")
"""What `--format` takes."""

_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
_COMPRESSED = (".gz", ".zst", ".zstd")
_READERS: dict[str, Callable[[Path, ColumnMapping], EventLog]] = {
    "jsonl": JsonlLog,
    "parquet": ParquetLog,
    "arrow": ParquetLog,
    "otto": lambda path, mapping: OttoLog(path),
}


def open_log(
    path: Path | None,
    *,
    dataset: str | None,
    columns: Mapping[str, str],
    event_type: str | None,
    timestamp_unit: str = "ms",
    log_format: str = AUTO,
    layout: Layout = SEEN,
    choice: Choice | None = None,
) -> EventLog:
    """Open a recorded log, in the order of its file; `OrderedLog` sorts it.

    Parameters
    ----------
    path
        A file of JSONL, text in columns or OTTO sessions, plain, gzip or zstd; a Parquet, Arrow or Feather file; a
        MovieLens folder, zip, or ratings file in its folder. None with `dataset` stands for the data folder, where a
        set that can be fetched is fetched when absent.
    dataset
        Name of a MovieLens set, one of `app.replay.datasets.DATASETS`.
    columns, event_type, timestamp_unit, choice
        See `ColumnMapping`; not for MovieLens sets and OTTO sessions, whose columns are known.
    log_format
        One of `FORMATS`; all but the first are for files alone.
    layout
        How text in columns is written; for nothing else.

    Raises
    ------
    LogError
        When there is no such log, or it is of no kind that can be read.
    SettingsError
        When the flags do not go together.
    """
    mapping = ColumnMapping(dict(columns), event_type, timestamp_unit, choice or Choice())
    if log_format not in FORMATS:
        raise SettingsError(f"--format has value {log_format!r}: use one of {', '.join(FORMATS)}.")
    if dataset is not None:
        if dataset not in LAYOUTS:
            raise SettingsError(f"--dataset has value {dataset!r}: use one of {', '.join(LAYOUTS)}.")
        _refuse_flags(mapping, layout, log_format, f"{dataset} is a MovieLens set")
        place = path if path is not None else fetch_dataset(dataset, show_progress=sys.stderr.isatty())
        return MovieLensLog(place, layout=LAYOUTS[dataset], name=dataset)
    if path is None:
        raise SettingsError(f"No log is named: give a file, or --dataset with one of {', '.join(LAYOUTS)}.")
    if path.is_dir():
        _refuse_flags(mapping, layout, log_format, f"{path} is a folder, read as a MovieLens set")
        return MovieLensLog(path)
    magic = _first_bytes(path)
    if log_format == AUTO and magic.startswith(_ZIP_MAGICS):
        _refuse_flags(mapping, layout, log_format, f"{path} is a zip, read as a MovieLens set")
        return MovieLensLog(path)
    if log_format == AUTO and mapping.is_identity and not layout.is_said and (known := layout_of_file(path)):
        return MovieLensLog(path.parent, layout=known)
    found = _detected(path, magic) if log_format == AUTO else log_format
    if found == "otto":
        _refuse_flags(mapping, layout, AUTO, f"{path} holds OTTO sessions")
    if found != "csv":
        _refuse_layout(layout, f"{path} is {found}")
    reader = CsvLog(path, mapping, layout) if found == "csv" else _READERS[found](path, mapping)
    return TimelessLog(reader) if timestamp_unit == NO_TIMES else reader


def open_source_log(path: Path | None, *, source: Source, log_format: str = AUTO, layout: Layout = SEEN) -> SourceLog:
    """Open a recorded log whose rows a source of the settings reads, in the order of its file.

    Raises
    ------
    LogError
        When there is no such file.
    SettingsError
        When the flags do not go together.
    """
    if path is None or path.is_dir():
        raise SettingsError("--source reads one file of JSON lines, CSV, Parquet or Arrow: name it.")
    found = row_format_of(path) if log_format == AUTO else log_format
    if found != "csv":
        _refuse_layout(layout, f"{path} is {found}")
    return SourceLog(path, found, source, layout)


def format_of(path: Path) -> str:
    """What a file is, one of `FORMATS`, by its name and its first bytes."""
    return _detected(path, _first_bytes(path))


def row_format_of(path: Path) -> str:
    """The same for a source, to which sessions are lines of JSON like others."""
    found = format_of(path)
    return "jsonl" if found == "otto" else found


def _refuse_layout(layout: Layout, what: str) -> None:
    if layout.is_said:
        raise SettingsError(f"{what}: leave out --delimiter, --columns and --no-quotes, which are for text in columns.")


def _refuse_flags(mapping: ColumnMapping, layout: Layout, log_format: str, what: str) -> None:
    if log_format != AUTO:
        raise SettingsError(f"{what}: its format is known, leave out --format {log_format}.")
    if not mapping.is_identity or mapping.choice.knows_types:
        flags = "--column, --each, --event-type, --timestamp-unit, --types, --ignore, --where"
        raise SettingsError(f"{what}, whose columns are known: leave out {flags}.")
    _refuse_layout(layout, what)


def _first_bytes(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        raise LogError(f"{path}: not a file or folder, and a log is opened more than once. Write it to a file first.")
    try:
        with path.open("rb") as raw:
            return raw.read(4)
    except OSError as error:
        raise LogError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error


def _detected(path: Path, magic: bytes) -> str:
    """What a file is: tables and sessions by their content, JSONL and CSV by the name, else by the first line."""
    if magic in MAGICS:
        return "parquet" if magic in PARQUET_MAGICS else "arrow"
    stem = path.name.lower()
    for suffix in _COMPRESSED:
        stem = stem.removesuffix(suffix)
    if stem.endswith(".csv"):
        return "csv"
    first = next((line for _, line in plain_file(path).lines() if not line.isspace()), b"{")
    if first[:4] in PARQUET_MAGICS:
        raise LogError(f"{path}: a compressed Parquet file. Unpack it: Parquet is compressed inside.")
    if is_otto_line(first):
        return "otto"
    if stem.endswith((".jsonl", ".ndjson", ".json")) or first.lstrip().startswith(b"{"):
        return "jsonl"
    return "csv"
