"""Candidates of a published list, by pairs and by factors; compiled, and plain Python (`kernel.py_func`).

Items have numbers here, and keys to order equals by: the first 16 bytes of the id, as two uint64. Where two items with
the same score have the same key, a kernel says that it cannot tell them apart, and its caller orders them by id.
"""

from typing import Any

import numpy as np

from models.compiled import njit

Array = Any  # numpy arrays; numba's signatures say the dtypes

MIN_CELLS = 64
UNCLEAR = -1


@njit(cache=True, nogil=True)
def remember_all(values: Array, n: int, table: Array) -> None:
    """Make `table` (scratch: a power of two above 2 `n` cells, uint64) the set of the first `n` hashes."""
    mask = np.uint64(table.shape[0] - 1)
    table[:] = 0
    for position in range(n):
        cell = np.int64(values[position] & mask)
        while table[cell] != 0 and table[cell] != values[position]:
            cell = np.int64(np.uint64(cell + 1) & mask)
        table[cell] = values[position]


@njit(cache=True, nogil=True)
def holds(table: Array, value: np.uint64) -> bool:
    """Whether a hash is in the set."""
    mask = np.uint64(table.shape[0] - 1)
    cell = np.int64(value & mask)
    while table[cell] != 0 and table[cell] != value:
        cell = np.int64(np.uint64(cell + 1) & mask)
    return bool(table[cell] != 0)


@njit(cache=True, nogil=True)
def compare(keys: Array, one: int, other: int) -> int:
    """Below 0 if `one` has the lower key, above 0 if it has the greater, 0 if both are equal."""
    for part in range(2):
        if keys[one, part] != keys[other, part]:
            return -1 if keys[one, part] < keys[other, part] else 1
    return 0


@njit(cache=True, nogil=True)
def best_pairs(
    scores: Array,
    touched: Array,
    n_touched: int,
    norms: Array,
    allowed: Array,
    hashes: Array,
    keys: Array,
    seen: Array,
    k: int,
    out: Array,
    values: Array,
) -> int:
    """The `k` touched items with the greatest positive finite `scores * norms`, by (-value, key), into `out`.

    Seen (a set of `remember_all`) and forbidden ones are left out. Returns how many, and resets `scores` to zero; or
    `UNCLEAR`, and leaves `scores` as they are.
    """
    n = 0
    for position in range(n_touched):
        item = touched[position]
        value = scores[item] * norms[item]
        if not (0.0 < value < np.inf) or (n == k and (n == 0 or value < values[n - 1])):
            continue
        if not allowed[item] or holds(seen, hashes[item]):
            continue
        at = n
        while at > 0 and value >= values[at - 1]:
            if value == values[at - 1]:
                order = compare(keys, item, out[at - 1])
                if order == 0:
                    return UNCLEAR
                if order > 0:
                    break
            at -= 1
        if at >= k:
            continue
        n = min(n + 1, k)
        for later in range(n - 1, at, -1):
            out[later], values[later] = out[later - 1], values[later - 1]
        out[at], values[at] = item, value
    for position in range(n_touched):
        scores[touched[position]] = 0.0
    return n


@njit(cache=True, nogil=True)
def best_near(scores: Array, n_slots: int, hashes: Array, keys: Array, seen: Array, k: int, out: Array) -> int:
    """The `k` slots of a share with the greatest `scores`, by (-score, key, slot), into `out`; returns how many.

    Free slots (hash 0) and seen ones are left out; 0 if any other score is not finite.
    """
    values = np.empty(k, np.float32)
    n = 0
    for slot in range(n_slots):
        value = scores[slot]
        if n == k and value < values[n - 1]:
            if value == -np.inf and hashes[slot] != 0 and not holds(seen, hashes[slot]):
                return 0
            continue
        if hashes[slot] == 0 or holds(seen, hashes[slot]):
            continue
        if not np.isfinite(value):
            return 0
        at = n
        while at > 0 and value >= values[at - 1]:
            if value == values[at - 1] and compare(keys, slot, out[at - 1]) >= 0:
                break
            at -= 1
        if at >= k:
            continue
        n = min(n + 1, k)
        for later in range(n - 1, at, -1):
            out[later], values[later] = out[later - 1], values[later - 1]
        out[at], values[at] = slot, value
    return n


@njit(cache=True, nogil=True)
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
