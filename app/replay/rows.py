"""The rows of a file or a stream as JSON objects: lines of JSON, rows of CSV, Parquet or Arrow."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any

import orjson

from app.replay.arrow_tables import opened_table
from app.replay.delimited import SEEN, SKIPPED, Layout, csv_rows
from app.replay.files import LogFile
from app.replay.parquet import cells_of

Row = bytes | str
"""A row as JSON; or, as text, why it is none."""

Header = Callable[[Sequence[str]], None]


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


def table_rows(path: Path, header: Header) -> Iterator[tuple[int, Row]]:
    """Each row of a Parquet or Arrow file with its number from 1; nulls are left out.

    Times are ISO 8601; in a column `timestamp` Unix milliseconds.
    """
    number = 0
    with opened_table(path) as table:
        names = table.schema.names
        header(names)
        for batch in table.batches():
            columns = [cells_of(batch.column(place), name) for place, name in enumerate(names)]
            for cells in zip(*columns, strict=True):
                number += 1
                yield number, _json_row(names, cells)


def _json_row(names: Sequence[str], cells: Sequence[Any]) -> Row:
    try:
        return orjson.dumps({name: cell for name, cell in zip(names, cells, strict=True) if cell is not None})
    except TypeError as error:
        return f"the row cannot be written as JSON: {error}."
