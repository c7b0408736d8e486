"""Logs in Parquet, plain or compressed inside."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from app.replay.arrow import arrow
from app.replay.columns import NAME_COLUMNS, ColumnMapping, TableColumns
from app.replay.files import plain_file
from app.replay.records import EventLog, LogRecord
from models.errors import LogError

MAGICS = (b"PAR1", b"PARE")
"""First bytes of a Parquet file, and of an encrypted one."""

BATCH_ROWS = 10_000
_CONTEXT = "context"


class ParquetLog(EventLog):
    """One event per row, in file order; columns are mapped as those of CSV, and other columns are not read.

    A time whose column has a time type needs no `--timestamp-unit`: it knows its own, and is UTC without a zone. A
    column `context` of structs or maps is the context. Null and NaN are missing fields.
    """

    def __init__(self, path: Path, mapping: ColumnMapping) -> None:
        super().__init__(path.name, path, plain_file(path))
        self._mapping = mapping

    def n_records(self) -> int | None:
        """Count the rows; the file says how many, but not how many a filter leaves."""
        if self._mapping.choice.leaves_out:
            return None
        with opened_parquet(self.path) as file:
            n: int = file.metadata.num_rows
        return n

    def __iter__(self) -> Iterator[LogRecord]:
        n = 0
        with opened_parquet(self.path) as file:
            places, mapping = self._places(file.schema_arrow)
            asked = self._asked(file.schema_arrow.names)
            self.n_skipped = 0
            try:
                for batch in file.iter_batches(BATCH_ROWS, columns=sorted({*places.values(), *asked})):
                    cells = [cells_of(batch.column(column), field) for field, column in places.items()]
                    rows = _rows(batch, asked)
                    for row in zip(*cells, strict=True):
                        if record := mapping.chosen(dict(zip(places, row, strict=True)), next(rows)):
                            yield record
                        else:
                            self.n_skipped += 1
                    n += batch.num_rows
            except (OSError, ValueError, NotImplementedError) as error:
                raise damaged(self.path, f"after row {n:,}", error) from error

    def _places(self, schema: Any) -> tuple[dict[str, str], ColumnMapping]:
        """Field -> column; and the mapping to go by."""
        header = schema.names
        try:
            columns = TableColumns(header, self._mapping)
        except ValueError as error:
            raise LogError(f"{self.path}: {error}: {NAME_COLUMNS}.") from error
        places = {field: header[place] for field, place in columns.places}
        types = arrow("pyarrow.types", "Parquet")
        if header.count(_CONTEXT) == 1 and _is_object(types, schema.field(_CONTEXT).type):
            places.setdefault(_CONTEXT, _CONTEXT)
        is_typed = "timestamp" in places and types.is_temporal(schema.field(places["timestamp"]).type)
        return places, replace(self._mapping, timestamp_unit="ms") if is_typed else self._mapping

    def _asked(self, header: list[str]) -> list[str]:
        """Columns that filters ask for."""
        asked = self._mapping.choice.columns
        return list(dict.fromkeys(header)) if "@" in asked else [name for name in header if name in asked]


def _rows(batch: Any, names: list[str]) -> Iterator[dict[str, object]]:
    """The rows of a batch by the names of these columns, without nulls; times are ISO 8601."""
    columns = [cells_of(batch.column(name), "") for name in names]
    for number in range(batch.num_rows):
        cells = ((name, column[number]) for name, column in zip(names, columns, strict=True))
        yield {name: cell for name, cell in cells if cell is not None}


@contextmanager
def opened_parquet(path: Path) -> Iterator[Any]:
    """A Parquet file of pyarrow, for as long as the block lasts.

    Raises
    ------
    LogError
        When it is none that can be read.
    """
    parquet = arrow("pyarrow.parquet", f"{path} is Parquet: reading it")
    try:
        file = parquet.ParquetFile(path)
    except (OSError, ValueError, NotImplementedError) as error:
        raise damaged(path, "its last part, the footer", error) from error
    with file:
        yield file


def damaged(path: Path, where: str, error: Exception) -> LogError:
    """What to raise for a file that cannot be read from some place on."""
    said = " ".join(str(error).split())[:300].rstrip(".")
    return LogError(f"{path}: not Parquet that can be read, {where} ({said}). Copy or download it again.")


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
    elif field == _CONTEXT and types.is_map(kind):
        return [None if cell is None else _plain(dict(cell)) for cell in column.to_pylist()]
    cells: list[object] = column.to_pylist()
    kind = column.type
    is_plain = types.is_integer(kind) or types.is_string(kind) or types.is_large_string(kind) or types.is_boolean(kind)
    return cells if is_plain else [_plain(cell) for cell in cells]


def _is_object(types: Any, kind: Any) -> bool:
    return bool(types.is_struct(kind) or types.is_map(kind))


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
