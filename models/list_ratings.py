"""What the rating model proposes to a user, in one compiled call, and plain Python (`kernel.py_func`)."""

import math
from typing import Any

from models.compiled import njit
from models.list_candidates import Array, clear, holds, touched_by
from models.list_kernel import amounts_of, known_pairs, slots_to_look_at
from models.ranking import insert

LEAST_LOG = -60.0  # of an item's odds against the best: what a row of the greatest weights may predict has no bound


@njit(cache=True)
def propose_rated(
    shares: Any,
    own: int,
    view: Any,
    sums: Array,
    share: Any,
    n_slots: int,
    user: Array,
    recent: Array,
    recent_weights: Array,
    seen: Array,
    decay: float,
    look: int,
    popular: Array,
    items: Array,
    scores: Array,
) -> int:
    """The items with the highest predicted rating, and the softmax of these over what is proposed; returns how many.

    Ratings are predicted for at most `look` items that pairs with the user's last ones name most, and for popular ones
    (a fifth of `look`), as far as they have been rated. The mean and the user's bias say nothing of the order.

    Parameters
    ----------
    shares, own, view, sums, recent, recent_weights, seen, popular
        As of `models.list_kernel.propose`.
    share, n_slots
        Hashes, rows of the rating model and whether there is one, by slot of the user's own share.
    user
        The user's row.
    items, scores
        One row of `models.proposals.Proposals`.
    """
    hashes, keys, known_norm, candidate_norm, allowed = view
    slot_hashes, rows, has_row = share
    slot_in, to_item, depth = shares[own][4], shares[own][5], items.shape[0]
    known, factors, _ = known_pairs(recent, recent_weights, known_norm, decay)
    touched = touched_by(shares, known, factors, sums)
    some = slots_to_look_at(amounts_of(sums, touched, candidate_norm), touched, sums, popular, slot_in, look)
    clear(sums, touched)

    n, n_known = 0, min(n_slots, rows.shape[0], to_item.shape[0])
    for place in range(some.shape[0]):
        slot = some[place]
        if not 0 <= slot < n_known or not has_row[slot]:
            continue
        item = to_item[slot]
        if item < 0 or not allowed[item] or hashes[item] != slot_hashes[slot] or holds(seen, hashes[item]):
            continue
        value = rows[slot, 0]
        for factor in range(1, user.shape[0]):
            value += user[factor] * rows[slot, factor]
        n = insert(item, value, n, keys, depth, items, scores)
    best, total = scores[0] if n > 0 else 0.0, 0.0
    for place in range(n):
        scores[place] = math.exp(max(scores[place] - best, LEAST_LOG))
        total += scores[place]
    for place in range(n):
        scores[place] /= total
    return n
