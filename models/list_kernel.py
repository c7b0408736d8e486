"""What the two learned models propose to a user, in one compiled call, and plain Python (`kernel.py_func`)."""

import math
from typing import Any, NamedTuple

import numpy as np

from models import history_kernels
from models.compiled import njit
from models.list_candidates import Array, add_rows, best_near, best_pairs, offered

SPARE = 2  # as many candidates of the factor model as needed, twice over, because some may be forbidden


class ListNumbers(NamedTuple):
    """What the two models age a history by, and the sizes of the second."""

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
def propose(
    shares: Any,
    own: int,
    view: Any,
    n_items: int,
    share: Any,
    n_slots: int,
    recent: Array,
    recent_weights: Array,
    seen: Array,
    n_seen: int,
    numbers: ListNumbers,
    items: Array,
    scores: Array,
    counts: Array,
) -> Any:
    """Propose by co-occurrence (first row) and by history factors (second row), as many as the rows are long.

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
    seen, n_seen
        The set (`models.list_candidates.set_of`) of the hashes that are not to be offered, and how many there are.
    items, scores, counts
        Rows of `models.proposals.Proposals`: normed sums of pairs, and odds against the best.

    Returns
    -------
    tuple
        What `models.list_reasons.reasons_of` has to know: items of the history with numbers (newest first), what their
        pairs count, their places; and those the own share knows (oldest first): slots, weights, places.
    """
    hashes, keys, known_norm, candidate_norm, allowed = view
    slot_hashes, slot_keys, _, _, _, _ = share
    slot_in, to_item, depth = shares[own][4], shares[own][5], items.shape[1]

    known, factors, known_at = known_pairs(recent, recent_weights, known_norm, numbers.pairs_decay)
    counts[0] = 0
    if known.shape[0] > 0:
        sums = np.zeros(n_items + 1, np.float64)
        add_rows(shares, known, factors, sums)
        counts[0] = best_pairs(sums, n_items, candidate_norm, allowed, hashes, keys, seen, depth, items[0], scores[0])

    slots, slot_weights, slots_at = known_slots(recent, recent_weights, hashes, slot_in, slot_hashes, n_slots)
    logits = score_slots(share, n_slots, slots, slot_weights, numbers)
    near = np.empty(SPARE * depth, np.int32)
    n_near = best_near(logits, slot_hashes, slot_keys, seen, n_seen, near.shape[0], near)
    n_near = offered(near, n_near, slot_hashes, to_item, hashes, allowed, depth, items[1])
    for place in range(n_near):
        scores[1, place] = math.exp(np.float64(logits[near[place]]) - np.float64(logits[near[0]]))
    counts[1] = n_near
    return known, factors, known_at, slots, slot_weights, slots_at
