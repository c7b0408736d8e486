"""Ranking over the slots of one share: what may be offered, and the best of it, ties by id."""

from typing import Any

import numpy as np

from models.compiled import njit
from models.hash_index import find

Array = Any  # numpy arrays; numba's signatures say the dtypes

LANES = 16  # values compared side by side
HALVINGS = 20


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
        first, factor = start[rows[source]], factors[source]
        last = first + length[rows[source]]
        slots, amounts = neighbours[first:last], weights[first:last]
        for position in range(slots.shape[0]):
            scores[np.uint32(slots[position])] += factor * amounts[position]


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
    offered = scores[:n_slots]
    least = max(floor, least_of_best(offered, k))
    found, n_found = np.empty(n_slots, np.int32), 0
    for slot in range(n_slots):  # without a branch: where the best stand cannot be foretold
        found[n_found] = slot
        n_found += offered[slot] >= least
    n = 0
    for place in range(n_found):
        value = offered[found[place]]
        if value > floor and (n < k or value >= best[k - 1]):
            n = insert(found[place], value, n, keys, k, out, best)
    return n


@njit(cache=True, nogil=True)
def least_of_best(values: Array, k: int) -> float:
    """A bound that at least `k` values reach, and few others; -inf if there is none.

    Found by halving between the least and the greatest of the maxima of short runs, until `k` of them reach it.
    """
    n_runs = (values.shape[0] + LANES - 1) // LANES
    if n_runs <= k:
        return -np.inf
    greatest = np.empty(n_runs, np.float64)
    low, high = np.inf, -np.inf
    for run in range(n_runs):
        greatest[run] = maximum(values[run * LANES : min(values.shape[0], (run + 1) * LANES)])
        high = max(high, greatest[run])
        if greatest[run] > -np.inf:
            low = min(low, greatest[run])
    if not at_least(greatest, low) >= k:
        return -np.inf
    for _ in range(HALVINGS):
        middle = low + 0.5 * (high - low)
        n = at_least(greatest, middle)
        if n >= k:
            low = middle
        else:
            high = middle
        if n == k:
            break
    return low


@njit(cache=True, nogil=True)
def at_least(values: Array, bound: float) -> int:
    """How many values reach a bound."""
    n = 0
    for place in range(values.shape[0]):
        n += values[place] >= bound
    return n


@njit(cache=True, nogil=True, fastmath={"nnan", "nsz"})
def maximum(values: Array) -> float:
    """The greatest of some values, none of them NaN; a maximum is not rounded, whatever the order."""
    greatest = -np.inf
    for place in range(values.shape[0]):
        greatest = max(greatest, values[place])
    return greatest


@njit(cache=True, nogil=True)
def compare(keys: Array, one: int, other: int) -> int:
    """Below 0 if `one` has the lower key, above 0 if it has the greater, 0 if both are equal."""
    for part in range(keys.shape[1]):
        if keys[one, part] != keys[other, part]:
            return -1 if keys[one, part] < keys[other, part] else 1
    return 0


@njit(cache=True, nogil=True)
def goes_before(value: float, one: int, other_value: float, other: int, keys: Array) -> bool:
    """Whether one entry stands before another: by (-value, key, number)."""
    if value != other_value:
        return bool(value > other_value)
    order = compare(keys, one, other)
    return bool(order < 0 or (order == 0 and one < other))


@njit(cache=True, nogil=True)
def insert(entry: int, value: float, n: int, keys: Array, k: int, out: Array, best: Array) -> int:
    """Put an entry into its place among the `n` best, of which `k` are kept; returns the new n."""
    place = n
    while place > 0 and goes_before(value, entry, best[place - 1], out[place - 1], keys):
        place -= 1
    if place >= k:
        return n
    n = min(n + 1, k)
    for position in range(n - 1, place, -1):
        out[position] = out[position - 1]
        best[position] = best[position - 1]
    out[place] = entry
    best[place] = value
    return n
