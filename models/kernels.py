"""Compiled inner loops over neighbour rows, each also plain Python (`kernel.py_func`, compared by a test).

A row is a run of `length` pairs (neighbour slot, weight) inside two flat pools, at `start`. IEEE arithmetic in a fixed
order (no fastmath), so the same events give the same bits everywhere.
"""

from typing import Any

import numpy as np

from models.compiled import lean, njit

Array = Any  # numpy arrays; numba's signatures say the dtypes

LANES = 16  # neighbours compared side by side


@njit(cache=True, nogil=True)
def cut_row(neighbours: Array, weights: Array, start: int, length: int, n_keep: int) -> int:
    """Keep the `n_keep` heaviest pairs of a row, equal weights by the lower slot; order within the row is kept."""
    if length <= n_keep:
        return length
    row = weights[start : start + length]
    threshold = np.sort(row)[length - n_keep]
    n_above = 0
    for position in range(length):
        if row[position] > threshold:
            n_above += 1
    ties = np.empty(length, np.int32)
    n_ties = 0
    for position in range(length):
        if row[position] == threshold:
            ties[n_ties] = neighbours[start + position]
            n_ties += 1
    last_tie = np.sort(ties[:n_ties])[n_keep - n_above - 1]
    kept = 0
    for position in range(length):
        weight = row[position]
        slot = neighbours[start + position]
        if weight > threshold or (weight == threshold and slot <= last_tie):
            neighbours[start + kept] = slot
            weights[start + kept] = weight
            kept += 1
    return kept


@lean(cache=True, nogil=True)
def find_in(row: Array, slot: int) -> int:
    """The position of a slot in a row of neighbours, -1 if it is not there; sixteen at a time, side by side."""
    n, wanted = row.shape[0], np.int32(slot)
    first = 0
    while first + LANES <= n:
        part = row[first : first + LANES]
        hits = np.int32(0)
        for lane in range(LANES):
            hits += np.int32(part[lane] == wanted)
        if hits > 0:
            break
        first += LANES
    for position in range(first, n):
        if row[position] == wanted:
            return position
    return -1


@lean(cache=True, nogil=True)
def append(
    neighbours: Array, weights: Array, start: Array, length: Array, row: int, slot: int, weight: float, n_keep: int
) -> None:
    """Add a new pair (row, slot); a row that has grown to 2 `n_keep` pairs is cut back to `n_keep`."""
    first = start[row]
    size = length[row]
    neighbours[first + size] = slot
    weights[first + size] = weight
    size += 1
    if size >= 2 * n_keep:
        size = cut_row(neighbours, weights, first, size, n_keep)
    length[row] = size


@lean(cache=True, nogil=True)
def add_pairs(
    neighbours: Array,
    weights: Array,
    start: Array,
    length: Array,
    slot: int,
    others: Array,
    amounts: Array,
    n_keep: int,
) -> None:
    """Add one event's pairs, both ways: (slot, other) and (other, slot) for every other item of the history."""
    for position in range(others.shape[0]):
        other, amount = others[position], amounts[position]
        first = start[slot]
        found = find_in(neighbours[first : first + length[slot]], other)
        if found >= 0:
            weights[first + found] += amount
        else:
            append(neighbours, weights, start, length, slot, other, amount, n_keep)
        first = start[other]
        found = find_in(neighbours[first : first + length[other]], slot)
        if found >= 0:
            weights[first + found] += amount
        else:
            append(neighbours, weights, start, length, other, slot, amount, n_keep)


@njit(cache=True, nogil=True)
def drop_slots(neighbours: Array, weights: Array, start: Array, length: Array, n_slots: int, gone: Array) -> Array:
    """Remove every pair with a slot that is `gone` (a mask over slots); returns a mask of the rows that changed."""
    changed = np.zeros(n_slots, np.bool_)
    for row in range(n_slots):
        first = start[row]
        kept = 0
        for position in range(first, first + length[row]):
            slot = neighbours[position]
            if not gone[slot]:
                neighbours[first + kept] = slot
                weights[first + kept] = weights[position]
                kept += 1
        if kept != length[row]:
            length[row] = kept
            changed[row] = True
    return changed


@lean(cache=True, nogil=True)
def remember(seen: Array, words: Array, n_seen: int, max_seen: int, value: np.uint64) -> tuple[int, np.uint64]:
    """Put a hash at the end of `seen[:n_seen]`, moving it there if present and dropping the oldest if full.

    Its word in `words`, which goes along, is to be written by the caller. Returns the new length and the word that was
    there, 0 for a new hash. `seen` must have room for one more unless it is full.
    """
    for position in range(n_seen - 1, -1, -1):
        if seen[position] == value:
            word = words[position]
            for later in range(position, n_seen - 1):
                seen[later], words[later] = seen[later + 1], words[later + 1]
            seen[n_seen - 1] = value
            return n_seen, word
    if n_seen >= max_seen:
        excess = n_seen - max_seen + 1
        for later in range(n_seen - excess):
            seen[later], words[later] = seen[later + excess], words[later + excess]
        n_seen -= excess
    seen[n_seen] = value
    return n_seen + 1, np.uint64(0)


@lean(cache=True, nogil=True)
def remember_id(event_ids: Array, n_event_ids: Array, slot: int, event_id: np.uint64) -> bool:
    """Whether an event id is among those of a user; if not it becomes the newest, in place of the oldest."""
    ids, n = event_ids[slot], n_event_ids[slot]
    for place in range(n):
        if ids[place] == event_id:
            return True
    if n == ids.shape[0]:
        for place in range(1, n):
            ids[place - 1] = ids[place]
        n -= 1
    ids[n] = event_id
    n_event_ids[slot] = n + 1
    return False
