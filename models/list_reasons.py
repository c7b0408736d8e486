"""Which of a user's own items led to an item of the list; compiled, and plain Python (`kernel.py_func`)."""

from typing import Any

import numpy as np

from models.compiled import njit
from models.list_candidates import Array, two_greatest

N_REASONS = 2


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
def reasons_of(
    shares: Any,
    slot_in: Array,
    rows: Array,
    n_factors: int,
    decay: float,
    context: Any,
    items: Array,
    places: Array,
    place_of: Array,
    reasons: Array,
) -> None:
    """Two places in the user's recent items for each of some items into `reasons`, shape (n, 2), full of -1 before.

    Those that co-occurrence names if it proposed the item, else those of the factor model if that did.

    Parameters
    ----------
    slot_in
        The slot of each item in `rows`.
    context
        What `models.list_kernel.propose` returned.
    places
        Ranks in the two sources' proposals, shape (n, 2); -1: not proposed.
    place_of
        Scratch of `two_greatest`.
    """
    known, factors, known_at, slots, slot_weights, slots_at = context
    n = items.shape[0]
    gains, of_pairs = np.zeros((n, N_REASONS), np.float64), np.full((n, N_REASONS), -1, np.int32)
    two_greatest(shares, known, factors, items, place_of, gains, of_pairs)
    asked, asked_at, n_asked = np.empty(n, np.int32), np.empty(n, np.int32), 0
    for place in range(n):
        if places[place, 0] >= 0:
            for reason in range(N_REASONS):
                source = of_pairs[place, reason]
                reasons[place, reason] = known_at[source] if source >= 0 else -1
        elif places[place, 1] >= 0:
            asked[n_asked], asked_at[n_asked] = slot_in[items[place]], place
            n_asked += 1
    found = np.empty((n_asked, N_REASONS), np.int32)
    speak_for(rows, n_factors, slots, slot_weights, decay, asked, n_asked, found)
    for number in range(n_asked):
        for reason in range(N_REASONS):
            at = found[number, reason]
            reasons[asked_at[number], reason] = slots_at[at] if at >= 0 else -1
