"""The bytes of lessons: what partitions hand to the one learner of the factors, in `<app>.interactions`.

A value holds the lessons of one batch of events: u8 version, u32 partition, u32 lessons, u32 items of all of them; i64
offsets of the events in their partition, f32 weights and u16 numbers of items of the lessons; u64 hashes and f32
amounts of the items, of each lesson its target first. Little endian. There is no key, and no user.
"""

import struct
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from models.lessons import Lessons
from tables.codec import all_read, check_version, undamaged

VERSION: Final = 1
WHAT: Final = "a batch of lessons"
_HEADER: Final = struct.Struct("<BIII")
_OFFSET: Final = struct.Struct("<q")


class Taught(NamedTuple):
    """A decoded value: as `models.lessons.Lessons`, of one partition."""

    partition: int
    offsets: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]
    lengths: npt.NDArray[np.int32]
    items: npt.NDArray[np.uint64]
    amounts: npt.NDArray[np.float64]

    def since(self, offset: int) -> "Taught":
        """The lessons of events from an offset on."""
        first = int(np.searchsorted(self.offsets, offset))
        if first == 0:
            return self
        at = int(self.lengths[:first].sum())
        return Taught(
            self.partition,
            self.offsets[first:],
            self.weights[first:],
            self.lengths[first:],
            self.items[at:],
            self.amounts[at:],
        )


def encode_lessons(partition: int, lessons: Lessons) -> bytes:
    """The value that hands them over."""
    n, n_items = lessons.n.tolist()
    return b"".join(
        (
            _HEADER.pack(VERSION, partition, n, n_items),
            lessons.offsets[:n].tobytes(),
            lessons.weights[:n].tobytes(),
            lessons.lengths[:n].astype("<u2").tobytes(),
            lessons.items[:n_items].tobytes(),
            lessons.amounts[:n_items].tobytes(),
        )
    )


def end_of(data: bytes) -> int:
    """The offset behind the last event that lessons are of, in what `encode_lessons` wrote."""
    n = _HEADER.unpack_from(data)[2]
    return _OFFSET.unpack_from(data, _HEADER.size + _OFFSET.size * (n - 1))[0] + 1  # type: ignore[no-any-return]


def decode_lessons(data: bytes) -> Taught:
    """Read what `encode_lessons` wrote.

    Raises
    ------
    UnknownVersion, StateError
        If the bytes are of another version, or damaged.
    """
    check_version(data, VERSION, WHAT)
    with undamaged(WHAT):
        _, partition, n, n_items = _HEADER.unpack_from(data)
        columns, at = [], _HEADER.size
        for kind, size in (("<i8", n), ("<f4", n), ("<u2", n), ("<u8", n_items), ("<f4", n_items)):
            columns.append(np.frombuffer(data, kind, size, at))
            at += columns[-1].nbytes
        all_read(at, data)
        offsets, weights, lengths, items, amounts = columns
        if n == 0 or lengths.min() < 2 or int(lengths.sum()) != n_items or (np.diff(offsets) <= 0).any():
            raise ValueError(f"{n} lessons of {n_items} items are not in order")
        if not (np.isfinite(weights).all() and np.isfinite(amounts).all() and items.all()):
            raise ValueError("a weight is no number, or an item has no hash")
        return Taught(
            partition,
            offsets,
            weights.astype(np.float32),
            lengths.astype(np.int32),
            items.astype(np.uint64),
            amounts.astype(np.float64),
        )
