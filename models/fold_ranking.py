"""All lists of one user over one share, in one compiled call: the fold makes them before it learns an event."""

from typing import NamedTuple

import numpy as np

from models.compiled import njit
from models.fold_arrays import ItemArrays
from models.fusion import fuse_slots
from models.hash_index import find
from models.history_kernels import refresh, represent, score
from models.kernels import Array
from models.ranking import add_rows, top_slots

LIST_ROW, PAIRS_ROW, HISTORY_ROW, POPULAR_ROW = 0, 1, 2, 3


@njit(cache=True, nogil=True)
def in_order(slots: Array, scores: Array, keys: Array, k: int, out: Array) -> int:
    """The `k` best of a few slots by (-score, key), into `out`; returns how many."""
    n = 0
    places = np.empty(k, np.int64)
    for place in range(slots.shape[0]):
        slot, value = slots[place], scores[place]
        at = min(n, k)
        while at > 0:
            other = places[at - 1]
            if value < scores[other]:
                break
            if value == scores[other]:
                first, second = keys[slots[other], 0], keys[slots[other], 1]
                if keys[slot, 0] > first or (keys[slot, 0] == first and keys[slot, 1] >= second):
                    break
            at -= 1
        if at >= k:
            continue
        n = min(n + 1, k)
        for later in range(n - 1, at, -1):
            places[later] = places[later - 1]
        places[at] = place
    for place in range(n):
        out[place] = slots[places[place]]
    return n


@njit(cache=True, nogil=True)
def fill(n: int, behind: Array, n_behind: int, k: int, out: Array) -> int:
    """Put slots that are not in `out[:n]` yet behind them, up to `k`; returns the new length."""
    n_first = n
    for place in range(n_behind):
        if n == k:
            break
        known = False
        for at in range(n_first):
            known = known or out[at] == behind[place]
        if not known:
            out[n] = behind[place]
            n += 1
    return n


class Scratch(NamedTuple):
    """Arrays that ranking writes over: by slot, and by place in a history."""

    blocked: Array  # bool
    scores: Array  # float64
    logits: Array  # float32
    ones: Array  # float64, all 1
    slots: Array  # int32 (n_history,), oldest first
    weights: Array  # float64 (n_history,)
    rows: Array  # int32 (n_history,), newest first
    factors: Array  # float64 (n_history,)
    user: Array  # float32 (n_factors,)
    shares: Array  # float32 (n_history,)
    out: Array  # int32 (4, k)
    counts: Array  # int32 (4,)


class RankNumbers(NamedTuple):
    """Settings of the sources and of their fusion."""

    pair_decay: float
    history_decay: float
    n_factors: int
    n_history: int
    pair_weight: float
    history_weight: float
    depth: int


def scratch_for(n_slots: int, n_recent: int, n_factors: int, k: int) -> Scratch:
    """Arrays of these sizes."""
    return Scratch(
        np.zeros(n_slots, np.bool_),
        np.zeros(n_slots, np.float64),
        np.zeros(n_slots, np.float32),
        np.ones(n_slots, np.float64),
        np.zeros(n_recent, np.int32),
        np.zeros(n_recent, np.float64),
        np.zeros(n_recent, np.int32),
        np.zeros(n_recent, np.float64),
        np.zeros(n_factors, np.float32),
        np.zeros(n_recent, np.float32),
        np.zeros((4, k), np.int32),
        np.zeros(4, np.int32),
    )


@njit(cache=True, nogil=True)
def known_items(items: ItemArrays, recent: Array, weights: Array, slots: Array, known_weights: Array) -> int:
    """The slots of a history's hashes that hold an item now, and their weights, in the same order; how many."""
    n = 0
    for place in range(recent.shape[0]):
        slot = find(items.cells, items.slots, recent[place])
        if slot >= 0 and items.live[slot]:
            slots[n] = slot
            known_weights[n] = weights[place]
            n += 1
    return n


@njit(cache=True, nogil=True)
def pair_factors(items: ItemArrays, recent: Array, weights: Array, decay: float, rows: Array, factors: Array) -> int:
    """The rows of a history, newest first, and what each is multiplied by; how many."""
    n, factor = 0, 1.0
    for place in range(recent.shape[0] - 1, -1, -1):
        slot = find(items.cells, items.slots, recent[place])
        if slot >= 0 and items.live[slot]:
            rows[n] = slot
            factors[n] = factor * weights[place] * items.known_norm[slot]
            n += 1
        factor *= decay
    return n


@njit(cache=True, nogil=True)
def rank_sources(
    items: ItemArrays, recent: Array, weights: Array, scratch: Scratch, numbers: RankNumbers, k: int
) -> None:
    """Rank a share's slots for a user by every source and fused; those `blocked` in the scratch stand in no list.

    `recent` (hashes) and `weights` are the user's history, oldest first. Writes up to `k` slots per row of
    `scratch.out`: the fused list, co-occurrence, history factors, popularity; and how many to `scratch.counts`.
    Without history all four are popularity.
    """
    n_slots, depth = items.n_range[0], max(k, numbers.depth)
    blocked, scores, out, counts = scratch.blocked, scratch.scores, scratch.out, scratch.counts
    best = np.empty(depth, np.float64)
    for slot in range(n_slots):
        scores[slot] = items.n_events[slot]
    n_popular = top_slots(scores, scratch.ones, 0.0, blocked, n_slots, items.keys, k, out[POPULAR_ROW], best)
    counts[POPULAR_ROW] = n_popular
    n_known = pair_factors(items, recent, weights, numbers.pair_decay, scratch.rows, scratch.factors)
    if n_known == 0:
        for row in range(POPULAR_ROW):
            counts[row] = n_popular
            out[row, :n_popular] = out[POPULAR_ROW, :n_popular]
        return
    ranked = np.full((2, depth), -1, np.int32)
    scores[:n_slots] = 0.0
    pairs = items.pairs
    rows, factors = scratch.rows[:n_known], scratch.factors[:n_known]
    add_rows(pairs.keys, pairs.values, pairs.start, pairs.length, rows, factors, scores)
    n_paired = top_slots(scores, items.candidate_norm, 0.0, blocked, n_slots, items.keys, depth, ranked[0], best)
    n_near = 0
    known_items(items, recent, weights, scratch.slots, scratch.weights)
    first = max(0, n_known - numbers.n_history)
    history, amounts = scratch.slots[first:n_known], scratch.weights[first:n_known]
    k_factors, user = numbers.n_factors, scratch.user
    if represent(items.rows, items.live, history, amounts, k_factors, numbers.history_decay, user, scratch.shares) > 0:
        refresh(items.rows, items.blocks, k_factors, items.stale, n_slots)
        score(items.blocks, items.live, n_slots, k_factors, user, scratch.logits[:n_slots])
        for slot in range(n_slots):
            scores[slot] = scratch.logits[slot]
        n_near = top_slots(scores, scratch.ones, -np.inf, blocked, n_slots, items.keys, depth, ranked[1], best)
    ranked[0, n_paired:] = -1
    ranked[1, n_near:] = -1
    counts[PAIRS_ROW] = min(n_paired, k)
    counts[HISTORY_ROW] = min(n_near, k)
    out[PAIRS_ROW, : counts[PAIRS_ROW]] = ranked[0, : counts[PAIRS_ROW]]
    out[HISTORY_ROW, : counts[HISTORY_ROW]] = ranked[1, : counts[HISTORY_ROW]]
    source_weights = np.array([numbers.pair_weight, numbers.history_weight])
    fused, values, _ = fuse_slots(np.ascontiguousarray(ranked[:, : numbers.depth]), source_weights, k)
    n_fused = in_order(fused, values, items.keys, k, out[LIST_ROW])
    counts[LIST_ROW] = fill(n_fused, out[POPULAR_ROW], n_popular, k, out[LIST_ROW])
