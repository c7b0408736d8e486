"""Compiled inner loops of the history factors, each also plain Python (`kernel.py_func`, compared by a test).

A row is `k` factors and then `N_EXTRA` numbers: bias, and the sums of squared gradients of the factors as a target, of
the factors in a history, and of the bias. All is float32, in a fixed order of IEEE operations (no fastmath, no libm:
`exp` is written out), so the same events give the same bits everywhere. `k` is a multiple of 8.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from models.compiled import lean, njit

Array = Any  # numpy arrays; numba's signatures say the dtypes

N_EXTRA = 4
MAX_FACTOR = np.float32(16.0)  # factors and biases stay within; every product of rows is then finite

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S32, _S40 = (np.uint64(bits) for bits in (27, 30, 31, 32, 40))
_1, _2, _3, _4, _5, _6, _7, _8 = (np.uint64(lane) for lane in range(1, 9))
_LOG2_E, _LN_2 = 1.4426950408889634, 0.6931471805599453
_HALVES = 0.5 ** np.arange(128)

BLOCK = 64  # slots scored side by side


@lean(cache=True, nogil=True)
def mix(value: np.uint64) -> np.uint64:
    """One step of SplitMix64 (doi:10.1145/2714064.2660195): 64 well-mixed bits of a counter."""
    z = value + _GOLDEN
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    return z ^ (z >> _S31)


@lean(cache=True, nogil=True)
def exp_of_negative(x: float) -> float:
    """exp(x) for x <= 0, float64, relative error below 1e-8; 0 below -80."""
    if not x > -80.0:
        return 0.0
    n = math.floor(x * _LOG2_E + 0.5)
    r = x - n * _LN_2
    series = 1.0 + r * (1.0 / 7.0)
    for divisor in range(6, 0, -1):
        series = 1.0 + r * series / divisor
    return float(series * _HALVES[-n])


@lean(cache=True, nogil=True, error_model="numpy")
def start_row(row: Array, k: int, item_hash: np.uint64, scale: float, start_accumulator: float) -> None:
    """Factors uniform in [-scale, scale), drawn from the item's hash; no bias."""
    for factor in range(k):
        bits = mix(item_hash + np.uint64(factor) * _GOLDEN) >> _S40
        row[factor] = np.float32((np.float64(bits) * 2.0**-23 - 1.0) * scale)
    row[k] = _ZERO
    for extra in range(1, N_EXTRA):
        row[k + extra] = np.float32(start_accumulator)


@lean(cache=True, nogil=True, error_model="numpy")
def dot(a: Array, b: Array, k: int) -> np.float32:
    """Inner product of the first `k` numbers in eight lanes: one vector register, if indices are unsigned."""
    s0, s1, s2, s3, s4, s5, s6, s7 = _ZERO, _ZERO, _ZERO, _ZERO, _ZERO, _ZERO, _ZERO, _ZERO
    i, end = np.uint64(0), np.uint64(k)
    while i < end:
        s0 += a[i] * b[i]
        s1 += a[i + _1] * b[i + _1]
        s2 += a[i + _2] * b[i + _2]
        s3 += a[i + _3] * b[i + _3]
        s4 += a[i + _4] * b[i + _4]
        s5 += a[i + _5] * b[i + _5]
        s6 += a[i + _6] * b[i + _6]
        s7 += a[i + _7] * b[i + _7]
        i += _8
    return ((s0 + s4) + (s1 + s5)) + ((s2 + s6) + (s3 + s7))


@lean(cache=True, nogil=True, error_model="numpy")
def represent(
    rows: Array, live: Array, history: Array, weights: Array, k: int, decay: float, user: Array, shares: Array
) -> int:
    """The decayed mean of a history's factors into `user`, and each position's share (float32) of it into `shares`.

    `history` runs from the oldest to the newest; slots without an item and weights that are not positive have share 0.
    Returns how many positions have a share: 0 if there are none, or if their weights overflow.
    """
    total, factor, n = 0.0, 1.0, 0
    for step in range(history.shape[0] - 1, -1, -1):
        slot = history[step]
        if 0 <= slot < live.shape[0] and live[slot] and weights[step] > 0.0:
            total += factor * weights[step]
        factor *= decay
    user[:k] = _ZERO
    shares[: history.shape[0]] = _ZERO
    if not 0.0 < total < np.inf:
        return 0
    factor = 1.0
    for step in range(history.shape[0] - 1, -1, -1):
        slot = history[step]
        if 0 <= slot < live.shape[0] and live[slot] and weights[step] > 0.0:
            share = np.float32(factor * weights[step] / total)
            shares[step] = share
            n += 1
            row = rows[slot]
            for i in range(k):
                user[i] += share * row[i]
        factor *= decay
    return n


@lean(cache=True, nogil=True, error_model="numpy")
def refresh(rows: Array, blocks: Array, k: int, stale: Array, n_slots: int) -> None:
    """Copy the factors and biases of stale rows into `blocks`, of shape (n, k + 1, `BLOCK`): one column a slot."""
    for first in range(0, n_slots, BLOCK):
        marks = stale[first : min(n_slots, first + BLOCK)]
        n_stale = 0
        for column in range(marks.shape[0]):
            n_stale += marks[column]
        if n_stale == 0:
            continue
        block = blocks[first // BLOCK]
        for column in range(marks.shape[0]):
            if marks[column]:
                marks[column] = False
                row = rows[first + column]
                for i in range(k + 1):
                    block[i, column] = row[i]


@njit(cache=True, nogil=True, error_model="numpy")
def score(blocks: Array, live: Array, n_slots: int, k: int, user: Array, out: Array) -> None:
    """Score of each of the first `n_slots` slots: bias plus user times factors; -inf for a slot without an item.

    Factor by factor over a block of slots: side by side in registers, and yet each sum in the order of the factors.
    """
    scores = np.empty(BLOCK, np.float32)
    for number in range((n_slots + BLOCK - 1) // BLOCK):
        block = blocks[number]
        for place in range(BLOCK):
            scores[place] = block[k, place]
        for i in range(0, k, 4):
            f0, f1, f2, f3 = user[i], user[i + 1], user[i + 2], user[i + 3]
            c0, c1, c2, c3 = block[i], block[i + 1], block[i + 2], block[i + 3]
            for place in range(BLOCK):
                total = scores[place] + f0 * c0[place]
                total += f1 * c1[place]
                total += f2 * c2[place]
                scores[place] = total + f3 * c3[place]
        first = number * BLOCK
        for slot in range(first, min(n_slots, first + BLOCK)):
            out[slot] = scores[slot - first] if live[slot] else np.float32(-np.inf)


@lean(cache=True, nogil=True)
def history_key(seed: np.uint64, counter: int) -> np.uint64:
    """What keys the draws of an event: its number in the log, and a seed."""
    return mix(seed + np.uint64(counter))


class Draws(NamedTuple):
    """Room for draws: what `draw` leaves, and a table by hash that those seen pass by once."""

    candidates: Array  # int32 (n_negatives + 1,): the target first
    heads: Array  # int32 (a power of two,): the last candidate whose hash has these bits; 0 is none, and is left
    behind: Array  # int32 (n_negatives + 1,): the one before it with the same bits


def room_for_draws(n_negatives: int) -> Draws:
    """Arrays of these sizes."""
    n = n_negatives + 1
    return Draws(np.zeros(n, np.int32), np.zeros(1 << (8 * n).bit_length(), np.int32), np.zeros(n, np.int32))


@lean(cache=True, nogil=True)
def draw(
    key: np.uint64,
    n_negatives: int,
    n_range: int,
    live: Array,
    hashes: Array,
    seen: Array,
    target: int,
    draws: Draws,
) -> int:
    """Put the target and up to `n_negatives` other slots into the candidates, drawn evenly from [0, n_range) by `key`.

    A draw that hits the target, a slot without an item or one whose hash is `seen` is dropped, not repeated. Returns
    the number of candidates, the target included.
    """
    candidates, heads, behind = draws.candidates, draws.heads, draws.behind
    candidates[0] = target
    n, mask = 1, np.uint64(heads.shape[0] - 1)
    for number in range(n_negatives):
        bits = mix(key + np.uint64(number)) >> _S32
        slot = np.int32((bits * np.uint64(n_range)) >> _S32)
        if slot != target and live[slot]:
            cell = np.int64(hashes[slot] & mask)
            candidates[n], behind[n] = slot, heads[cell]
            heads[cell] = n
            n += 1
    for place in range(seen.shape[0]):
        at = heads[np.int64(seen[place] & mask)]
        while at > 0:
            if candidates[at] >= 0 and hashes[candidates[at]] == seen[place]:
                candidates[at] = -1 - candidates[at]
            at = behind[at]
    kept = 1
    for place in range(1, n):
        slot = candidates[place]
        heads[np.int64(hashes[slot if slot >= 0 else -1 - slot] & mask)] = 0
        if slot >= 0:
            candidates[kept] = slot
            kept += 1
    return kept


@lean(cache=True, nogil=True)
def note(changed: Array, n_changed: int, slot: int) -> int:
    """Add a slot to the list of changed ones unless it is there; returns the new length."""
    for position in range(n_changed):
        if changed[position] == slot:
            return n_changed
    changed[n_changed] = slot
    return n_changed + 1


@lean(cache=True, nogil=True, error_model="numpy")
def move(row: Array, k: int, step: np.float32, direction: Array) -> None:
    """Subtract `step` times `direction` from a row's factors, within plus or minus `MAX_FACTOR`."""
    for i in range(k):
        row[i] = max(-MAX_FACTOR, min(MAX_FACTOR, row[i] - step * direction[i]))


@lean(cache=True, nogil=True, error_model="numpy")
def learn(
    rows: Array,
    k: int,
    history: Array,
    shares: Array,
    user: Array,
    candidates: Array,
    n_candidates: int,
    key: np.uint64,
    weight: float,
    learning_rate: float,
    round_to: float,
    odds: Array,
    gradient: Array,
    changed: Array,
) -> int:
    """One step of sampled softmax: candidate 0 is to be chosen, the others are not; returns how many rows changed.

    Steps are Adagrad's with one sum of squares a row. A negative whose probability p is below `round_to` moves as if
    it were `round_to`, with chance p / `round_to` (drawn by `key`), else not at all: right on average, and few rows
    change. `odds`, `gradient` are scratch; `changed` receives the slots.
    """
    rate, w, size = np.float32(learning_rate), np.float32(weight), np.float32(k)
    greatest = -MAX_FACTOR * MAX_FACTOR * size - MAX_FACTOR
    for position in range(n_candidates):
        row = rows[candidates[position]]
        odds[position] = dot(user, row, k) + row[k]
        greatest = max(greatest, odds[position])
    total = _ZERO
    for position in range(n_candidates):
        odds[position] = np.float32(exp_of_negative(np.float64(odds[position] - greatest)))
        total += odds[position]
    gradient[:k] = _ZERO
    least = np.float32(round_to)
    power = dot(user, user, k) / size
    n_changed = 0
    for position in range(n_candidates):
        error = odds[position] / total
        if position == 0:
            error -= _ONE
        elif error < least:
            bits = mix(key + np.uint64(candidates.shape[0] + position)) >> _S40
            if np.float64(bits) * 2.0**-24 * np.float64(least) >= np.float64(error):
                continue
            error = least
        error *= w
        row = rows[candidates[position]]
        for i in range(k):
            gradient[i] += error * row[i]
        row[k + 1] += error * error * power
        move(row, k, rate * error / np.float32(math.sqrt(np.float64(row[k + 1]))), user)
        row[k + 3] += error * error
        moved = row[k] - rate * error / np.float32(math.sqrt(np.float64(row[k + 3])))
        row[k] = max(-MAX_FACTOR, min(MAX_FACTOR, moved))
        n_changed = note(changed, n_changed, candidates[position])
    power = dot(gradient, gradient, k) / size
    for position in range(history.shape[0]):
        share = shares[position]
        if share > _ZERO:
            row = rows[history[position]]
            row[k + 2] += share * share * power
            move(row, k, rate * share / np.float32(math.sqrt(np.float64(row[k + 2]))), gradient)
            n_changed = note(changed, n_changed, history[position])
    return n_changed
