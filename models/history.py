"""A user's history: the last items taken to, each once, in the order of event times; compiled, and plain Python."""

from typing import Any, Final

import numpy as np

from models.compiled import lean, njit
from models.fold_arrays import UserArrays

HALF_MS: Final = 30 * 86_400_000
"""So long before the newest of a history an item counts half."""


@njit(cache=True, nogil=True)
def aged(weights: Any, times: Any) -> Any:
    """What the items of a history, oldest first, count now: weight / (1 + age / 30 days), aged by the newest's time.

    A hyperbola: forgetting is nearly a power of time (Wixted and Ebbesen 1991, doi:10.1111/j.1467-9280.1991.tb00175.x).
    It is the same bits on every machine, as an exponential would not be.
    """
    counted = np.empty(weights.shape[0], np.float64)
    for place in range(weights.shape[0]):
        age_ms = np.float64(times[weights.shape[0] - 1] - times[place])
        counted[place] = weights[place] / (1.0 + age_ms / HALF_MS)
    return counted


@lean(cache=True, nogil=True)
def take_out(users: UserArrays, user: int, item_hash: np.uint64) -> float:
    """Take an item out of a user's history, if it is there; returns the weight that it had, 0 if it was not."""
    recent, weights, times = users.recent[user], users.recent_weights[user], users.recent_ms[user]
    kept, weight = 0, 0.0
    for place in range(users.n_recent[user]):
        if recent[place] != item_hash:
            recent[kept], weights[kept], times[kept] = recent[place], weights[place], times[place]
            kept += 1
        else:
            weight = weights[place]
    users.n_recent[user] = kept
    return float(weight)


@lean(cache=True, nogil=True)
def put_in_order(
    users: UserArrays, user: int, item_hash: np.uint64, weight: float, time_ms: int, max_recent: int
) -> bool:
    """Enter an item into a user's history behind those of its time; False if it is older than all of a full one."""
    take_out(users, user, item_hash)
    recent, weights, times = users.recent[user], users.recent_weights[user], users.recent_ms[user]
    n = users.n_recent[user]
    place = n
    while place > 0 and times[place - 1] > time_ms:
        place -= 1
    excess = n + 1 - max_recent
    if place < excess:
        return False
    if excess > 0:  # the oldest go
        for at in range(excess, place):
            recent[at - excess], weights[at - excess], times[at - excess] = recent[at], weights[at], times[at]
        for at in range(place, n):
            recent[at - excess + 1], weights[at - excess + 1] = recent[at], weights[at]
            times[at - excess + 1] = times[at]
        place, n = place - excess, n - excess
    else:
        for at in range(n - 1, place - 1, -1):
            recent[at + 1], weights[at + 1], times[at + 1] = recent[at], weights[at], times[at]
    recent[place], weights[place], times[place] = item_hash, weight, time_ms
    users.n_recent[user] = n + 1
    return True
