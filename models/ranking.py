"""Ranking: the best of many entries in order, ties by key, then number."""

from typing import Any

import numpy as np

from models.compiled import lean, njit

Array = Any  # numpy arrays; numba's signatures say the dtypes

LANES = 16  # values compared side by side
HALVINGS = 20


@njit(cache=True, nogil=True)
def least_of_best(values: Array, k: int) -> float:
    """A bound that at least `k` values reach, and few others; -inf if there is none.

    Found by halving between the least and the greatest of the maxima of short runs, until `k` of them reach it; of few
    values each is a run.
    """
    n_values = values.shape[0]
    if n_values <= k:
        return -np.inf
    n_runs, length = (n_values + LANES - 1) // LANES, LANES
    if n_runs <= k:
        n_runs, length = n_values, 1
    greatest = np.empty(n_runs, np.float64)
    low, high = np.inf, -np.inf
    for run in range(n_runs):
        greatest[run] = maximum(values[run * length : min(n_values, (run + 1) * length)])
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


@lean(cache=True, nogil=True)
def at_least(values: Array, bound: float) -> int:
    """How many values reach a bound."""
    n = 0
    for place in range(values.shape[0]):
        n += values[place] >= bound
    return n


@lean(cache=True, nogil=True, fastmath={"nnan", "nsz"})
def maximum(values: Array) -> float:
    """The greatest of some values, none of them NaN; a maximum is not rounded, whatever the order."""
    greatest = -np.inf
    for place in range(values.shape[0]):
        greatest = max(greatest, values[place])
    return greatest


@lean(cache=True, nogil=True)
def compare(keys: Array, one: int, other: int) -> int:
    """Below 0 if `one` has the lower key, above 0 if it has the greater, 0 if both are equal."""
    for part in range(keys.shape[1]):
        if keys[one, part] != keys[other, part]:
            return -1 if keys[one, part] < keys[other, part] else 1
    return 0


@lean(cache=True, nogil=True)
def goes_before(value: float, one: int, other_value: float, other: int, keys: Array) -> bool:
    """Whether one entry stands before another: by (-value, key, number)."""
    if value != other_value:
        return bool(value > other_value)
    order = compare(keys, one, other)
    return bool(order < 0 or (order == 0 and one < other))


@lean(cache=True, nogil=True)
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
