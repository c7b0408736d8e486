"""The lists that wait for a user's next events of the same timestamp to be scored on them.

Bytes: i64 timestamp_ms, u8 n_sources, then per source u8 length of the name, the name, u8 n_items, u64 item hashes.
Item hashes, not slots: a slot may belong to another item by then.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

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
