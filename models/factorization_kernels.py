"""Compiled steps of the matrix factorization, each also plain Python (`kernel.py_func`, compared by a test).

A row is `float64[1 + n_factors]`: the bias, then the factors; `items` holds one row per slot; `mean` is (count, mean).
IEEE arithmetic in a fixed order (no fastmath) and nothing from the C library's mathematics, so the same ratings give
the same bits everywhere.
"""

from typing import Any

import numpy as np

from models.compiled import lean

Array = Any  # numpy arrays; numba's signatures say the dtypes

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_LOW_16 = np.uint64(0xFFFF)
_WORDS_PER_FACTOR = 3
_CENTRE = 6 * 65535  # mean of a sum of twelve 16-bit numbers
_UNIT = 65536.0  # its standard deviation


@lean(cache=True, nogil=True)
def splitmix64(seed: np.uint64, number: int) -> np.uint64:
    """Word `number` (from 0) of the SplitMix64 sequence that starts at `seed` (doi:10.1145/2714064.2660195)."""
    word = seed + _GAMMA * np.uint64(number + 1)
    word = (word ^ (word >> np.uint64(30))) * _FIRST
    word = (word ^ (word >> np.uint64(27))) * _SECOND
    return word ^ (word >> np.uint64(31))


@lean(cache=True, nogil=True)
def start_row(seed: np.uint64, kind: int, id_hash: np.uint64, scale: float, row: Array) -> None:
    """Set a row to its start: bias 0, factors from the bell curve of width `scale`.

    Factor f (from 0) is made of words 3 f to 3 f + 2 of the sequence that starts at (word `kind` of `seed`) xor
    `id_hash`: `scale` times the sum of their twelve 16-bit numbers, centred and divided by its standard deviation.
    Mean 0, variance 1, never beyond 6; a sum of integers, where a logarithm would differ between machines.
    """
    first = splitmix64(seed, kind) ^ id_hash
    row[0] = 0.0
    for factor in range(1, row.shape[0]):
        total = np.int64(0)
        for part in range(_WORDS_PER_FACTOR):
            word = splitmix64(first, (factor - 1) * _WORDS_PER_FACTOR + part)
            for shift in (0, 16, 32, 48):
                total += np.int64((word >> np.uint64(shift)) & _LOW_16)
        row[factor] = scale * ((total - _CENTRE) / _UNIT)


@lean(cache=True, nogil=True)
def predict(user: Array, items: Array, slot: int, mean: Array) -> Any:
    """Mean + both biases + product of the factors, not clipped."""
    product = 0.0
    for factor in range(1, user.shape[0]):
        product += user[factor] * items[slot, factor]
    return mean[1] + user[0] + items[slot, 0] + product


@lean(cache=True, nogil=True)
def learn_one(
    user: Array,
    items: Array,
    slot: int,
    rating: float,
    mean: Array,
    lr_bias: float,
    lr_factors: float,
    max_gradient: float,
    max_weight: float,
    lowest: float,
    highest: float,
) -> None:
    """One step of stochastic gradient descent on the squared error, in place.

    The order is River's: the mean first, then the gradient 2 (prediction - rating) with that mean, then both biases,
    then both factor rows, each from the other as it stood before. The rating is clipped to [lowest, highest], the
    gradient to +-`max_gradient`, and what comes out to +-`max_weight`.
    """
    rating = min(max(rating, lowest), highest)
    mean[0] += 1.0
    mean[1] += (1.0 / mean[0]) * (rating - mean[1])
    gradient = 2.0 * (predict(user, items, slot, mean) - rating)
    gradient = min(max(gradient, -max_gradient), max_gradient)
    user[0] = min(max(user[0] - lr_bias * gradient, -max_weight), max_weight)
    items[slot, 0] = min(max(items[slot, 0] - lr_bias * gradient, -max_weight), max_weight)
    for factor in range(1, user.shape[0]):
        before = user[factor]
        user[factor] = min(max(before - lr_factors * (gradient * items[slot, factor]), -max_weight), max_weight)
        items[slot, factor] = min(max(items[slot, factor] - lr_factors * (gradient * before), -max_weight), max_weight)
