"""What a recorded event log gives: records as they are sent, catalogue entries, and the hash over them."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from app.replay.files import LogFile
from models.events import MIN_TIMESTAMP_MS

_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record as it will be sent.

    Parameters
    ----------
    key
        The user_id in UTF-8; empty where the row names no user.
    value
        The event as JSON, or the bytes of a malformed row, which will become a dead letter.
    timestamp_ms
        Event time for order and pacing; None where the row has none that can be used.
    """

    key: bytes
    value: bytes
    timestamp_ms: int | None


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One entry of the `items` topic: its key, and title, categories, tags and attributes as JSON."""

    item_id: str
    value: bytes


class EventLog(ABC):
    """A recorded event log: iterate over it for its records, as often as you like.

    Parameters
    ----------
    name
        What to call it in output: a file's or a data set's name.
    path
        The file, folder or zip that it is read from.
    file
        The file of events itself.

    Attributes
    ----------
    n_skipped
        Rows so far in the current reading that a filter left out.
    """

    def __init__(self, name: str, path: Path, file: LogFile) -> None:
        self.name = name
        self.path = path
        self._file = file
        self.n_skipped = 0

    @abstractmethod
    def __iter__(self) -> Iterator[LogRecord]:
        """Records in the order of the file."""

    def beginning(self) -> Iterator[tuple[bytes, LogRecord]]:
        """For a look at the first records: each behind the bytes it was made of."""
        return ((record.value, record) for record in self)

    @property
    def size_bytes(self) -> int:
        """Size of the file of events as it is stored: the way of a progress bar where records are not counted."""
        return self._file.size_bytes

    @property
    def bytes_read(self) -> int:
        """How far the current iteration has come, out of `size_bytes`, for logs that are read line by line."""
        return self._file.bytes_read

    def n_records(self) -> int | None:
        """Count the records; None where only reading the whole log would tell."""
        return None

    def catalogue(self) -> Iterator[CatalogueEntry]:
        """Items that come with the log; none for a bare file of events."""
        return iter(())


class LogHash:
    """SHA-256 of a log as sent: for each record its key, then its value, each behind its length (4 bytes, big endian).

    >>> log_hash = LogHash()
    >>> log_hash.hexdigest()[:8]
    'e3b0c442'
    """

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()

    def add(self, record: LogRecord) -> None:
        """Take in the next record."""
        for part in (record.key, record.value):
            self._sha256.update(len(part).to_bytes(_LENGTH_BYTES, "big") + part)

    def hexdigest(self) -> str:
        """Sum over the records so far, in hex."""
        return self._sha256.hexdigest()


def log_sha256(records: Iterable[LogRecord]) -> str:
    """`LogHash` of all the records."""
    log_hash = LogHash()
    for record in records:
        log_hash.add(record)
    return log_hash.hexdigest()


def event_record(event: dict[str, object]) -> LogRecord:
    """Record of an event whose fields already stand in the order of the contract."""
    user_id, timestamp = event.get("user_id"), event.get("timestamp")
    return LogRecord(
        key=user_id.encode() if isinstance(user_id, str) else b"",
        value=orjson.dumps(event),
        timestamp_ms=usable_timestamp(timestamp),
    )


def malformed_record(cells: list[str]) -> LogRecord:
    """Record of a row that does not fit its header: the raw cells under `_row`, for the worker to refuse."""
    return LogRecord(key=b"", value=orjson.dumps({"_row": cells}), timestamp_ms=None)


def usable_timestamp(timestamp: object) -> int | None:
    """Return the timestamp if order and pacing can go by it: an integer, not a bool, and no seconds."""
    return timestamp if type(timestamp) is int and timestamp >= MIN_TIMESTAMP_MS else None
