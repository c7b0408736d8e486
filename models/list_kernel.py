"""One user's published list in one compiled call, and plain Python (`kernel.py_func`)."""

from typing import Any, NamedTuple

import numpy as np

from models import history_kernels
from models.compiled import njit
from models.list_candidates import Array, add_rows, best_pairs, set_of, two_greatest
from models.list_fusion import N_REASONS, explain, fuse_candidates

SPARE = 2  # as many candidates of the factor model as needed, twice over, because some may be forbidden


class ListNumbers(NamedTuple):
    """Settings of a list: the fusion's depth and weights, and what the two models age a history by."""

    depth: int
    pairs_weight: float
    history_weight: float
    pairs_decay: float
    history_decay: float
    n_history: int
    n_factors: int


@njit(cache=True)
def known_pairs(recent: Array, weights: Array, norms: Array, decay: float) -> tuple[Array, Array, Array]:
    """The items of a history that have numbers, newest first: these, what their rows count, and their places in it."""
    known, places = np.empty(recent.shape[0], np.int32), np.empty(recent.shape[0], np.int32)
    factors = np.empty(recent.shape[0], np.float64)
    n, factor = 0, 1.0
    for place in range(recent.shape[0] - 1, -1, -1):
        if recent[place] >= 0:
            known[n], places[n] = recent[place], place
            factors[n] = factor * weights[place] * norms[recent[place]]
            n += 1
        factor *= decay
    return known[:n], factors[:n], places[:n]


@njit(cache=True)
def known_slots(
    recent: Array, weights: Array, hashes: Array, slot_in: Array, slot_hashes: Array, n_slots: int
) -> tuple[Array, Array, Array]:
    """The items of a history that a share knows, oldest first: slots, weights, and their places in it."""
    slots, places = np.empty(recent.shape[0], np.int32), np.empty(recent.shape[0], np.int32)
    amounts = np.empty(recent.shape[0], np.float64)
    n = 0
    for place in range(recent.shape[0]):
        slot = slot_in[recent[place]] if recent[place] >= 0 else -1
        if 0 <= slot < n_slots and slot_hashes[slot] == hashes[recent[place]]:  # or another item has the slot by now
            slots[n], amounts[n], places[n] = slot, weights[place], place
            n += 1
    return slots[:n], amounts[:n], places[:n]


@njit(cache=True)
def score_slots(share: Any, n_slots: int, slots: Array, weights: Array, numbers: ListNumbers) -> Array:
    """What the factor model gives each slot of a share; nothing if it knows nothing of the history."""
    _, _, rows, blocks, live, stale = share
    n_history, n_factors = numbers.n_history, numbers.n_factors
    logits = np.empty(n_slots, np.float32)
    user, shares = np.empty(n_factors, np.float32), np.empty(n_history, np.float32)
    last = max(0, slots.shape[0] - n_history)
    n_known = history_kernels.represent(
        rows, live, slots[last:], weights[last:], n_factors, numbers.history_decay, user, shares
    )
    if n_known == 0:
        return logits[:0]
    n = min(n_slots, rows.shape[0])
    history_kernels.refresh(rows, blocks, n_factors, stale, n)
    history_kernels.score(blocks, live, n, n_factors, user, logits)
    logits[n:] = -np.inf
    return logits


@njit(cache=True)
def make_list(
    shares: Any,
    own: int,
    view: Any,
    n_items: int,
    share: Any,
    n_slots: int,
    recent: Array,
    recent_weights: Array,
    seen_hashes: Array,
    numbers: ListNumbers,
    k: int,
    place_of: Array,
    items: Array,
    scores: Array,
    sources: Array,
    reasons: Array,
) -> int:
    """Make a list of up to `k` items, at most twice the fusion's depth; returns how many.

    Parameters
    ----------
    shares, own
        Of `models.list_candidates.show_share`, and the place of the user's own among them.
    view, n_items
        Hashes, keys, norms as known item and as candidate, and whether it may be offered, of each item by number.
    share, n_slots
        Hashes, keys, and the factor model's rows, blocks, live and stale marks, by slot of the user's own share.
    recent, recent_weights
        Numbers (-1: none) and weights of the user's last items, oldest first.
    seen_hashes
        Of the items that are not to be offered.
    place_of
        Scratch of `two_greatest`.
    items, scores, sources, reasons
        Receive the list: numbers, fused scores, `BY_PAIRS` or `BY_FACTORS`, and two places in `recent` (-1: none).
    """
    hashes, keys, known_norm, candidate_norm, allowed = view
    slot_hashes, slot_keys, rows, _, _, _ = share
    slot_in, to_item = shares[own][4], shares[own][5]
    depth, seen = numbers.depth, set_of(seen_hashes)

    known, factors, known_at = known_pairs(recent, recent_weights, known_norm, numbers.pairs_decay)
    paired, paired_scores, n_paired = np.empty(depth, np.int32), np.empty(depth, np.float64), 0
    if known.shape[0] > 0:
        sums = np.zeros(n_items + 1, np.float64)
        add_rows(shares, known, factors, sums)
        n_paired = best_pairs(sums, n_items, candidate_norm, allowed, hashes, keys, seen, depth, paired, paired_scores)

    slots, slot_weights, slots_at = known_slots(recent, recent_weights, hashes, slot_in, slot_hashes, n_slots)
    logits = score_slots(share, n_slots, slots, slot_weights, numbers)

    weights = np.empty(2, np.float64)
    weights[0], weights[1] = numbers.pairs_weight, numbers.history_weight
    near_slots = np.empty(SPARE * depth, np.int32)
    fused, fused_scores = np.empty(2 * depth, np.int32), np.empty(2 * depth, np.float64)
    places, order = np.empty((2 * depth, 2), np.int32), np.empty(2 * depth, np.int64)
    n = fuse_candidates(
        paired,
        n_paired,
        logits,
        slot_hashes,
        slot_keys,
        seen,
        seen_hashes.shape[0],
        to_item,
        hashes,
        keys,
        allowed,
        weights,
        depth,
        near_slots,
        fused,
        fused_scores,
        places,
        order,
    )
    n = min(n, k)
    for place in range(n):
        items[place], scores[place] = fused[order[place]], fused_scores[order[place]]

    gains, pair_reasons = np.zeros((n, N_REASONS), np.float64), np.full((n, N_REASONS), -1, np.int32)
    two_greatest(shares, known, factors, items[:n], place_of, gains, pair_reasons)
    explain(
        places,
        order[:n],
        weights,
        depth,
        pair_reasons,
        known_at,
        rows,
        numbers.n_factors,
        slots,
        slot_weights,
        slots_at,
        numbers.history_decay,
        near_slots,
        sources,
        reasons,
    )
    return n
