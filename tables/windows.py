"""Counts by event type: since ever, and in event-time buckets for every window.

Bytes: u16 n_totals, u32 n_buckets, then u16 type and u64 count per total, u64 code and u32 count per bucket (little
endian). A bucket's code is `(type << 2 | window) << 40 | bucket number`.
"""

import struct
from collections.abc import Iterator, Mapping

import numpy as np

from models.windows import ALL, FINEST_STEP_MS, WINDOWS
from tables.codec import all_read

_HEADER = struct.Struct("<HI")
_N_BUCKETS = tuple(window.n_buckets for window in WINDOWS)
_STEPS = tuple(window.step_ms for window in WINDOWS)
_BUCKET_BITS = 40
_BUCKET_MASK = (1 << _BUCKET_BITS) - 1


class WindowCounts:
    """Counts of one user or one item, by event type number.

    Trimming is by the time an entry is touched at, so what is stored is a function of the events alone.
    """

    __slots__ = ("_trimmed", "buckets", "totals")

    def __init__(self) -> None:
        self.totals: dict[int, int] = {}
        self.buckets: dict[int, int] = {}
        self._trimmed = -1

    def add(self, event_type: int, time_ms: int, as_of_ms: int, *, late: bool = False) -> None:
        """Count one event; a late one counts in the total only, buckets out of a window are left alone."""
        self.totals[event_type] = self.totals.get(event_type, 0) + 1
        moment = as_of_ms // FINEST_STEP_MS
        if moment != self._trimmed:
            self._trim(as_of_ms)
            self._trimmed = moment
        if late:
            return
        code = event_type << 2
        for index in range(len(WINDOWS)):
            step = _STEPS[index]
            bucket = time_ms // step
            if bucket > as_of_ms // step - _N_BUCKETS[index]:
                key = (code | index) << _BUCKET_BITS | bucket
                self.buckets[key] = self.buckets.get(key, 0) + 1

    def count(self, event_type: int, window_index: int, as_of_ms: int) -> int:
        """Events of a type within a window as of a time."""
        floor = as_of_ms // _STEPS[window_index] - _N_BUCKETS[window_index]
        code = event_type << 2 | window_index
        return sum(n for key, n in self.buckets.items() if key >> _BUCKET_BITS == code and (key & _BUCKET_MASK) > floor)

    def features(self, names: Mapping[int, str], as_of_ms: int) -> Iterator[tuple[str, int]]:
        """`<event_type>_<window>` and its count, for every window and every type ever seen that has a name here."""
        floors = [as_of_ms // step - n for step, n in zip(_STEPS, _N_BUCKETS, strict=True)]
        counts = {event_type << 2 | index: 0 for event_type in self.totals for index in range(len(WINDOWS))}
        for key, n in self.buckets.items():
            code = key >> _BUCKET_BITS
            if (key & _BUCKET_MASK) > floors[code & 3]:
                counts[code] += n
        for event_type in sorted(self.totals.keys() & names.keys()):
            for index, window in enumerate(WINDOWS):
                yield f"{names[event_type]}_{window.name}", counts[event_type << 2 | index]
            yield f"{names[event_type]}_{ALL}", self.totals[event_type]

    def canonical(self) -> list[object]:
        """Everything it holds, in an order of its own: what the digest reads."""
        return [sorted(self.totals.items()), sorted(self.buckets.items())]

    def encode(self) -> bytes:
        """The bytes described above."""
        return b"".join(
            (
                _HEADER.pack(len(self.totals), len(self.buckets)),
                np.fromiter(self.totals.keys(), np.uint16, len(self.totals)).tobytes(),
                np.fromiter(self.totals.values(), np.uint64, len(self.totals)).tobytes(),
                np.fromiter(self.buckets.keys(), np.uint64, len(self.buckets)).tobytes(),
                np.fromiter(self.buckets.values(), np.uint32, len(self.buckets)).tobytes(),
            )
        )

    @classmethod
    def decode(cls, data: memoryview) -> tuple["WindowCounts", int]:
        """Read counts from the start of `data`; returns them and the number of bytes taken."""
        counts = cls()
        n_totals, n_buckets = _HEADER.unpack_from(data)
        at = _HEADER.size
        columns: list[list[int]] = []
        for dtype, n in ((np.uint16, n_totals), (np.uint64, n_totals), (np.uint64, n_buckets), (np.uint32, n_buckets)):
            column = np.frombuffer(data, dtype, n, at)
            columns.append(column.tolist())
            at += column.nbytes
        counts.totals = dict(zip(columns[0], columns[1], strict=True))
        counts.buckets = dict(zip(columns[2], columns[3], strict=True))
        return counts, at

    @classmethod
    def check(cls, data: bytes) -> None:
        """Compare the length of encoded counts with what their header says, without decoding them.

        Raises
        ------
        ValueError, struct.error
            If it does not fit.
        """
        n_totals, n_buckets = _HEADER.unpack_from(data)
        all_read(_HEADER.size + 10 * n_totals + 12 * n_buckets, data)

    def _trim(self, as_of_ms: int) -> None:
        floors = [as_of_ms // step - n for step, n in zip(_STEPS, _N_BUCKETS, strict=True)]
        dead = [key for key in self.buckets if (key & _BUCKET_MASK) <= floors[key >> _BUCKET_BITS & 3]]
        for key in dead:
            del self.buckets[key]
