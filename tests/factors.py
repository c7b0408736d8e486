"""History factors outside the fold: one event taught by the kernels that the fold calls, and scores in plain numpy."""

import numpy as np
import numpy.typing as npt

from models import history_kernels as kernels
from models.history_factors import HistoryFactors

Slots = npt.NDArray[np.int32]
Weights = npt.NDArray[np.float64]


def learn_one(
    model: HistoryFactors,
    slot: int,
    history_slots: Slots,
    history_weights: Weights,
    weight: float,
    counter: int,
    seen: npt.NDArray[np.uint64],
) -> Slots:
    """Learn that an item came next after a history, oldest first; returns the slots whose rows changed.

    `counter`, the number of events before, keys the drawn items; none of the `seen` hashes is drawn. A history without
    positive weights teaches nothing.
    """
    settings = model.settings
    history_slots, history_weights = history_slots[-settings.n_history :], history_weights[-settings.n_history :]
    user, gradient = np.zeros(settings.n_factors, np.float32), np.zeros(settings.n_factors, np.float32)
    shares = np.zeros(len(history_slots), np.float32)
    if not kernels.represent(
        model.rows, model.live, history_slots, history_weights, settings.n_factors, settings.decay, user, shares
    ):
        return np.zeros(0, np.int32)
    n_most = settings.n_negatives + 1
    draws, odds = kernels.room_for_draws(settings.n_negatives), np.zeros(n_most, np.float32)
    changed = np.zeros(n_most + len(history_slots), np.int32)
    key, n_range = np.uint64(kernels.history_key(settings.seed_key, counter)), int(model.n_range[0])
    n_candidates = kernels.draw(key, settings.n_negatives, n_range, model.live, model.hashes, seen, slot, draws)
    n_changed = kernels.learn(
        model.rows,
        settings.n_factors,
        history_slots,
        shares,
        user,
        draws.candidates,
        n_candidates,
        key,
        min(weight, settings.max_weight),
        settings.learning_rate,
        settings.round_to,
        odds,
        gradient,
        changed,
    )
    model.stale[changed[:n_changed]] = True
    return changed[:n_changed]


def scores(
    model: HistoryFactors, history_slots: Slots, history_weights: Weights, n_slots: int
) -> npt.NDArray[np.float32]:
    """Scores of the first `n_slots` slots for a history, oldest first: float32, summed in the kernels' order.

    -inf for a slot without an item, and everywhere if nothing of the history is known, or there are no rows.
    """
    settings = model.settings
    out = np.full(n_slots, -np.inf, np.float32)
    if not model.n_factors:
        return out
    recent = list(zip(history_slots.tolist(), history_weights.tolist(), strict=True))[-settings.n_history :]
    shares, factor = [], 1.0
    for slot, weight in reversed(recent):
        if 0 <= slot < len(model.live) and model.live[slot] and weight > 0.0:
            shares.append((slot, factor * weight))
        factor *= settings.decay
    total = sum(share for _, share in shares)
    if not 0.0 < total < np.inf:
        return out
    n_factors, n = settings.n_factors, min(n_slots, len(model.rows))
    user, rows = np.zeros(n_factors, np.float32), model.rows[:n]
    for slot, share in shares:
        user += np.float32(share / total) * model.rows[slot, :n_factors]
    summed = rows[:, n_factors].copy()
    for place in range(n_factors):
        summed += user[place] * rows[:, place]
    out[:n][model.live[:n]] = summed[model.live[:n]]
    return out
