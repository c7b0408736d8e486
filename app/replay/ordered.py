"""The order of a log: by event time, or as the file has it; and what a look at all of its records tells."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from app.replay.records import CatalogueEntry, EventLog, LogRecord
from app.replay.spill import MEMORY_BYTES, RECORD_BYTES, SortedRecords, small
from models.errors import InvalidEvent, SettingsError
from models.event_types import RATING
from models.events import ANY_SCALE, EventRules, decode
from models.windows import EventClock

BY_TIME: Final = "time"
AS_FILED: Final = "file"
ORDERS: Final = (BY_TIME, AS_FILED)

LATE_SHARE: Final = 0.01
"""More late events than this share make a log whose order is worth a warning."""

LATE_GRACE_MS: Final = 3_600_000

_MAY_BE_RATING = f'"{RATING}"'.encode()


@dataclass(frozen=True, slots=True)
class RatingRange:
    """The least and the greatest value of the rating events of a log, and how many there are; at least one."""

    lowest: float
    highest: float
    n: int


class OrderedLog(EventLog):
    """The records of a log in the order of event time, or of its file.

    By time, equal times keep the order of the file. A record whose time cannot be used (it is no event: broken,
    without a time, in seconds) stays behind the record before it in the file. So the order is a function of the bytes,
    not of the settings. The log is read once, before the first record: up to `memory_bytes` into memory, beyond into
    a temporary file (`SortedRecords`); as filed, what does not fit is read anew.

    Parameters
    ----------
    reader
        The log in the order of its file.
    order
        One of `ORDERS`.
    rules
        What is an event: what is not cannot be late.
    late_grace_ms
        How far behind the log's clock an event is late, as in the fold of one partition.
    memory_bytes
        What records may take in memory.
    start_ms
        When it is replayed, for events from the future; now by default.

    Attributes
    ----------
    order, reader
        As given.
    n_events, n_late
        As filed: how many records are events, and how many of them come late; 0 by time.

    Raises
    ------
    SettingsError
        For an order that is none.
    """

    def __init__(
        self,
        reader: EventLog,
        order: str = BY_TIME,
        *,
        rules: EventRules | None = None,
        late_grace_ms: int = LATE_GRACE_MS,
        memory_bytes: int = MEMORY_BYTES,
        start_ms: int | None = None,
    ) -> None:
        super().__init__(reader.name, reader.path, reader._file)
        if order not in ORDERS:
            raise SettingsError(f"--order has value {order!r}: use one of {', '.join(ORDERS)}.")
        self.reader = reader
        self.order = order
        self.n_events, self.n_late = 0, 0
        self.rules = EventRules() if rules is None else rules
        self._rules = replace(self.rules, rating_scale=ANY_SCALE)  # their range is to be told, whatever it is
        self._late_grace_ms = late_grace_ms
        self._memory_bytes = memory_bytes
        self._start_ms = int(time.time() * 1000) if start_ms is None else start_ms
        self._ratings: RatingRange | None = None
        self._sorted: SortedRecords | None = None
        self._kept: list[LogRecord] | None = []
        self._n = -1

    def prepare(self, on_record: Callable[[], None] = lambda: None) -> None:
        """Read and sort the log, unless that is done; whoever iterates without it waits for the first record.

        Parameters
        ----------
        on_record
            Called for each, for a bar that follows `bytes_read` of the reader.

        Raises
        ------
        LogError
            If the log cannot be read, or there is no room to sort it.
        """
        if self._n >= 0:
            return
        by_time = self.order == BY_TIME
        self._sorted = SortedRecords(str(self.path), memory_bytes=self._memory_bytes) if by_time else None
        clock, n, n_bytes = EventClock(), 0, 0
        for record in self.reader:
            n += 1
            on_record()
            if self._sorted is not None:
                self._sorted.add(record)
            elif self._kept is not None:
                n_bytes += RECORD_BYTES + len(record.key) + len(record.value)
                self._kept.append(LogRecord(record.key, small(record.value), record.timestamp_ms))
                if n_bytes > self._memory_bytes:
                    self._kept = None
            if not by_time or _MAY_BE_RATING in record.value:
                self._look_at(record, clock)
        self._n, self.n_skipped = n, self.reader.n_skipped

    @property
    def late_grace_s(self) -> int:
        """How far behind the log's clock an event is late, in seconds."""
        return self._late_grace_ms // 1000

    @property
    def is_out_of_order(self) -> bool:
        """Whether so many events come late that the log should be sorted."""
        return self.n_late > LATE_SHARE * self.n_events

    @property
    def ratings(self) -> RatingRange | None:
        """Of all rating events; None without one. Reads the log if that is not done."""
        self.prepare()
        return self._ratings

    def __iter__(self) -> Iterator[LogRecord]:
        self.prepare()
        if self._sorted is not None:
            return iter(self._sorted)
        return iter(self.reader if self._kept is None else self._kept)

    def beginning(self) -> Iterator[tuple[bytes, LogRecord]]:
        """See `EventLog.beginning`: in the order of the file."""
        return self.reader.beginning()

    @property
    def bytes_read(self) -> int:
        """See `EventLog.bytes_read`: of the reader."""
        return self.reader.bytes_read

    def n_records(self) -> int:
        """Count the records; reads the log if that is not done."""
        self.prepare()
        return self._n

    def catalogue(self) -> Iterator[CatalogueEntry]:
        """See `EventLog.catalogue`."""
        return self.reader.catalogue()

    def _look_at(self, record: LogRecord, clock: EventClock) -> None:
        """Take note of a rating's value, and as filed of a late event."""
        try:
            event = decode(record.key, record.value, self._start_ms, self._rules)
        except InvalidEvent:
            return
        if event.event_type == RATING and event.value is not None:
            value, known = event.value, self._ratings
            lowest, highest, n = (value, value, 0) if known is None else (known.lowest, known.highest, known.n)
            self._ratings = RatingRange(min(lowest, value), max(highest, value), n + 1)
        if self.order == AS_FILED:
            self.n_events += 1
            clock.observe(event.user_id, event.timestamp_ms)
            self.n_late += event.timestamp_ms < clock.now_ms - self._late_grace_ms
