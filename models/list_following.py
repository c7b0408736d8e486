"""What directed pairs propose to a user, in one compiled call, and plain Python (`kernel.py_func`)."""

from typing import Any

import numpy as np

from models.compiled import njit
from models.list_candidates import Array, best_pairs, clear, touched_by, two_greatest
from models.list_kernel import amounts_of, known_pairs


@njit(cache=True)
def propose_following(
    shares: Any,
    view: Any,
    sums: Array,
    recent: Array,
    recent_weights: Array,
    n_back: int,
    decay: float,
    seen: Array,
    n_left_out: int,
    items: Array,
    scores: Array,
    counts: Array,
) -> Any:
    """Propose what follows the last item (first row), and the last `n_back` items (second row).

        score_1(j) = pair(last -> j)
        score_2(j) = n_j^-c * sum over history i, `step` back:  weight_i * decay^step * n_i^-a * pair(i -> j)

    with the norms of co-occurrence (`models.cooccurrence`).

    Parameters
    ----------
    shares
        Of `models.list_candidates.show_share`, over directed pairs.
    view, sums, recent, recent_weights, seen
        As of `models.list_kernel.propose`.
    n_left_out
        How many may be seen or forbidden.
    items, scores, counts
        Two rows of `models.proposals.Proposals`.

    Returns
    -------
    tuple
        Items of the history with numbers, newest first, what their rows count, and their places: for `name_reasons`.
    """
    hashes, keys, known_norm, candidate_norm, allowed = view
    known, factors, places = known_pairs(recent, recent_weights, known_norm, decay)
    there = factors > 0.0  # a view may still number an item that is gone
    known, factors, places = known[there][:n_back], factors[there][:n_back], places[there][:n_back]
    depth, ones = items.shape[1], np.ones(1, np.float64)
    for row in range(2):
        if row == 0:
            touched = touched_by(shares, known[:1], ones, sums)
            amounts = sums[touched]
        else:
            touched = touched_by(shares, known, factors, sums)
            amounts = amounts_of(sums, touched, candidate_norm)
        counts[row] = best_pairs(
            amounts, touched, allowed, hashes, keys, seen, n_left_out, depth, items[row], scores[row]
        )
        clear(sums, touched)
    return known, factors, places


@njit(cache=True)
def name_reasons(shares: Any, context: Any, items: Array, places: Array, place_of: Array, reasons: Array) -> None:
    """Two places in the user's recent items for each of some items that have none yet, into `reasons`.

    `context` is what `propose_following` returned, `places` the ranks in its two rows, `place_of` scratch of
    `two_greatest`.
    """
    known, factors, known_at = context
    n = items.shape[0]
    gains, found = np.zeros((n, 2), np.float64), np.full((n, 2), -1, np.int32)
    two_greatest(shares, known, factors, items, place_of, gains, found)
    for place in range(n):
        if reasons[place, 0] < 0 and (places[place, 0] >= 0 or places[place, 1] >= 0):
            for reason in range(2):
                source = found[place, reason]
                reasons[place, reason] = known_at[source] if source >= 0 else -1
