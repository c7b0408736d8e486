"""Catalogue entries and profiles from files, and ids of those that are to go."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

from app.read_ahead import read_ahead
from app.replay.arrow_tables import MAGICS
from app.replay.files import LogFile, plain_file
from app.replay.rows import Header, Row, Stream, table_rows, text_rows
from app.sending import Made
from app.settings import Settings
from app.sources import SourceRecord, SourceSettings, file_source
from app.sources.entries import KINDS
from models.errors import InvalidEvent, LogError
from models.events import checked_id
from tables.entry_fields import OBJECT

AUTO = "auto"
DELETED = "deleted"
ROWS_AHEAD = 1000

T = TypeVar("T")


def column_fields(kind: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields that `--column` may name, and those of them that take NAME behind a dot."""
    id_name, kinds, _ = KINDS[kind]
    return (id_name, *kinds, DELETED), tuple(name for name, each in kinds.items() if each == OBJECT)


def flag_settings(kind: str, columns: dict[str, str], time_unit: str, list_separator: str) -> SourceSettings:
    """The source that flags describe: fields that they do not name have the name of their own column."""
    id_name = KINDS[kind].id_name
    paths = {name: column_path(column) for name, column in columns.items()}
    deleted = paths.pop(DELETED, DELETED)
    own = {id_name: paths.pop(id_name)} if id_name in paths else {}
    return SourceSettings.model_validate(
        {
            **own,
            "kind": kind,
            "fields": paths,
            "keep": True,
            "deleted": deleted,
            "time": time_unit,
            "list_separator": list_separator,
        }
    )


def column_path(column: str) -> str:
    """The JMESPath of a column by its name, whatever stands in it."""
    if column.isascii() and column.isidentifier():
        return column
    escaped = column.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def needed_columns(kind: str, columns: dict[str, str]) -> Header:
    """What refuses a table without the columns that flags name, or without ids."""
    id_name = KINDS[kind].id_name
    needed = {id_name: id_name} | columns

    def check(header: Sequence[str]) -> None:
        if missing := sorted(column for column in needed.values() if column not in header):
            raise LogError(
                f"there is no column {', '.join(map(repr, missing))}; the header has {', '.join(header)}: name the "
                f"columns with --column FIELD=COLUMN, e.g. {id_name}=id."
            )

    return check


def entry_maker(settings: Settings, source: SourceSettings) -> Callable[[Row], Made]:
    """What makes entries of a row, as workers take them."""
    reads = file_source(source, settings.rules)

    def make(row: Row) -> Made:
        if isinstance(row, str):
            raise InvalidEvent("bad_type", row)
        return reads.read(SourceRecord("", None, row, (), 0))

    return make


def deletion_maker(id_name: str) -> Callable[[str], Made]:
    """What deletes the entry of an id."""
    return lambda entry_id: [(checked_id(id_name, entry_id).encode(), None)]


class EntryFile:
    """A file, or a stream that is read once: a pipe, standard input.

    Parameters
    ----------
    path
        None for standard input.
    stdin
        Its bytes.

    Attributes
    ----------
    is_stream
        Whether reading it may keep one waiting; its size is unknown then.

    Raises
    ------
    LogError
        If it cannot be read.
    """

    def __init__(self, path: Path | None, stdin: BinaryIO) -> None:
        self.path = path
        self.is_stream = path is None or (path.exists() and not path.is_file() and not path.is_dir())
        if path is not None and path.is_dir():
            raise LogError(f"{path}: a folder. Name a file in it.")
        if path is None:
            self._file: LogFile = Stream("standard input", getattr(stdin, "raw", stdin))
        elif self.is_stream:
            self._file = Stream(str(path), path.open("rb"))
        else:
            self._file = plain_file(path)

    @property
    def size_bytes(self) -> int:
        """Size of the file as it is stored."""
        return self._file.size_bytes

    @property
    def bytes_read(self) -> int:
        """How far reading has come, out of `size_bytes`."""
        return self._file.bytes_read

    def rows(self, log_format: str, header: Header) -> Iterator[tuple[int, Row]]:
        """Number and JSON of each row; see `text_rows`."""
        found = self._detected() if log_format == AUTO else log_format
        if found not in ("parquet", "arrow"):
            return text_rows(self._file, found, header)
        if self.path is None or self.is_stream:
            raise LogError(f"{self._file.label}: Parquet and Arrow are read from their end. Write it to a file first.")
        return table_rows(self.path, header)

    def ids(self) -> Iterator[tuple[int, str]]:
        """Number and text of each line that is not blank."""
        for number, line in self._file.text_lines():
            if text := line.strip():
                yield number, text

    def _detected(self) -> str:
        """What the file is: Parquet, Arrow by its first bytes, JSONL and CSV by its name, else by the first line."""
        first = self._first_line()
        if first[:4] in MAGICS:
            return "parquet"
        name = "" if self.path is None else self.path.name.lower()
        for suffix in (".gz", ".zst", ".zstd"):
            name = name.removesuffix(suffix)
        if first.lstrip().startswith(b"["):
            raise LogError(f"{self._file.label}: an array of JSON. Write one object a line, e.g. by jq -c '.[]'.")
        if name.endswith((".jsonl", ".ndjson", ".json")):
            return "jsonl"
        return "csv" if name.endswith(".csv") or not first.lstrip().startswith(b"{") else "jsonl"

    def _first_line(self) -> bytes:
        if isinstance(self._file, Stream):
            return self._file.first_line() or b"{"
        return next((line for _, line in self._file.lines() if not line.isspace()), b"{")


async def in_turn(values: Iterable[T], *, may_wait: bool) -> AsyncIterator[T]:
    """Each value; from a thread of its own if having the next one may take long."""
    if may_wait:
        async for value in read_ahead(iter(values), ROWS_AHEAD):
            yield value
        return
    for value in values:
        yield value
