"""Ranking over the slots of one share: who may be offered, and the best of them, ties by id."""

from typing import Any

import numpy as np
import numpy.typing as npt

from models.compiled import njit

Array = Any  # numpy arrays; numba's signatures say the dtypes

MIN_CELLS = 64


@njit(cache=True, nogil=True)
def block(hashes: Array, n_slots: int, seen: Array, n_seen: int, table: Array, blocked: Array) -> None:
    """Mark the slots that may not be offered: free ones (hash 0), and those whose hash is among `seen[:n_seen]`.

    `table` is scratch: a power of two above 2 `n_seen` cells, uint64.
    """
    mask = table.shape[0] - 1
    table[:] = 0
    for position in range(n_seen):
        cell = np.int64(seen[position] & np.uint64(mask))
        while table[cell] != 0 and table[cell] != seen[position]:
            cell = (cell + 1) & mask
        table[cell] = seen[position]
    for slot in range(n_slots):
        if hashes[slot] == 0:
            blocked[slot] = True
            continue
        cell = np.int64(hashes[slot] & np.uint64(mask))
        while table[cell] != 0 and table[cell] != hashes[slot]:
            cell = (cell + 1) & mask
        blocked[slot] = table[cell] != 0


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
    """The `k` unblocked slots with the greatest `scores * norms` above `floor`, ties by the lower key.

    `keys` has shape (n_slots, 2), uint64: the first 16 bytes of the id, big endian. Writes slots to `out` and values to
    `best`, best first; returns how many, and 0 if any value is not finite: a model that has diverged has no list.
    """
    n = 0
    for slot in range(n_slots):
        if blocked[slot]:
            continue
        value = scores[slot] * norms[slot]
        if not np.isfinite(value):
            return 0
        if value <= floor or (n == k and value < best[n - 1]):
            continue
        place = n if n < k else k
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
            continue
        if n < k:
            n += 1
        for position in range(n - 1, place, -1):
            out[position] = out[position - 1]
            best[position] = best[position - 1]
        out[place] = slot
        best[place] = value
    return n


def table_for(n_seen: int, table: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """A scratch table that `n_seen` hashes fit into: `table` itself, or a larger one."""
    cells = MIN_CELLS
    while cells < 2 * n_seen:
        cells *= 2
    return table[:cells] if cells <= len(table) else np.zeros(cells, np.uint64)
