"""Scores and selection written plainly: what the compiled lists are compared with."""

from typing import Any

import numpy as np

from models.compiled import njit

Array = Any


@njit(cache=True)
def accumulate(
    neighbours: Array,
    weights: Array,
    start: Array,
    length: Array,
    rows: Array,
    factors: Array,
    to_item: Array,
    scores: Array,
    touched: Array,
    n_touched: int,
    best: Array,
    best_source: Array,
) -> int:
    """Add each row times its factor to the dense `scores`, remembering the two rows that gave a candidate most.

    `rows[s]` is the slot of history position `s` (-1: not in this share), `to_item` maps a neighbour's slot to its item
    (-1: none), `touched[:n]` lists the items with a score; returns the new n. `best` and `best_source` have shape
    (n_items, 2): the greatest contributions and the history positions they came from (-1: none).
    """
    for source in range(rows.shape[0]):
        row = rows[source]
        if row < 0:
            continue
        factor = factors[source]
        for position in range(start[row], start[row] + length[row]):
            neighbour = neighbours[position]
            item = to_item[neighbour] if neighbour < to_item.shape[0] else -1  # a slot newer than the mapping
            if item < 0:
                continue
            amount = factor * weights[position]
            if not amount > 0.0:
                continue  # nothing to add, and a score of 0 means not listed yet
            if scores[item] == 0.0:
                touched[n_touched] = item
                n_touched += 1
                best[item, 0] = amount
                best_source[item, 0] = source
                best[item, 1] = 0.0
                best_source[item, 1] = -1
            elif best_source[item, 0] == source:
                best[item, 0] += amount
            elif amount > best[item, 0]:
                best[item, 1] = best[item, 0]
                best_source[item, 1] = best_source[item, 0]
                best[item, 0] = amount
                best_source[item, 0] = source
            elif best_source[item, 1] == source:
                best[item, 1] += amount
            elif amount > best[item, 1]:
                best[item, 1] = amount
                best_source[item, 1] = source
            scores[item] += amount
    return n_touched


@njit(cache=True)
def select(
    scores: Array,
    touched: Array,
    n_touched: int,
    norms: Array,
    allowed: Array,
    hashes: Array,
    seen: Array,
    n_seen: int,
    k: int,
    table: Array,
) -> tuple[Array, Array]:
    """Take the items whose normed score is at least the k-th greatest, seen and forbidden ones left out.

    Resets `scores` to zero. Returns (items, values), unordered, at least k long if there are as many (ties at the
    end are all returned: the caller orders them by id). `table` is scratch: a power of two above 2 `n_seen` cells.
    """
    mask = table.shape[0] - 1
    table[:] = 0
    for position in range(n_seen):
        cell = np.int64(seen[position] & np.uint64(mask))
        while table[cell] != 0 and table[cell] != seen[position]:
            cell = (cell + 1) & mask
        table[cell] = seen[position]
    items = np.empty(n_touched, np.int32)
    values = np.empty(n_touched, np.float64)
    n = 0
    for position in range(n_touched):
        item = touched[position]
        value = scores[item] * norms[item]
        scores[item] = 0.0
        if not allowed[item] or not (0.0 < value < np.inf):
            continue
        cell = np.int64(hashes[item] & np.uint64(mask))
        while table[cell] != 0 and table[cell] != hashes[item]:
            cell = (cell + 1) & mask
        if table[cell] == 0:
            items[n] = item
            values[n] = value
            n += 1
    if n > k > 0:
        threshold = np.partition(values[:n], n - k)[n - k]
        kept = 0
        for position in range(n):
            if values[position] >= threshold:
                items[kept] = items[position]
                values[kept] = values[position]
                kept += 1
        n = kept
    return items[:n], values[:n]
