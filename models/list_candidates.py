"""Candidates of a published list, by pairs and by factors; compiled, and plain Python (`kernel.py_func`).

Items have numbers here, and keys to order equals by: the first 16 bytes of the id, as two uint64. Where two items with
the same score have the same key, a kernel says that it cannot tell them apart, and its caller orders them by id.

They run for microseconds and keep the interpreter's lock: a thread that takes it in between may hold it for 5 ms.
"""

from typing import Any

import numpy as np

from models.compiled import njit

Array = Any  # numpy arrays; numba's signatures say the dtypes

MIN_CELLS = 64
UNCLEAR = -1


@njit(cache=True)
def remember_all(values: Array, n: int, table: Array) -> None:
    """Make `table` (scratch: a power of two above 2 `n` cells, uint64) the set of the first `n` hashes."""
    mask = np.uint64(table.shape[0] - 1)
    table[:] = 0
    for position in range(n):
        cell = np.int64(values[position] & mask)
        while table[cell] != 0 and table[cell] != values[position]:
            cell = np.int64(np.uint64(cell + 1) & mask)
        table[cell] = values[position]


@njit(cache=True)
def holds(table: Array, value: np.uint64) -> bool:
    """Whether a hash is in the set."""
    mask = np.uint64(table.shape[0] - 1)
    cell = np.int64(value & mask)
    while table[cell] != 0 and table[cell] != value:
        cell = np.int64(np.uint64(cell + 1) & mask)
    return bool(table[cell] != 0)


@njit(cache=True)
def compare(keys: Array, one: int, other: int) -> int:
    """Below 0 if `one` has the lower key, above 0 if it has the greater, 0 if both are equal."""
    for part in range(2):
        if keys[one, part] != keys[other, part]:
            return -1 if keys[one, part] < keys[other, part] else 1
    return 0


@njit(cache=True)
def add_rows(
    neighbours: Array,
    weights: Array,
    start: Array,
    length: Array,
    rows: Array,
    factors: Array,
    to_item: Array,
    scores: Array,
) -> None:
    """Add a share's rows times their factors to the `scores` of items, in the order given.

    `rows[s]` is the slot of history position `s` (-1: not in this share), `to_item` maps a neighbour's slot to its item
    (-1: none). What belongs to no item is added to the last score, which is nobody's.
    """
    nobody, n_mapped = np.uint32(scores.shape[0] - 1), np.uint32(to_item.shape[0])
    for source in range(rows.shape[0]):
        row, factor = rows[source], factors[source]
        if row < 0:
            continue
        others = neighbours[start[row] : start[row] + length[row]]
        amounts = weights[start[row] : start[row] + length[row]]
        for position in range(others.shape[0]):
            slot = np.uint32(others[position])
            item = np.uint32(to_item[slot]) if slot < n_mapped else nobody  # a slot newer than the mapping
            scores[min(item, nobody)] += factor * amounts[position]


@njit(cache=True)
def two_greatest(
    neighbours: Array,
    weights: Array,
    start: Array,
    length: Array,
    rows: Array,
    factors: Array,
    slots: Array,
    place_of: Array,
    gains: Array,
    sources: Array,
) -> None:
    """Note which two history positions give some items most, over the rows that `add_rows` adds.

    The items have these `slots` in the share (-1: none), and their places in `slots` also in `gains` and `sources`, of
    shape (n, 2), which the shares are to be shown one after the other. `place_of` is scratch: -1 for every slot of the
    share, and left so.
    """
    n_known = np.uint32(place_of.shape[0])
    for place in range(slots.shape[0]):
        if slots[place] >= 0:
            place_of[slots[place]] = place
    for source in range(rows.shape[0]):
        row, factor = rows[source], factors[source]
        if row < 0:
            continue
        others = neighbours[start[row] : start[row] + length[row]]
        amounts = weights[start[row] : start[row] + length[row]]
        for position in range(others.shape[0]):
            slot = np.uint32(others[position])
            place = place_of[slot] if slot < n_known else -1
            if place < 0:
                continue
            amount = factor * amounts[position]
            if sources[place, 0] == source:
                gains[place, 0] += amount
            elif amount > gains[place, 0]:
                gains[place, 1], sources[place, 1] = gains[place, 0], sources[place, 0]
                gains[place, 0], sources[place, 0] = amount, source
            elif sources[place, 1] == source:
                gains[place, 1] += amount
            elif amount > gains[place, 1]:
                gains[place, 1], sources[place, 1] = amount, source
    for place in range(slots.shape[0]):
        if slots[place] >= 0:
            place_of[slots[place]] = -1


@njit(cache=True)
def best_pairs(
    scores: Array,
    n_items: int,
    norms: Array,
    allowed: Array,
    hashes: Array,
    keys: Array,
    seen: Array,
    k: int,
    out: Array,
    values: Array,
) -> int:
    """The `k` of the first items with the greatest positive finite `scores * norms`, by (-value, key), into `out`.

    Seen (a set of `remember_all`) and forbidden ones are left out. Returns how many, and `UNCLEAR` if it cannot tell.
    """
    n, least = 0, 0.0
    for item in range(n_items):
        value = scores[item] * norms[item]
        if value < least or not (0.0 < value < np.inf):
            continue
        if not allowed[item] or holds(seen, hashes[item]):
            continue
        if n == k and value == values[n - 1]:
            order = compare(keys, item, out[n - 1])
            if order == 0:
                return UNCLEAR
            if order > 0:
                continue
        n = min(n + 1, k)
        at = n - 1
        while at > 0 and value >= values[at - 1]:
            if value == values[at - 1]:
                order = compare(keys, item, out[at - 1])
                if order == 0:
                    return UNCLEAR
                if order > 0:
                    break
            out[at], values[at] = out[at - 1], values[at - 1]
            at -= 1
        out[at], values[at] = item, value
        if n == k:
            least = values[n - 1]
    return n


@njit(cache=True)
def best_near(scores: Array, n_slots: int, hashes: Array, keys: Array, seen: Array, k: int, out: Array) -> int:
    """The `k` slots of a share with the greatest `scores`, by (-score, key, slot), into `out`; returns how many.

    Free slots (hash 0) and seen ones are left out; 0 if any other score is not finite.
    """
    values = np.empty(k, np.float32)
    n, least = 0, np.float32(-np.inf)
    for slot in range(n_slots):
        value = scores[slot]
        if value < least:
            if value == -np.inf and hashes[slot] != 0 and not holds(seen, hashes[slot]):
                return 0
            continue
        if hashes[slot] == 0 or holds(seen, hashes[slot]):
            continue
        if not np.isfinite(value):
            return 0
        if n == k and value == values[n - 1] and compare(keys, slot, out[n - 1]) >= 0:
            continue
        n = min(n + 1, k)
        at = n - 1
        while at > 0 and value >= values[at - 1]:
            if value == values[at - 1] and compare(keys, slot, out[at - 1]) >= 0:
                break
            out[at], values[at] = out[at - 1], values[at - 1]
            at -= 1
        out[at], values[at] = slot, value
        if n == k:
            least = values[n - 1]
    return n


@njit(cache=True)
def offered(
    slots: Array, n: int, hashes: Array, to_item: Array, item_hashes: Array, allowed: Array, k: int, out: Array
) -> int:
    """Number the first `k` of `slots[:n]` that may be offered, into `out`, and move their slots to the front.

    Slots that the mapping does not know, or knows as another item, are left out. Returns how many.
    """
    kept = 0
    for place in range(n):
        slot = slots[place]
        item = to_item[slot] if slot < to_item.shape[0] else -1
        if kept < k and item >= 0 and allowed[item] and item_hashes[item] == hashes[slot]:
            out[kept] = item
            slots[kept] = slot
            kept += 1
    return kept
