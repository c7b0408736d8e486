"""Records sorted by time: in memory, or beyond a bound in sorted runs on disk, which are merged as they are read."""

import heapq
import os
import shutil
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from operator import itemgetter
from struct import Struct
from typing import Final, NamedTuple, NoReturn
from weakref import finalize

import numpy as np

from app.replay.fit import fit
from app.replay.records import LogRecord
from models.errors import LogError
from models.events import MAX_TIMESTAMP_MS

MEMORY_BYTES: Final = 256 * 1024 * 1024
"""What records may take in memory before they go to disk."""

RECORD_BYTES: Final = 200
"""What a record takes in memory beside its key and value: four Python objects."""

MAX_RUNS: Final = 128
"""Runs merged at once, `BLOCK_BYTES` of each in memory; of more, so many at a time are first made one."""

BLOCK_BYTES: Final = 256 * 1024

_HEAD = Struct("<q?HI")
"""Of a record on disk: the time it is sorted by, whether it is its own, the bytes of its key, of its value."""

Timed = tuple[int, LogRecord]
"""A record behind the time that it is sorted by."""


class _Run(NamedTuple):
    """Where a sorted run lies in the file."""

    start: int
    end: int


class SortedRecords:
    """Records in the order of time, then of adding; one without a time stays behind the one added before it.

    Add them all, then iterate, as often as you like. Up to `memory_bytes` they stay in memory. Beyond, they lie in a
    temporary file that has no name: whatever ends the process, nothing is left behind.

    Parameters
    ----------
    what
        What errors call the log.
    memory_bytes
        See `MEMORY_BYTES`.
    max_runs
        See `MAX_RUNS`.
    """

    def __init__(self, what: str, *, memory_bytes: int = MEMORY_BYTES, max_runs: int = MAX_RUNS) -> None:
        self._what = what
        self._memory_bytes = memory_bytes
        self._max_runs = max_runs
        self._last_ms = 0
        self._times = array("q")
        self._records: list[LogRecord] = []
        self._n_bytes = 0
        self._spill: SpillFile | None = None
        self._runs: list[_Run] = []
        self._is_open = True
        self.n = 0

    @property
    def spilled_bytes(self) -> int:
        """How much lies on disk; 0 if all fitted into memory."""
        return self._spill.n_bytes if self._spill else 0

    def add(self, record: LogRecord) -> None:
        """Take the next record of the log.

        Raises
        ------
        LogError
            If the disk has no room.
        """
        time_ms = record.timestamp_ms
        if time_ms is not None and time_ms <= MAX_TIMESTAMP_MS:
            self._last_ms = time_ms
        else:
            time_ms = None
        self._times.append(self._last_ms)
        self._records.append(LogRecord(record.key, small(record.value), time_ms))
        self._n_bytes += RECORD_BYTES + len(record.key) + len(record.value)
        self.n += 1
        if self._n_bytes > self._memory_bytes:
            self._flush()

    def __iter__(self) -> Iterator[LogRecord]:
        """All of them in order."""
        self._close()
        if self._spill is None:
            return iter(self._records)
        return map(itemgetter(1), self._merged(self._spill, self._runs))

    def _close(self) -> None:
        """Sort what has been added."""
        if not self._is_open:
            return
        self._is_open = False
        if self._spill is None:
            records = self._records
            self._records = [records[place] for place in self._places()]
            self._times = array("q")
            return
        self._flush()
        while len(self._runs) > self._max_runs:
            self._merge_some()

    def _places(self) -> list[int]:
        """Where what is in memory stands, in order."""
        places: list[int] = np.argsort(np.asarray(self._times), kind="stable").tolist()
        return places

    def _flush(self) -> None:
        """Put what is in memory into a run."""
        if self._spill is None:
            self._spill = SpillFile(self._what)
        if self._records:
            times, records = self._times, self._records
            self._runs.append(self._spill.write((times[place], records[place]) for place in self._places()))
        self._times, self._records, self._n_bytes = array("q"), [], 0

    def _merge_some(self) -> None:
        """Make fewer runs, each of neighbours, so that equal times stay in their order."""
        assert self._spill is not None
        fewer, runs = SpillFile(self._what), []
        for first in range(0, len(self._runs), self._max_runs):
            runs.append(fewer.write(self._merged(self._spill, self._runs[first : first + self._max_runs])))
        self._spill.close()
        self._spill, self._runs = fewer, runs

    @staticmethod
    def _merged(spill: "SpillFile", runs: Iterable[_Run]) -> Iterator[Timed]:
        return heapq.merge(*map(spill.read, runs), key=itemgetter(0))


class SpillFile:
    """A temporary file without a name, of runs of records.

    Parameters
    ----------
    what
        What errors call the log that is sorted.

    Raises
    ------
    LogError
        Also by its methods: if the file cannot be made, written or read.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self.n_bytes = 0
        try:
            self._file = tempfile.TemporaryFile("w+b", buffering=0)  # noqa: SIM115 - lives as long as the log
        except OSError as error:
            self._refuse(error)
        self.close = finalize(self, self._file.close)
        """Gives the room back; so does the end of whoever holds this."""

    def write(self, records: Iterable[Timed]) -> _Run:
        """Append a run."""
        start, parts, size = self.n_bytes, list[bytes](), 0
        for time_ms, record in records:
            key, value, own_ms = (sent := fit(record)).key, sent.value, sent.timestamp_ms
            parts += (_HEAD.pack(time_ms, own_ms is not None, len(key), len(value)), key, value)
            size += len(key) + len(value)
            if size > BLOCK_BYTES:
                self._append(b"".join(parts))
                parts, size = [], 0
        self._append(b"".join(parts))
        return _Run(start, self.n_bytes)

    def read(self, run: _Run) -> Iterator[Timed]:
        """The records of a run, a block of it in memory."""
        place, n_wanted, head_bytes, unpack = run.start, BLOCK_BYTES, _HEAD.size, _HEAD.unpack_from
        while place < run.end:
            block = self._block(place, min(n_wanted, run.end - place))
            at, n_block = 0, len(block)
            while at + head_bytes <= n_block:
                time_ms, is_own, n_key, n_value = unpack(block, at)
                key_at = at + head_bytes
                value_at = key_at + n_key
                if value_at + n_value > n_block:
                    n_wanted = max(n_wanted, head_bytes + n_key + n_value)
                    break
                at = value_at + n_value
                yield time_ms, LogRecord(block[key_at:value_at], block[value_at:at], time_ms if is_own else None)
            place += at

    def _append(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            self._file.seek(self.n_bytes)
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self._refuse(error)
        self.n_bytes += len(data)

    def _block(self, place: int, size: int) -> bytes:
        parts = []
        try:
            self._file.seek(place)
            while size and (part := self._file.read(size)):
                parts.append(part)
                size -= len(part)
        except OSError as error:
            self._refuse(error)
        return b"".join(parts)

    def _refuse(self, error: OSError) -> NoReturn:
        folder = _folder()
        raise LogError(
            f"{self._what}: sorting it by time needs room on disk, {self.n_bytes:,} bytes so far, and {folder} fails "
            f"({error.strerror or error}){_free(folder)}. Set TMPDIR to a folder with room for all events as JSON, "
            "about 120 bytes each; or, if the log stands in the order of time already, say --order file."
        ) from error


def small(data: bytes) -> bytes:
    """A copy that takes no more memory than its bytes: what orjson has written keeps room of 1 to 4 KB behind them."""
    return bytes(memoryview(data))


def _folder() -> str:
    try:
        return tempfile.gettempdir()
    except OSError:
        return os.environ.get("TMPDIR", "the folder of temporary files")


def _free(folder: str) -> str:
    try:
        return f", {shutil.disk_usage(folder).free:,} bytes are free"
    except OSError:
        return ""
