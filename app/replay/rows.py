"""The rows of a file or a stream as JSON objects: lines of JSON, rows of CSV or Parquet."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any

import orjson

from app.replay.arrow import arrow
from app.replay.delimited import SEEN, SKIPPED, Layout, csv_rows
from app.replay.files import LogFile
from app.replay.parquet import BATCH_ROWS, cells_of, damaged, opened_parquet

Row = bytes | str
"""A row as JSON; or, as text, why it is none."""

Header = Callable[[Sequence[str]], None]
_MAP_COLUMN = "context"


def any_header(names: Sequence[str]) -> None:
    """Ask nothing of a table's header."""


class Stream(LogFile):
    """What can be read once, as from a pipe; `first_line` may be looked at before."""

    def __init__(self, label: str, raw: IO[bytes]) -> None:
        buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(raw)  # type: ignore[type-var]
        super().__init__(label, lambda: nullcontext(buffered), 0)
        self.magic = buffered.peek(4)[:4]
        self._rest = super().lines()
        self._ahead: list[tuple[int, bytes]] = []

    def first_line(self) -> bytes:
        """The first line that is not blank; empty without one."""
        for number, line in self._rest:
            self._ahead.append((number, line))
            if not line.isspace():
                return line
        return b""

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """See `LogFile.lines`."""
        while self._ahead:
            yield self._ahead.pop(0)
        yield from self._rest


def text_rows(file: LogFile, log_format: str, header: Header, layout: Layout = SEEN) -> Iterator[tuple[int, Row]]:
    """Each row with its number from 1: of its line in JSONL, behind the header in CSV; empty cells are left out.

    Parameters
    ----------
    log_format
        `jsonl` or `csv`.
    header
        Called with the names of the columns, where there are any; raises what is wrong with them.
    layout
        How text in columns is written.
    """
    if log_format == "jsonl":
        for number, line in file.lines():
            if value := line.strip():
                yield number, value
        return
    rows = csv_rows(file, layout)
    names = next(rows, None)
    if names is None:
        raise file.error(1, "the file is empty: a header with the names of the columns is expected")
    header(names)
    for number, cells in enumerate(rows, 1):
        if len(cells) != len(names):
            yield number, f"the row has {len(cells)} cells, the header {len(names)}."
        else:
            filled = {name: cell for name, cell in zip(names, cells, strict=True) if cell != "" and name != SKIPPED}
            yield number, orjson.dumps(filled)


def parquet_rows(path: Path, header: Header) -> Iterator[tuple[int, Row]]:
    """Each row of a Parquet file with its number from 1; nulls are left out.

    Times are ISO 8601; in a column `timestamp` Unix milliseconds.
    """
    number = 0
    with opened_parquet(path) as file:
        schema = file.schema_arrow
        header(schema.names)
        types = arrow("pyarrow.types", "Parquet")
        fields = [_MAP_COLUMN if types.is_map(schema.field(n).type) else name for n, name in enumerate(schema.names)]
        try:
            for batch in file.iter_batches(BATCH_ROWS):
                columns = [cells_of(batch.column(place), field) for place, field in enumerate(fields)]
                for cells in zip(*columns, strict=True):
                    number += 1
                    yield number, _json_row(schema.names, cells)
        except (OSError, ValueError, NotImplementedError) as error:
            raise damaged(path, f"after row {number:,}", error) from error


def _json_row(names: Sequence[str], cells: Sequence[Any]) -> Row:
    try:
        return orjson.dumps({name: cell for name, cell in zip(names, cells, strict=True) if cell is not None})
    except TypeError as error:
        return f"the row cannot be written as JSON: {error}."
