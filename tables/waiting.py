"""The lists that wait for a user's next events of the same timestamp to be scored on them.

Bytes: i64 timestamp_ms, u8 n_sources, then per source u8 length of the name, the name, u8 n_items, u64 item hashes.
Item hashes, not slots: a slot may belong to another item by then.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.arrays import longer
from models.evaluation import DEPTH, SOURCES
from tables.codec import all_read

_HEADER = struct.Struct("<qB")


@dataclass(frozen=True, slots=True)
class WaitingLists:
    """Hashes of up to 20 items per source, as they stood before the first event of `timestamp_ms`."""

    timestamp_ms: int
    lists: Mapping[str, list[int]]

    def encode(self) -> bytes:
        """The bytes described above."""
        parts = [_HEADER.pack(self.timestamp_ms, len(self.lists))]
        for name, items in self.lists.items():
            raw = name.encode()
            parts += (bytes((len(raw),)), raw, bytes((len(items),)), np.array(items, np.uint64).tobytes())
        return b"".join(parts)

    @classmethod
    def decode(cls, data: bytes) -> "WaitingLists":
        """Read what `encode` wrote.

        Raises
        ------
        ValueError, struct.error
            If the bytes end too early.
        """
        timestamp_ms, n_sources = _HEADER.unpack_from(data)
        at = _HEADER.size
        lists: dict[str, list[int]] = {}
        for _ in range(n_sources):
            name_end = at + 1 + data[at]
            n_items = data[name_end]
            lists[data[at + 1 : name_end].decode()] = np.frombuffer(data, np.uint64, n_items, name_end + 1).tolist()
            at = name_end + 1 + 8 * n_items
        all_read(at, data)
        return cls(timestamp_ms, lists)

    def canonical(self) -> list[object]:
        """As the digest reads it."""
        return [self.timestamp_ms, sorted(self.lists.items())]


class WaitingRows:
    """The lists that wait, in arrays that compiled code scores events on: one row a user.

    Attributes
    ----------
    of
        The row of each user slot, -1 for none.
    times_ms, counts, hashes
        By row: the timestamp, how many items each source has (in the order of `SOURCES`), and their hashes.
    """

    def __init__(self) -> None:
        self.of: list[int] = []
        self.times_ms: npt.NDArray[np.int64] = np.zeros(16, np.int64)
        self.counts: npt.NDArray[np.int32] = np.zeros((16, len(SOURCES)), np.int32)
        self.hashes: npt.NDArray[np.uint64] = np.zeros((16, len(SOURCES), DEPTH), np.uint64)
        self._n = 0
        self._free: list[int] = []

    def take(self, slot: int) -> int:
        """A row for a user who has none; what stands in it is old."""
        if self._free:
            row = self._free.pop()
        else:
            row, self._n = self._n, self._n + 1
            if row == len(self.times_ms):
                self.times_ms = longer(self.times_ms, 2 * row)
                self.counts = longer(self.counts, 2 * row)
                self.hashes = longer(self.hashes, 2 * row)
        self.of[slot] = row
        return row

    def drop(self, slot: int) -> None:
        """Let a user's lists go, if any wait."""
        if self.of[slot] >= 0:
            self._free.append(self.of[slot])
            self.of[slot] = -1

    def put(self, slot: int, waiting: WaitingLists) -> None:
        """Let lists wait.

        Raises
        ------
        ValueError
            If they are of a source that is not known, or too long.
        """
        unknown = waiting.lists.keys() - set(SOURCES)
        longest = max(map(len, waiting.lists.values()), default=0)
        if unknown or longest > DEPTH:
            raise ValueError(f"lists of {sorted(unknown) or longest} wait: known are {SOURCES}, of up to {DEPTH} items")
        self.drop(slot)
        row = self.take(slot)
        self.times_ms[row] = waiting.timestamp_ms
        for place, source in enumerate(SOURCES):
            items = waiting.lists.get(source, [])
            self.counts[row, place] = len(items)
            self.hashes[row, place, : len(items)] = np.array(items, np.uint64)

    def read(self, slot: int) -> WaitingLists | None:
        """The lists of a user, None if there are none."""
        row = self.of[slot]
        if row < 0:
            return None
        found = zip(SOURCES, self.hashes[row].tolist(), self.counts[row].tolist(), strict=True)
        return WaitingLists(int(self.times_ms[row]), {source: items[:n] for source, items, n in found})
