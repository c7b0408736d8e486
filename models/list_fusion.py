"""A published list made of its candidates: fused, ordered, explained; compiled, and plain Python (`kernel.py_func`)."""

import numpy as np

from models.compiled import njit
from models.list_candidates import Array, best_near, offered
from models.ranking import goes_before

BY_PAIRS, BY_FACTORS = 0, 1
N_REASONS = 2


@njit(cache=True)
def fuse_places(
    paired: Array,
    n_paired: int,
    near: Array,
    n_near: int,
    weights: Array,
    depth: int,
    items: Array,
    scores: Array,
    places: Array,
) -> int:
    """Fuse two ranked lists as `models.fusion.fuse` does, unordered; returns how many items there are.

    `places` receives each item's ranks in the two lists (-1: not in it), shape (2 `depth`, 2).
    """
    n = 0
    if weights[BY_PAIRS] > 0.0:
        for rank in range(n_paired):
            items[n], scores[n] = paired[rank], weights[BY_PAIRS] * ((depth - rank) / depth)
            places[n, BY_PAIRS], places[n, BY_FACTORS] = rank, -1
            n += 1
    if not weights[BY_FACTORS] > 0.0:
        return n
    n_first = n
    for rank in range(n_near):
        amount = weights[BY_FACTORS] * ((depth - rank) / depth)
        at = 0
        while at < n_paired and paired[at] != near[rank]:
            at += 1
        if at < n_first:
            scores[at] += amount
            places[at, BY_FACTORS] = rank
        else:
            items[n], scores[n] = near[rank], amount
            places[n, BY_PAIRS], places[n, BY_FACTORS] = at if at < n_paired else -1, rank
            n += 1
    return n


@njit(cache=True)
def in_order(items: Array, scores: Array, n: int, keys: Array, order: Array) -> None:
    """Put 0 to n - 1 into `order`, by (-score, key of the item)."""
    for position in range(n):
        at = position
        while at > 0 and goes_before(
            scores[position], items[position], scores[order[at - 1]], items[order[at - 1]], keys
        ):
            order[at] = order[at - 1]
            at -= 1
        order[at] = position


@njit(cache=True)
def speak_for(
    rows: Array, n_factors: int, history: Array, weights: Array, decay: float, slots: Array, n: int, reasons: Array
) -> None:
    """The two places of the history that give each of `slots[:n]` most, into `reasons`, shape (n, 2); -1 for none.

        gain(place, slot) = rows[history[place]] . rows[slot] * weights[place] * decay^(steps back),   only if above 0

    The history runs from the oldest to the newest; the earlier of two equal gains comes first.
    """
    n_history = history.shape[0]
    columns = np.empty((n_factors, n_history), np.float32)
    for place in range(n_history):
        for factor in range(n_factors):
            columns[factor, place] = rows[history[place], factor]
    steps = np.empty(n_history, np.float64)
    for place in range(n_history):
        steps[place] = decay ** np.float64(n_history - 1 - place)
    products = np.empty(n_history, np.float32)
    for number in range(n):
        row = rows[slots[number]]
        products[:] = 0.0
        for factor in range(n_factors):
            value, column = row[factor], columns[factor]
            for place in range(n_history):
                products[place] += value * column[place]
        best, second = 0.0, 0.0
        reasons[number, 0] = reasons[number, 1] = -1
        for place in range(n_history):
            gain = np.float64(products[place]) * weights[place] * steps[place]
            if gain > best:
                second, reasons[number, 1] = best, reasons[number, 0]
                best, reasons[number, 0] = gain, place
            elif gain > second:
                second, reasons[number, 1] = gain, place


@njit(cache=True)
def fuse_candidates(
    paired: Array,
    n_paired: int,
    logits: Array,
    hashes: Array,
    slot_keys: Array,
    seen: Array,
    n_seen: int,
    to_item: Array,
    item_hashes: Array,
    item_keys: Array,
    allowed: Array,
    weights: Array,
    depth: int,
    near_slots: Array,
    items: Array,
    scores: Array,
    places: Array,
    order: Array,
) -> int:
    """Fuse `paired` with the best of a share by `logits`, and order what comes of it; how many items there are.

    `near_slots` is scratch for `2 * depth` slots, twice as many as needed because some may be forbidden, and is left
    with those that `places` names.
    """
    near = np.empty(depth, np.int32)
    n_near = best_near(logits, hashes, slot_keys, seen, n_seen, near_slots.shape[0], near_slots)
    n_near = offered(near_slots, n_near, hashes, to_item, item_hashes, allowed, depth, near)
    n = fuse_places(paired, n_paired, near, n_near, weights, depth, items, scores, places)
    in_order(items, scores, n, item_keys, order)
    return n


@njit(cache=True)
def explain(
    places: Array,
    chosen: Array,
    weights: Array,
    depth: int,
    pair_reasons: Array,
    pair_at: Array,
    rows: Array,
    n_factors: int,
    history: Array,
    history_weights: Array,
    near_at: Array,
    decay: float,
    near_slots: Array,
    sources: Array,
    reasons: Array,
) -> None:
    """Say for each chosen item which source gave it most, the first of equals, and which of the user's items led to it.

    `pair_at` and `near_at` say where in the user's recent items the positions of `pair_reasons` (of `two_greatest`) and
    `history` lie, and `reasons`, shape (n, 2), receives such places, -1 for none: those of the pairs if they name the
    item at all.
    """
    slots = np.empty(chosen.shape[0], np.int32)
    asked = np.empty(chosen.shape[0], np.int32)
    n = 0
    for place in range(chosen.shape[0]):
        by_pairs, by_factors = places[chosen[place], BY_PAIRS], places[chosen[place], BY_FACTORS]
        gave_pairs = weights[BY_PAIRS] * ((depth - by_pairs) if by_pairs >= 0 else 0)
        gave_factors = weights[BY_FACTORS] * ((depth - by_factors) if by_factors >= 0 else 0)
        sources[place] = BY_PAIRS if gave_pairs >= gave_factors else BY_FACTORS
        if by_pairs < 0:
            slots[n], asked[n] = near_slots[by_factors], place
            n += 1
            continue
        for reason in range(N_REASONS):
            source = pair_reasons[place, reason]
            reasons[place, reason] = pair_at[source] if source >= 0 else -1
    found = np.empty((n, N_REASONS), np.int32)
    speak_for(rows, n_factors, history, history_weights, decay, slots, n, found)
    for number in range(n):
        for reason in range(N_REASONS):
            at = found[number, reason]
            reasons[asked[number], reason] = near_at[at] if at >= 0 else -1
