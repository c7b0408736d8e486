"""Tables of typed columns in files: Parquet, Arrow and Feather, Arrow's stream; in batches of rows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from app.replay.arrow import arrow
from models.errors import LogError

BATCH_ROWS: Final = 10_000
PARQUET_MAGICS: Final = (b"PAR1", b"PARE")
_ARROW_MAGIC, _STREAM_MAGIC, _OLD_FEATHER = b"ARRO", b"\xff\xff\xff\xff", b"FEA1"
MAGICS: Final = (*PARQUET_MAGICS, _ARROW_MAGIC, _STREAM_MAGIC, _OLD_FEATHER)
"""First four bytes of a Parquet file, of an encrypted one, of an Arrow file, of its stream, of Feather's first form."""

_ERRORS = (OSError, ValueError, NotImplementedError)


class ArrowTable:
    """One open table.

    Attributes
    ----------
    schema
        Arrow's names and types of the columns.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._n_read = 0
        with path.open("rb") as raw:
            magic = raw.read(4)
        self._is_parquet = magic in PARQUET_MAGICS or magic not in MAGICS
        self._kind = "Parquet" if self._is_parquet else "Arrow"
        if magic == _OLD_FEATHER:
            raise LogError(f"{path}: Feather of version 1. Write it anew, as version 2 or as Parquet.")
        what = f"{path} is {self._kind}: reading it"
        self._library = arrow("pyarrow.parquet" if self._is_parquet else "pyarrow.ipc", what)
        self._open = {_ARROW_MAGIC: "open_file", _STREAM_MAGIC: "open_stream"}.get(magic, "ParquetFile")
        try:
            self._file = self._opened()
            self.schema = self._file.schema_arrow if self._is_parquet else self._file.schema
        except _ERRORS as error:
            where = "its first part, the schema" if magic == _STREAM_MAGIC else "its last part, the footer"
            raise self._damaged(where, error) from error

    def n_rows(self) -> int | None:
        """How many rows there are; None where only reading them all would tell."""
        if self._is_parquet:
            n: int = self._file.metadata.num_rows
            return n
        return int(self._file.count_rows()) if self._open == "open_file" else None

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """The rows, some at a time, in the order of the file; None: with all columns.

        Raises
        ------
        LogError
            When they cannot be read on.
        """
        self._n_read = 0
        try:
            for batch in self._parquet(columns) if self._is_parquet else self._arrow(columns):
                yield batch
                self._n_read += batch.num_rows
        except _ERRORS as error:
            raise self._damaged(f"after row {self._n_read:,}", error) from error

    def close(self) -> None:
        """Close the file."""
        if self._is_parquet:
            self._file.close()

    def _opened(self, **options: Any) -> Any:
        opener = getattr(self._library, self._open)
        return (
            opener(self._path)
            if self._is_parquet
            else opener(arrow("pyarrow", "Arrow").OSFile(str(self._path)), **options)
        )

    def _parquet(self, columns: Sequence[str] | None) -> Iterator[Any]:
        return self._file.iter_batches(BATCH_ROWS, columns=columns)  # type: ignore[no-any-return]

    def _arrow(self, columns: Sequence[str] | None) -> Iterator[Any]:
        places = None if columns is None else [self.schema.get_field_index(name) for name in columns]
        file = self._opened(options=self._library.IpcReadOptions(included_fields=places))
        is_stream = self._open == "open_stream"
        for batch in file if is_stream else map(file.get_batch, range(file.num_record_batches)):
            for start in range(0, batch.num_rows, BATCH_ROWS):
                yield batch.slice(start, BATCH_ROWS)

    def _damaged(self, where: str, error: Exception) -> LogError:
        said = " ".join(str(error).split())[:300].rstrip(".")
        return LogError(
            f"{self._path}: not {self._kind} that can be read, {where} ({said}). Copy or download it again."
        )


@contextmanager
def opened_table(path: Path) -> Iterator[ArrowTable]:
    """The table of a file, for as long as the block lasts.

    Raises
    ------
    LogError
        When it is none that can be read.
    """
    table = ArrowTable(path)
    try:
        yield table
    finally:
        table.close()
