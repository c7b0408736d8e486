"""The bytes of one item's share.

Value of `<app>.items`, key item_id: u8 version, u32 slot, i64 last_offset, i64 last_ms, i64 n_events, f64 weight, u32
n_neighbours, u16 bytes of the rating row, u16 bytes of the history row; f64 value and i64 bucket of each trending
window; i32 slots and f64 weights of the neighbours; the rows as their models write them; window counts. Little endian.
Neighbours are slots of the same partition: an item's slot stands in its own value.
"""

import struct
from typing import TYPE_CHECKING

import numpy as np

from models.windows import TRENDING_WINDOWS
from tables.codec import check_version, undamaged
from tables.windows import WindowCounts

if TYPE_CHECKING:
    from tables.items import ItemShares

VERSION = 2
_HEADER = struct.Struct("<BIqqqdIHH")
_N_TRENDS = len(TRENDING_WINDOWS)


def encode_item(share: "ItemShares", slot: int) -> bytes:
    """The value of one item, as described above."""
    neighbours, weights = share.pairs.row(slot)
    windows = share.windows[slot]
    ratings, history = share.ratings.encode_row(slot), share.history.encode_row(slot)
    header = _HEADER.pack(
        VERSION,
        slot,
        share.last_offset[slot],
        share.last_ms[slot],
        share.n_events[slot],
        share.weight[slot],
        len(neighbours),
        len(ratings),
        len(history),
    )
    return b"".join(
        (
            header,
            share.trending.value[slot].tobytes(),
            share.trending.bucket[slot].tobytes(),
            neighbours.tobytes(),
            weights.tobytes(),
            ratings,
            history,
            windows if isinstance(windows, bytes) else windows.encode(),
        )
    )


def slot_of(data: bytes, item_id: str) -> int:
    """The slot that a stored value belongs in.

    Raises
    ------
    UnknownVersion, StateError
        If the bytes are of another version, or damaged.
    """
    check_version(data, VERSION, f"the share of item {item_id!r}")
    with undamaged(f"the share of item {item_id!r}"):
        return int(_HEADER.unpack_from(data)[1])


def decode_item(share: "ItemShares", slot: int, item_id: str, data: bytes) -> None:
    """Fill a slot, which must be the one that `slot_of` names, from a stored value.

    Raises
    ------
    StateError
        If the bytes are damaged.
    """
    with undamaged(f"the share of item {item_id!r}"):
        _decode(share, slot, data)


def _decode(share: "ItemShares", slot: int, data: bytes) -> None:
    _, _, last_offset, last_ms, n_events, weight, n_neighbours, n_ratings, n_history = _HEADER.unpack_from(data)
    at = _HEADER.size
    ends = [at := at + size for size in (8 * _N_TRENDS, 8 * _N_TRENDS, 4 * n_neighbours, 8 * n_neighbours)]
    rows_end = at + n_ratings + n_history
    WindowCounts.check(data[rows_end:])
    share.last_offset[slot], share.last_ms[slot] = last_offset, last_ms
    share.n_events[slot] = n_events
    share.set_weight(slot, weight)
    share.trending.value[slot] = np.frombuffer(data, np.float64, _N_TRENDS, _HEADER.size)
    share.trending.bucket[slot] = np.frombuffer(data, np.int64, _N_TRENDS, ends[0])
    neighbours = np.frombuffer(data, np.int32, n_neighbours, ends[1])
    share.pairs.set_row(slot, neighbours, np.frombuffer(data, np.float64, n_neighbours, ends[2]))
    share.ratings.set_row(slot, data[at : at + n_ratings])
    share.history.set_row(slot, int(share.hashes[slot]), data[at + n_ratings : rows_end])
    share.windows[slot] = data[rows_end:]
