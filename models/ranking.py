"""Ranking over the slots of one share: what may be offered, and the best of it, ties by id."""

from typing import Any

import numpy as np

from models.compiled import njit
from models.hash_index import find

Array = Any  # numpy arrays; numba's signatures say the dtypes

LANES = 16  # values compared side by side


@njit(cache=True, nogil=True)
def block(live: Array, n_slots: int, cells: Array, slots: Array, seen: Array, blocked: Array) -> None:
    """Mark the slots that may not be offered: those without an item, and those of the hashes in `seen`.

    `cells` and `slots` are the index of the items by hash.
    """
    for slot in range(n_slots):
        blocked[slot] = not live[slot]
    for position in range(seen.shape[0]):
        slot = find(cells, slots, seen[position])
        if 0 <= slot < n_slots:
            blocked[slot] = True


@njit(cache=True, nogil=True)
def add_rows(
    neighbours: Array, weights: Array, start: Array, length: Array, rows: Array, factors: Array, scores: Array
) -> None:
    """Add each row times its factor to the dense `scores`, in the order given."""
    for source in range(rows.shape[0]):
        row = rows[source]
        factor = factors[source]
        for position in range(start[row], start[row] + length[row]):
            scores[neighbours[position]] += factor * weights[position]


@njit(cache=True, nogil=True)
def top_slots(
    scores: Array,
    norms: Array,
    floor: float,
    blocked: Array,
    n_slots: int,
    keys: Array,
    k: int,
    out: Array,
    best: Array,
) -> int:
    """The `k` unblocked slots with the greatest `scores * norms` above `floor`, ties by the lower key, then slot.

    `keys` has shape (n_slots, 2), uint64: the first 16 bytes of the id, big endian. Writes slots to `out` and values to
    `best`, best first; returns how many, and 0 if any value is not finite: a model that has diverged has no list.
    `scores` holds the products afterwards, and -inf for blocked slots.
    """
    wrong = 0
    for slot in range(n_slots):
        value = scores[slot] * norms[slot]
        wrong += (not blocked[slot]) and not (abs(value) < np.inf)
        scores[slot] = -np.inf if blocked[slot] else value
    if wrong > 0:
        return 0
    n = 0
    for first in range(0, n_slots, LANES):
        last = min(n_slots, first + LANES)
        least = best[k - 1] if n == k else floor
        n_better = 0
        for slot in range(first, last):
            n_better += scores[slot] >= least
        if n_better == 0:
            continue
        for slot in range(first, last):
            value = scores[slot]
            if value > floor and (n < k or value >= best[k - 1]):
                n = insert(slot, value, n, keys, k, out, best)
    return n


@njit(cache=True, nogil=True)
def insert(slot: int, value: float, n: int, keys: Array, k: int, out: Array, best: Array) -> int:
    """Put a slot into its place among the `n` best, behind equals with a lower key; returns the new n."""
    place = n
    while place > 0:
        other = out[place - 1]
        if value < best[place - 1]:
            break
        if value == best[place - 1] and (
            keys[slot, 0] > keys[other, 0] or (keys[slot, 0] == keys[other, 0] and keys[slot, 1] >= keys[other, 1])
        ):
            break
        place -= 1
    if place >= k:
        return n
    n = min(n + 1, k)
    for position in range(n - 1, place, -1):
        out[position] = out[position - 1]
        best[position] = best[position - 1]
    out[place] = slot
    best[place] = value
    return n
