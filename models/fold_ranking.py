"""All lists of one user over one share, in one compiled call: the fold makes them before it learns an event."""

import numpy as np

from models.compiled import njit
from models.fusion import fuse_slots
from models.history_kernels import refresh, represent, score
from models.kernels import Array
from models.ranking import add_rows, block, top_slots

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


@njit(cache=True, nogil=True)
def rank_sources(
    hashes: Array,
    keys: Array,
    n_slots: int,
    n_events: Array,
    seen: Array,
    n_seen: int,
    table: Array,
    blocked: Array,
    scores: Array,
    logits: Array,
    ones: Array,
    neighbours: Array,
    weights: Array,
    start: Array,
    length: Array,
    norms: Array,
    pair_rows: Array,
    factors: Array,
    rows: Array,
    columns: Array,
    stale: Array,
    live: Array,
    n_factors: int,
    history: Array,
    history_weights: Array,
    decay: float,
    user: Array,
    shares: Array,
    fusion_weights: Array,
    fusion_depth: int,
    k: int,
    out: Array,
    counts: Array,
) -> None:
    """Rank a share's slots for a user by every source and fused, none seen before.

    `pair_rows` and `factors` run from the newest item of the history to the oldest, `history` and `history_weights`
    from the oldest to the newest. Writes up to `k` slots per row of `out`, of shape (4, k): the fused list,
    co-occurrence, history factors, popularity; and how many to `counts`. Without history all four are popularity.
    """
    block(hashes, n_slots, seen, n_seen, table, blocked)
    for slot in range(n_slots):
        scores[slot] = n_events[slot]
    best = np.empty(max(k, fusion_depth), np.float64)
    n_popular = top_slots(scores, ones, 0.0, blocked, n_slots, keys, k, out[POPULAR_ROW], best)
    counts[POPULAR_ROW] = n_popular
    if pair_rows.shape[0] == 0:
        for row in range(POPULAR_ROW):
            counts[row] = n_popular
            out[row, :n_popular] = out[POPULAR_ROW, :n_popular]
        return
    depth = max(k, fusion_depth)
    ranked = np.full((2, depth), -1, np.int32)
    scores[:n_slots] = 0.0
    add_rows(neighbours, weights, start, length, pair_rows, factors, scores)
    n_paired = top_slots(scores, norms, 0.0, blocked, n_slots, keys, depth, ranked[0], best)
    n_near = 0
    if represent(rows, live, history, history_weights, n_factors, decay, user, shares) > 0:
        refresh(rows, columns, n_factors, stale, n_slots)
        score(columns, live, n_slots, n_factors, user, logits[:n_slots])
        for slot in range(n_slots):
            scores[slot] = logits[slot]
        n_near = top_slots(scores, ones, -np.inf, blocked, n_slots, keys, depth, ranked[1], best)
    ranked[0, n_paired:] = -1
    ranked[1, n_near:] = -1
    counts[PAIRS_ROW] = min(n_paired, k)
    counts[HISTORY_ROW] = min(n_near, k)
    out[PAIRS_ROW, : counts[PAIRS_ROW]] = ranked[0, : counts[PAIRS_ROW]]
    out[HISTORY_ROW, : counts[HISTORY_ROW]] = ranked[1, : counts[HISTORY_ROW]]
    fused, values, _ = fuse_slots(np.ascontiguousarray(ranked[:, :fusion_depth]), fusion_weights, k)
    n_fused = in_order(fused, values, keys, k, out[LIST_ROW])
    counts[LIST_ROW] = fill(n_fused, out[POPULAR_ROW], n_popular, k, out[LIST_ROW])
