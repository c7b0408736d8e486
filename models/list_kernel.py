"""What the two learned models propose to a user, in one compiled call, and plain Python (`kernel.py_func`)."""

import math
from typing import Any, NamedTuple

import numpy as np

from models import history_kernels
from models.compiled import njit
from models.list_candidates import Array, add_rows, best_near, best_pairs, clear, most_of, offered, touched_by

POPULAR_PART = 5  # of the items that factors are scored for, at most a fifth more are there for being popular
FEW = 4096  # items: sums of all are passed over, not of those touched alone
WHOLE = 4  # times as many items as are looked at one by one are scored all, in the same time


class ListNumbers(NamedTuple):
    """Settings of the two models: how they age a history, sizes of the second, for how many items it is asked.

    `n_hidden` is the number of items that are not to be offered.
    """

    pairs_decay: float
    history_decay: float
    n_history: int
    n_factors: int
    look: int
    n_hidden: int


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
def represent_user(share: Any, slots: Array, weights: Array, numbers: ListNumbers, user: Array) -> int:
    """The factor model's vector for a history into `user`; 0 if it knows nothing of it."""
    _, _, rows, _, live, _, _ = share
    shares, last = np.empty(numbers.n_history, np.float32), max(0, slots.shape[0] - numbers.n_history)
    n_factors, decay = numbers.n_factors, numbers.history_decay
    return int(history_kernels.represent(rows, live, slots[last:], weights[last:], n_factors, decay, user, shares))


@njit(cache=True)
def near_of_all(share: Any, n_slots: int, user: Array, seen: Array, n_seen: int, near: Array, values: Array) -> int:
    """The slots of a share that the factor model scores highest, and their scores; returns how many."""
    hashes, keys, rows, blocks, _, stale, offered = share
    n_factors, n = user.shape[0], min(n_slots, rows.shape[0])
    logits = np.empty(n, np.float32)
    history_kernels.refresh(rows, blocks, n_factors, stale, n)
    history_kernels.score(blocks, offered, n, n_factors, user, logits)
    return int(best_near(logits, np.arange(n), hashes, keys, seen, n_seen, near.shape[0], near, values))


@njit(cache=True)
def near_of_some(
    share: Any, n_slots: int, some: Array, user: Array, seen: Array, n_seen: int, near: Array, values: Array
) -> int:
    """`near_of_all`, of some slots alone (-1: none), no matter how many there are in the share."""
    hashes, keys, rows, _, _, _, offered = share
    n_factors, n, kept = user.shape[0], min(n_slots, rows.shape[0]), np.empty(some.shape[0], np.int32)
    logits, n_kept = np.empty(some.shape[0], np.float32), 0
    for place in range(some.shape[0]):
        slot = some[place]
        if 0 <= slot < n and offered[slot]:
            row = rows[slot]
            kept[n_kept], logits[n_kept] = slot, history_kernels.dot(user, row, n_factors) + row[n_factors]
            n_kept += 1
    return int(best_near(logits[:n_kept], kept, hashes, keys, seen, n_seen, near.shape[0], near, values))


@njit(cache=True)
def slots_to_look_at(amounts: Array, touched: Array, sums: Array, popular: Array, slot_in: Array, look: int) -> Array:
    """Slots of about the `look` touched items of a share with the greatest amounts, and of popular ones without a sum.

    Items that the share does not know have no factors there, and take nobody's place; a popular one of them is -1.
    """
    popular = popular[: look // POPULAR_PART]
    known, theirs, n_known = np.empty(touched.shape[0], np.int32), np.empty(touched.shape[0], np.float64), 0
    for place in range(touched.shape[0]):
        slot = slot_in[touched[place]]
        known[n_known], theirs[n_known] = slot, amounts[place]
        n_known += slot >= 0
    chosen = np.empty(look + 1, np.int32)
    n = most_of(theirs[:n_known], look, chosen)
    slots = np.empty(n + popular.shape[0], np.int32)
    for place in range(n):
        slots[place] = known[chosen[place]]
    for place in range(popular.shape[0]):
        if sums[popular[place]] == 0.0:
            slots[n] = slot_in[popular[place]]
            n += 1
    return slots[:n]


@njit(cache=True)
def amounts_of(sums: Array, touched: Array, norms: Array) -> Array:
    """The normed sum of each touched item; 0 for one that is no number or infinite."""
    amounts = np.empty(touched.shape[0], np.float64)
    for place in range(touched.shape[0]):
        amount = sums[touched[place]] * norms[touched[place]]
        amounts[place] = amount if abs(amount) < np.inf else 0.0
    return amounts


@njit(cache=True)
def all_amounts(sums: Array, norms: Array) -> Array:
    """`amounts_of` all items; the last of the sums is nobody's."""
    amounts = np.empty(sums.shape[0] - 1, np.float64)
    for item in range(amounts.shape[0]):
        amount = sums[item] * norms[item]
        amounts[item] = amount if abs(amount) < np.inf else 0.0
    return amounts


@njit(cache=True)
def propose(
    shares: Any,
    own: Any,
    view: Any,
    sums: Array,
    share: Any,
    n_slots: int,
    recent: Array,
    recent_weights: Array,
    seen: Array,
    n_seen: int,
    numbers: ListNumbers,
    popular: Array,
    items: Array,
    scores: Array,
    counts: Array,
) -> Any:
    """Propose by co-occurrence (first row) and by history factors (second row), as many as the rows are long.

    Pairs are summed over the items that they touch. Factors are scored for all items of the share if it has at most
    `WHOLE * numbers.look`, else for `numbers.look` of those that pairs name most, and for popular ones: what a list
    costs does not grow with the catalogue.

    Parameters
    ----------
    shares
        Of `models.list_candidates.show_share`.
    own
        How items translate to slots of `share`, and these to items (-1: none).
    view
        Hashes, keys, norms as known item and as candidate, and whether it may be offered, of each item by number.
    sums
        Scratch, by item number and one more: full of 0, and left so.
    share, n_slots
        Hashes, keys, the factor model's rows, blocks, live and stale marks, and whether lists may name it, by slot;
        and how many there are.
    recent, recent_weights
        Numbers (-1: none) and weights of the user's last items, oldest first.
    seen, n_seen
        The set (`models.list_candidates.set_of`) of the hashes that are not to be offered, and how many there are.
    popular
        Numbers of items that factors are scored for in any case.
    items, scores, counts
        Rows of `models.proposals.Proposals`: normed sums of pairs, and odds against the best.

    Returns
    -------
    tuple
        What `models.list_reasons.reasons_of` has to know: items of the history with numbers (newest first), what their
        pairs count, their places; and those with factors (oldest first): slots, weights, places.
    """
    hashes, keys, known_norm, candidate_norm, allowed = view
    slot_hashes = share[0]
    slot_in, to_item = own
    depth = items.shape[1]

    known, factors, known_at = known_pairs(recent, recent_weights, known_norm, numbers.pairs_decay)
    n_items = sums.shape[0] - 1
    are_few = n_items <= FEW and n_slots <= WHOLE * numbers.look
    if are_few:
        add_rows(shares, known, factors, sums)
        touched = np.empty(n_items, np.int32)
        for item in range(n_items):
            touched[item] = item
        amounts = all_amounts(sums, candidate_norm)
    else:
        touched = touched_by(shares, known, factors, sums)
        amounts = amounts_of(sums, touched, candidate_norm)
    left_out = n_seen + numbers.n_hidden
    counts[0] = best_pairs(amounts, touched, allowed, hashes, keys, seen, left_out, depth, items[0], scores[0])

    slots, slot_weights, slots_at = known_slots(recent, recent_weights, hashes, slot_in, slot_hashes, n_slots)
    user, n_near = np.empty(numbers.n_factors, np.float32), 0
    size = depth + min(depth, numbers.n_hidden)
    near, values = np.empty(size, np.int32), np.empty(size, np.float32)
    if represent_user(share, slots, slot_weights, numbers, user) > 0:
        if n_slots <= WHOLE * numbers.look:
            n_near = near_of_all(share, n_slots, user, seen, n_seen, near, values)
        else:
            some = slots_to_look_at(amounts, touched, sums, popular, slot_in, numbers.look)
            n_near = near_of_some(share, n_slots, some, user, seen, n_seen, near, values)
    if are_few:
        sums[:] = 0.0
    else:
        clear(sums, touched)
    kept = offered(near, n_near, slot_hashes, to_item, hashes, allowed, depth, items[1], values)
    for place in range(kept):
        scores[1, place] = math.exp(np.float64(values[place]) - np.float64(values[0]))
    counts[1] = kept
    return known, factors, known_at, slots, slot_weights, slots_at
