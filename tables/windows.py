"""Counts by event type: since ever, and in event-time buckets for every window.

Bytes: u16 n_totals, u32 n_buckets, then u16 type and u64 count per total, u64 code and u32 count per bucket (little
endian). A bucket's code is `(type << 2 | window) << 40 | bucket number`.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from models.window_kernels import BUCKET_BITS, BUCKET_MASK
from models.windows import ALL, WINDOWS

Columns = tuple[npt.NDArray[Any], npt.NDArray[Any]]

_HEADER = struct.Struct("<HI")
_N_BUCKETS = tuple(window.n_buckets for window in WINDOWS)
_STEPS = tuple(window.step_ms for window in WINDOWS)


class WindowCounts:
    """Counts of one user or one item, by event type number: a copy, as readers and the codec have it.

    `models.window_kernels` counts. Buckets that are out of their window are dropped whenever the number of buckets
    grows to a multiple of 32, so what is stored is a function of the events alone, and as bounded as the windows are.
    """

    __slots__ = ("buckets", "totals")

    def __init__(self) -> None:
        self.totals: dict[int, int] = {}
        self.buckets: dict[int, int] = {}

    def features(self, names: Mapping[int, str], as_of_ms: int) -> Iterator[tuple[str, int]]:
        """`<event_type>_<window>` and its count, for every window and every type ever seen that has a name here."""
        floors = [as_of_ms // step - n for step, n in zip(_STEPS, _N_BUCKETS, strict=True)]
        counts = {event_type << 2 | index: 0 for event_type in self.totals for index in range(len(WINDOWS))}
        for key, n in self.buckets.items():
            code = key >> BUCKET_BITS
            if (key & BUCKET_MASK) > floors[code & 3]:
                counts[code] += n
        for event_type in sorted(self.totals.keys() & names.keys()):
            for index, window in enumerate(WINDOWS):
                yield f"{names[event_type]}_{window.name}", counts[event_type << 2 | index]
            yield f"{names[event_type]}_{ALL}", self.totals[event_type]

    @staticmethod
    def columns(counts: Mapping[int, int]) -> Columns:
        """Codes and counts as two arrays."""
        codes = np.fromiter(counts.keys(), np.uint64, len(counts))
        return codes, np.fromiter(counts.values(), np.uint64, len(counts))

    def canonical(self) -> list[object]:
        """Everything it holds, in an order of its own: what the digest reads."""
        return [sorted(self.totals.items()), sorted(self.buckets.items())]

    def encode(self) -> bytes:
        """The bytes described above."""
        return encode_windows(self.columns(self.totals), self.columns(self.buckets))

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
    def size(cls, data: bytes | memoryview) -> int:
        """How many bytes encoded counts take by their header, without decoding them.

        Raises
        ------
        struct.error
            If the header is not there.
        """
        n_totals, n_buckets = _HEADER.unpack_from(data)
        return int(_HEADER.size + 10 * n_totals + 12 * n_buckets)


def encode_windows(totals: Columns, buckets: Columns) -> bytes:
    """Counts as stored: the codes and counts of totals, and of buckets."""
    return b"".join(
        (
            _HEADER.pack(len(totals[0]), len(buckets[0])),
            totals[0].astype(np.uint16).tobytes(),
            totals[1].astype(np.uint64, copy=False).tobytes(),
            buckets[0].tobytes(),
            buckets[1].astype(np.uint32, copy=False).tobytes(),
        )
    )
