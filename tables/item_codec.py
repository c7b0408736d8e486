"""The bytes of one item's share.

Value of `<app>.items`, key item_id: u8 version, u32 slot, i64 last_offset, i64 last_ms, i64 n_events, u32 people for
it, u32 people against it, f64 weight, u32 n_neighbours, u16 bytes of the rating row, u16 bytes of the history row; f64
value and i64 bucket of each trending window; i32 slots and f64 weights of the neighbours; the rows as their models
write them (in shares of several partitions the history row is empty); window counts. Little endian. Neighbours are
slots of the same partition: an item's slot stands in its own value.

In version 5 sections of other models follow: u8 how many, and for each u8 tag, u32 bytes, the row as its model writes
it (`tables.slot_models`). An item without any is written in version 4.
"""

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models.errors import UnknownVersion
from models.factorization import encode_row
from models.windows import TRENDING_WINDOWS
from tables.codec import all_read, check_version, undamaged
from tables.windows import WindowCounts, encode_windows

if TYPE_CHECKING:
    from tables.items import ItemShares

VERSION = 5
WITHOUT_SECTIONS = 4
_HEADER = struct.Struct("<BIqqqIIdIHH")
_SECTION = struct.Struct("<BI")
_N_TRENDS = len(TRENDING_WINDOWS)

Copied = tuple[npt.NDArray[Any], npt.NDArray[Any], list[int]]


class ItemCopies:
    """All there is about some slots, copied: events may go on while it is encoded.

    Parameters
    ----------
    slots
        Which; afterwards each goes by its place among them.
    """

    def __init__(self, share: "ItemShares", slots: npt.NDArray[np.int64]) -> None:
        self.slots = slots
        self.last_offset, self.last_ms = share.last_offset[slots], share.last_ms[slots]
        self.n_events, self.weight = share.n_events[slots], share.weight[slots]
        self.n_for, self.n_against = share.n_for[slots], share.n_against[slots]
        self.trend_values, self.trend_buckets = share.trending.value[slots], share.trending.bucket[slots]
        self.ratings, self.has_rating = share.ratings.rows[slots], share.ratings.has_row[slots]
        self.history = share.history.rows[slots]
        self.pairs = share.pairs.rows.copied(slots)
        self.totals = share.totals.copied(slots)
        self.buckets = share.buckets.copied(slots)
        self.models = [(model, model.copied(slots)) for model in share.models]


def encode_item(copies: ItemCopies, place: int) -> bytes:
    """The value of one item, as described above."""
    neighbours, weights = row_of(copies.pairs, place)
    ratings = encode_row(copies.ratings[place]) if copies.has_rating[place] else b""
    history = copies.history[place].tobytes()
    sections = [
        _SECTION.pack(model.tag, len(row)) + row
        for model, copied in copies.models
        if (row := model.section(copied, place))
    ]
    header = _HEADER.pack(
        VERSION if sections else WITHOUT_SECTIONS,
        copies.slots[place],
        copies.last_offset[place],
        copies.last_ms[place],
        copies.n_events[place],
        copies.n_for[place],
        copies.n_against[place],
        copies.weight[place],
        len(neighbours),
        len(ratings),
        len(history),
    )
    return b"".join(
        (
            header,
            copies.trend_values[place].tobytes(),
            copies.trend_buckets[place].tobytes(),
            neighbours.tobytes(),
            weights.tobytes(),
            ratings,
            history,
            encode_windows(row_of(copies.totals, place), row_of(copies.buckets, place)),
            *((bytes((len(sections),)), *sections) if sections else ()),
        )
    )


def row_of(copied: Copied, place: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """One of the rows that `RowPool.copied` gave."""
    keys, values, ends = copied
    first = ends[place - 1] if place else 0
    return keys[first : ends[place]], values[first : ends[place]]


def slot_of(data: bytes, item_id: str) -> int:
    """The slot that a stored value belongs in.

    Raises
    ------
    UnknownVersion, StateError
        If the bytes are of another version, or damaged.
    """
    if data[:1] != bytes((WITHOUT_SECTIONS,)):
        check_version(data, VERSION, f"the share of item {item_id!r}")
    with undamaged(f"the share of item {item_id!r}"):
        return int(_HEADER.unpack_from(data)[1])


def decode_item(share: "ItemShares", slot: int, item_id: str, data: bytes) -> None:
    """Fill a slot, which must be the one that `slot_of` names, from a stored value.

    Raises
    ------
    UnknownVersion, StateError
        If there is a section of a model that is not known, or the bytes are damaged.
    """
    with undamaged(f"the share of item {item_id!r}"):
        end, sections = _sections(data)
        known = {model.tag: model for model in share.models}
        if unknown := sections.keys() - known.keys():
            raise UnknownVersion(
                f"the share of item {item_id!r} has rows of a model, by tag {min(unknown)}, that this Freshet does not "
                "know. Run the Freshet that wrote it, or rebuild all state from the log with `freshet reset`."
            )
        _decode(share, slot, data[:end])
        for tag, model in known.items():
            if tag in sections:
                model.set_section(slot, sections[tag])
            else:
                model.clear(slot)


def _sections(data: bytes) -> tuple[int, dict[int, bytes]]:
    """Where the sections of models begin, and they themselves, by tag."""
    *_, n_neighbours, n_ratings, n_history = _HEADER.unpack_from(data)
    at = _HEADER.size + 16 * _N_TRENDS + 12 * n_neighbours + n_ratings + n_history
    at += WindowCounts.size(memoryview(data)[at:])
    end, found = at, dict[int, bytes]()
    if data[0] != WITHOUT_SECTIONS:
        n_sections, at = data[at], at + 1
        for _ in range(n_sections):
            tag, size = _SECTION.unpack_from(data, at)
            at += _SECTION.size + size
            found[tag] = data[at - size : at]
    all_read(at, data)
    return end, found


def _decode(share: "ItemShares", slot: int, data: bytes) -> None:
    _, _, last_offset, last_ms, n_events, n_for, n_against, weight, *sizes = _HEADER.unpack_from(data)
    n_neighbours, n_ratings, n_history = sizes
    at = _HEADER.size
    ends = [at := at + size for size in (8 * _N_TRENDS, 8 * _N_TRENDS, 4 * n_neighbours, 8 * n_neighbours)]
    rows_end = at + n_ratings + n_history
    share.last_offset[slot], share.last_ms[slot] = last_offset, last_ms
    share.n_events[slot] = n_events
    share.set_weight(slot, weight, n_for, n_against)
    share.trending.value[slot] = np.frombuffer(data, np.float64, _N_TRENDS, _HEADER.size)
    share.trending.bucket[slot] = np.frombuffer(data, np.int64, _N_TRENDS, ends[0])
    neighbours = np.frombuffer(data, np.int32, n_neighbours, ends[1])
    share.pairs.set_row(slot, neighbours, np.frombuffer(data, np.float64, n_neighbours, ends[2]))
    share.ratings.set_row(slot, data[at : at + n_ratings])
    row = data[at + n_ratings : rows_end] if share.history.n_factors else b""  # one may come from when there were
    share.history.set_row(slot, int(share.hashes[slot]), row)
    windows, _ = WindowCounts.decode(memoryview(data)[rows_end:])
    share.set_windows(slot, windows)
