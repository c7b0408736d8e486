"""Logs in typed columns: Parquet, Arrow, Feather; plain or compressed inside."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from app.replay.arrow import arrow
from app.replay.arrow_tables import ArrowTable, opened_table
from app.replay.columns import NAME_COLUMNS, ColumnMapping, TableColumns
from app.replay.files import plain_file
from app.replay.records import EventLog, LogRecord
from app.replay.row_fields import asked_names, path_of
from models.errors import LogError

_CONTEXT = "context"

Row = dict[str, object]


class ParquetLog(EventLog):
    """One event per row, in file order; columns are mapped as those of CSV, and other columns are not read.

    A time whose column has a time type needs no `--timestamp-unit`: it knows its own, and is UTC without a zone. A
    column `context` of structs or maps is the context. Null and NaN are missing fields. What stands deeper in structs
    and lists is named by a path, and rows with an array of events are several.

    Attributes
    ----------
    columns
        Field -> path, those that were named.
    choice
        Which rows and elements are events.
    """

    def __init__(self, path: Path, mapping: ColumnMapping) -> None:
        super().__init__(path.name, path, plain_file(path))
        self._mapping = mapping
        self.columns = {field: column for field, column in mapping.columns.items() if path_of(column)}
        self.choice = mapping.choice

    def n_records(self) -> int | None:
        """Count the rows; the file says how many, but not how many a filter leaves, or what they hold."""
        if self._mapping.choice.leaves_out or self._mapping.choice.each is not None:
            return None
        with opened_table(self.path) as table:
            return table.n_rows()

    def __iter__(self) -> Iterator[LogRecord]:
        with opened_table(self.path) as table:
            columns = self._columns(table)
            if columns.by_row is None:
                yield from self._by_column(table, columns)
            else:
                yield from (record for _, record in self._by_row(table, columns, columns.by_row))

    def beginning(self) -> Iterator[tuple[bytes, LogRecord]]:
        """See `EventLog.beginning`: of rows that are read whole, what was looked at, as JSON."""
        with opened_table(self.path) as table:
            columns = self._columns(table)
            if columns.by_row is None:
                yield from ((record.value, record) for record in self._by_column(table, columns))
            else:
                for row, record in self._by_row(table, columns, columns.by_row):
                    yield orjson.dumps(row, default=str), record

    def _columns(self, table: ArrowTable) -> TableColumns:
        self.n_skipped = 0
        try:
            return TableColumns(table.schema.names, self._mapping)
        except ValueError as error:
            raise LogError(f"{self.path}: {error}: {NAME_COLUMNS}.") from error

    def _by_column(self, table: ArrowTable, columns: TableColumns) -> Iterator[LogRecord]:
        header = table.schema.names
        places = {field: header[place] for field, place in columns.places}
        places |= {_CONTEXT: _CONTEXT} if _holds_context(table.schema) else {}
        is_typed = "timestamp" in places and _is_time(table.schema, places["timestamp"])
        mapping = replace(self._mapping, timestamp_unit="ms") if is_typed else self._mapping
        asked = _names(header, self._mapping.choice.columns)
        for batch in table.batches(sorted({*places.values(), *asked})):
            cells = [cells_of(batch.column(column), field) for field, column in places.items()]
            rows = _rows(batch, asked)
            for row in zip(*cells, strict=True):
                if record := mapping.chosen(dict(zip(places, row, strict=True)), next(rows)):
                    yield record
                else:
                    self.n_skipped += 1

    def _by_row(
        self, table: ArrowTable, columns: TableColumns, mapping: ColumnMapping
    ) -> Iterator[tuple[Row, LogRecord]]:
        header = table.schema.names
        at = asked_names(mapping.columns.get("timestamp", ""), set(header), has_each=mapping.choice.each is not None)
        if any(_is_time(table.schema, name) for name in at):
            mapping = replace(mapping, timestamp_unit="iso")
        names = _names(header, columns.asked | ({_CONTEXT} if _holds_context(table.schema) else set()))
        for batch in table.batches(sorted(names)):
            for row in _rows(batch, names):
                records = mapping.events(row)
                self.n_skipped += not records
                yield from ((row, record) for record in records)


def _names(header: Sequence[str], asked: set[str]) -> list[str]:
    """The columns that are asked for; `@` asks for all."""
    return list(dict.fromkeys(header)) if "@" in asked else [name for name in header if name in asked]


def _rows(batch: Any, names: list[str]) -> Iterator[Row]:
    """The rows of a batch by the names of these columns, without nulls; times are ISO 8601."""
    columns = [cells_of(batch.column(name), "") for name in names]
    for number in range(batch.num_rows):
        cells = ((name, column[number]) for name, column in zip(names, columns, strict=True))
        yield {name: cell for name, cell in cells if cell is not None}


def cells_of(column: Any, field: str) -> list[object]:
    """The cells of a column as JSON can say them, its nulls as None."""
    pa, types = arrow("pyarrow", "Parquet"), arrow("pyarrow.types", "Parquet")
    kind = column.type
    if types.is_timestamp(kind) or types.is_date(kind):
        if field == "timestamp":
            column = column.cast(pa.timestamp("ms", getattr(kind, "tz", None)), safe=False).cast(pa.int64())
        else:
            column = column.cast(pa.string())
    elif types.is_temporal(kind):
        column = column.cast(pa.string())
    elif types.is_map(kind):
        return [None if cell is None else _plain(dict(cell)) for cell in column.to_pylist()]
    cells: list[object] = column.to_pylist()
    kind = column.type
    is_plain = types.is_integer(kind) or types.is_string(kind) or types.is_large_string(kind) or types.is_boolean(kind)
    return cells if is_plain else [_plain(cell) for cell in cells]


def _holds_context(schema: Any) -> bool:
    types = arrow("pyarrow.types", "Parquet")
    if schema.names.count(_CONTEXT) != 1:
        return False
    kind = schema.field(_CONTEXT).type
    return bool(types.is_struct(kind) or types.is_map(kind))


def _is_time(schema: Any, name: str) -> bool:
    return schema.names.count(name) == 1 and bool(
        arrow("pyarrow.types", "Parquet").is_temporal(schema.field(name).type)
    )


def _plain(cell: object) -> object:
    if isinstance(cell, float):
        return None if cell != cell else cell
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "backslashreplace")
    if isinstance(cell, Decimal):
        return int(cell) if cell == cell.to_integral_value() else float(cell)
    if isinstance(cell, dict):
        return {str(name): _plain(value) for name, value in cell.items()}
    if isinstance(cell, list):
        return [_plain(value) for value in cell]
    return cell if cell is None or isinstance(cell, str | int) else str(cell)
