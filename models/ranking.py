"""Ranking: the best of many entries in order, ties by key, then number."""

from typing import Any

import numpy as np

from models.compiled import lean, njit

Array = Any  # numpy arrays; numba's signatures say the dtypes

RUNS = (4, 16)  # values compared side by side
SPARSE = 3  # times as many runs as values that are wanted
NEARLY = 8  # an eighth more are nearly as many
HALVINGS = 20
SOME = 160  # entries: more are not compared each with each


@njit(cache=True, nogil=True)
def least_of_best(values: Array, k: int) -> float:
    """A bound that at least `k` values reach, and few others; -inf if there is none. No value may be NaN.

    Found by halving between the least and the greatest of the maxima of short runs: long ones where there are many more
    values than are wanted, of few values each is a run.
    """
    n_values = values.shape[0]
    if n_values <= k:
        return -np.inf
    length = 1
    for longer in RUNS:
        if n_values >= SPARSE * longer * k:
            length = longer
    if length == 1:
        return halved(values, k)
    greatest = np.empty((n_values + length - 1) // length, np.float64)
    for run in range(greatest.shape[0]):
        greatest[run] = maximum(values[run * length : min(n_values, (run + 1) * length)])
    return halved(greatest, k)


@lean(cache=True, nogil=True)
def halved(values: Array, k: int) -> float:
    """A bound that at least `k` of more values reach, and an eighth more at most, unless many are nearly equal."""
    low, high = least_finite(values), maximum(values)
    if not at_least(values, low) >= k:
        return -np.inf
    for _ in range(HALVINGS):
        middle = low + 0.5 * (high - low)
        n = at_least(values, middle)
        if n >= k:
            low = middle
        else:
            high = middle
        if k <= n <= k + k // NEARLY:
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


@lean(cache=True, nogil=True, fastmath={"nnan", "nsz"})
def least_finite(values: Array) -> float:
    """The least of some values but -inf, none of them NaN."""
    least = np.inf
    for place in range(values.shape[0]):
        least = min(least, values[place] if values[place] > -np.inf else np.inf)
    return least


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
def place_all(entries: Array, amounts: Array, keys: Array, k: int, out: Array, best: Array) -> int:
    """Put the `k` of different entries that go before the others into `out`, in order; returns how many. None is NaN.

    Each one's place is the number of those before it: n^2 comparisons side by side and without a branch, in half the
    time of inserting one by one where there are about a hundred.
    """
    n: int = entries.shape[0]
    for at in range(n):
        amount, place, n_equal = amounts[at], 0, 0
        for other in range(n):
            place += amounts[other] > amount
            n_equal += amounts[other] == amount
        if n_equal > 1 and place < k:
            for other in range(n):
                if amounts[other] == amount and goes_before(amount, entries[other], amount, entries[at], keys):
                    place += 1
        if place < k:
            out[place], best[place] = entries[at], amount
    return min(n, k)


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
