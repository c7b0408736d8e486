"""Blends: one ranked list from the proposals of several sources; compiled, and plain Python (`kernel.py_func`).

    ranks        score(i) = sum over sources s that propose i of  w_s * (depth - rank_s(i)) / depth
    log_shares   score(i) = sum over sources s of  w_s * log share_s(i),   share_s(i) = score_s(i) / sum of s's scores
    scores       score(i) = sum over sources s that propose i of  w_s * score_s(i) / greatest of s's scores

Ranks need nothing of the scores, and lose where a source's list is short or full of ties: its last place counts nearly
as much as its first. Shares keep how sure a source is. What it did not propose has `MISSING` of its least share. Scores
keep it too, within 0 and 1; but a source whose first stands far above the rest hardly counts for those.
"""

import math
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from models.compiled import lean, njit
from models.list_candidates import Array
from models.proposals import Proposals, Ranked
from models.ranking import goes_before, insert

MISSING: Final = 0.5
LEAST: Final = 1e-300  # share that has a log
BY_RANKS, BY_SHARES, BY_SCORES = 0, 1, 2


@lean(cache=True)
def gather(items: Array, counts: Array, weights: Array, place_of: Array, found: Array, places: Array) -> int:
    """The items that sources with a weight propose, in their order, and each one's ranks; returns how many.

    `place_of`, by item, is full of -1, and afterwards says where an item stands in `found`. `places`, shape (n items,
    n_sources), receives ranks, -1 where a source did not propose the item.
    """
    n = 0
    for source in range(items.shape[0]):
        if not weights[source] > 0.0:
            continue
        for rank in range(counts[source]):
            item = items[source, rank]
            if place_of[item] < 0:
                place_of[item], found[n] = n, item
                for other in range(places.shape[1]):
                    places[n, other] = -1
                n += 1
    for source in range(items.shape[0]):
        for rank in range(counts[source]):
            at = place_of[items[source, rank]]
            if at >= 0:
                places[at, source] = rank
    return n


@lean(cache=True)
def weigh_ranks(
    counts: Array, amounts: Array, places: Array, n: int, weights: Array, scores: Array, most: Array
) -> None:
    """Score the first `n` items by their ranks, and name the source that gave each most, the first of equals."""
    depth = amounts.shape[1]
    for at in range(n):
        scores[at], most[at], greatest = 0.0, -1, -1.0
        for source in range(places.shape[1]):
            rank = places[at, source]
            if rank < 0:
                continue
            amount = weights[source] * ((depth - rank) / depth)
            scores[at] += amount
            if amount > greatest:
                greatest, most[at] = amount, source


@lean(cache=True)
def log_shares(counts: Array, amounts: Array, places: Array, n: int, logs: Array, floors: Array) -> None:
    """Logs of what each source gives the first `n` items of what it gives in all, into `logs`, shape (n, n_sources).

    `floors` receives, by source, what an item has that was not proposed. A source that proposes nothing, or whose
    amounts have no finite sum, says nothing: all 0.
    """
    for source in range(places.shape[1]):
        n_proposed = counts[source]
        total = amounts[source, :n_proposed].sum()
        if not 0.0 < total < np.inf:
            logs[:n, source] = floors[source] = 0.0
            continue
        floors[source] = math.log(max(amounts[source, n_proposed - 1] / total, LEAST) * MISSING)
        for at in range(n):
            rank = places[at, source]
            logs[at, source] = floors[source] if rank < 0 else math.log(max(amounts[source, rank] / total, LEAST))


@njit(cache=True)
def weigh_shares(
    counts: Array, amounts: Array, places: Array, n: int, weights: Array, scores: Array, most: Array
) -> None:
    """`weigh_ranks` by log shares; a source gives what lies above its floor."""
    logs, floors = np.empty((n, places.shape[1]), np.float64), np.empty(places.shape[1], np.float64)
    log_shares(counts, amounts, places, n, logs, floors)
    for at in range(n):
        scores[at], most[at], greatest = 0.0, -1, -1.0
        for source in range(places.shape[1]):
            scores[at] += weights[source] * logs[at, source]
            amount = weights[source] * (logs[at, source] - floors[source])
            if places[at, source] >= 0 and amount > greatest:
                greatest, most[at] = amount, source


@lean(cache=True)
def weigh_scores(
    counts: Array, amounts: Array, places: Array, n: int, weights: Array, scores: Array, most: Array
) -> None:
    """`weigh_ranks` by scores as parts of their source's greatest; -inf for what gets nothing from anybody.

    A source whose greatest is no positive finite number says nothing.
    """
    for at in range(n):
        scores[at], most[at], greatest = 0.0, -1, -1.0
        for source in range(places.shape[1]):
            rank = places[at, source]
            if rank < 0 or not 0.0 < amounts[source, 0] < np.inf:
                continue
            part = amounts[source, rank] / amounts[source, 0]
            amount = weights[source] * (part if part > LEAST else LEAST)
            scores[at] += amount
            if amount > greatest:
                greatest, most[at] = amount, source
        if not scores[at] > 0.0:
            scores[at] = -np.inf


@lean(cache=True)
def keep_best(found: Array, scores: Array, n: int, keys: Array, k: int, out: Array, values: Array) -> int:
    """The `k` best of some items by (-score, key), into `out`, finite scores alone; returns how many."""
    kept = 0
    for at in range(n):
        if abs(scores[at]) < np.inf:
            kept = insert(found[at], scores[at], kept, keys, k, out, values)
    return kept


@lean(cache=True)
def finish(
    found: Array,
    scores: Array,
    most: Array,
    places: Array,
    n: int,
    keys: Array,
    place_of: Array,
    k: int,
    out: Array,
    values: Array,
    sources: Array,
    ranks: Array,
) -> int:
    """Order the `k` best with their sources and ranks, and leave `place_of` full of -1 again; returns how many."""
    kept = keep_best(found, scores, n, keys, k, out, values)
    for place in range(kept):
        at = place_of[out[place]]
        sources[place] = most[at]
        for source in range(places.shape[1]):
            ranks[place, source] = places[at, source]
    for at in range(n):
        place_of[found[at]] = -1
    return kept


@lean(cache=True)
def settle(place: int, keys: Array, out: Array, values: Array, sources: Array, ranks: Array) -> None:
    """Move an item of a list before those of equal value and greater key: rounding may have made them equal."""
    while place > 0 and goes_before(values[place], out[place], values[place - 1], out[place - 1], keys):
        other = place - 1
        out[place], out[other] = out[other], out[place]
        values[place], values[other] = values[other], values[place]
        sources[place], sources[other] = sources[other], sources[place]
        for source in range(ranks.shape[1]):
            ranks[place, source], ranks[other, source] = ranks[other, source], ranks[place, source]
        place = other


@njit(cache=True)
def blend(
    by: int,
    items: Array,
    amounts: Array,
    counts: Array,
    weights: Array,
    keys: Array,
    place_of: Array,
    k: int,
    out: Array,
    values: Array,
    sources: Array,
    ranks: Array,
) -> int:
    """The `k` best items `BY_RANKS`, `BY_SHARES` or `BY_SCORES`; by shares, `values` receives a softmax over all."""
    size = items.shape[0] * items.shape[1]
    found, places = np.empty(size, np.int32), np.empty((size, items.shape[0]), np.int32)
    scores, most = np.empty(size, np.float64), np.empty(size, np.int32)
    n = gather(items, counts, weights, place_of, found, places)
    if by == BY_SHARES:
        weigh_shares(counts, amounts, places, n, weights, scores, most)
    elif by == BY_SCORES:
        weigh_scores(counts, amounts, places, n, weights, scores, most)
    else:
        weigh_ranks(counts, amounts, places, n, weights, scores, most)
    kept = finish(found, scores, most, places, n, keys, place_of, k, out, values, sources, ranks)
    if by == BY_SHARES and kept > 0:
        best, total = values[0], 0.0
        for at in range(n):
            if abs(scores[at]) < np.inf:
                total += math.exp(scores[at] - best)
        for place in range(kept):
            values[place] = math.exp(values[place] - best) / total
            settle(place, keys, out, values, sources, ranks)
    return kept


class Blend(Protocol):
    """Makes one list of what sources propose."""

    def rank(
        self,
        proposals: Proposals,
        weights: npt.NDArray[np.float64],
        keys: npt.NDArray[np.uint64],
        place_of: npt.NDArray[np.int32],
        k: int,
    ) -> Ranked:
        """The `k` best items of all proposals, those of a source without weight left out; positive scores that fall.

        `weights` has shape (n_sources,). `keys`, by item number, order equal scores. `place_of`, by item number, is
        scratch: full of -1, and left so.
        """


class CompiledBlend:
    """A blend by one of the formulas above."""

    def __init__(self, by: int) -> None:
        self._by = by

    def rank(
        self,
        proposals: Proposals,
        weights: npt.NDArray[np.float64],
        keys: npt.NDArray[np.uint64],
        place_of: npt.NDArray[np.int32],
        k: int,
    ) -> Ranked:
        """As of `Blend`."""
        n_sources = len(weights)
        items, scores, sources = np.empty(k, np.int32), np.empty(k, np.float64), np.empty(k, np.int32)
        places = np.empty((k, n_sources), np.int32)
        n = blend(self._by, *proposals, weights, keys, place_of, k, items, scores, sources, places)
        return Ranked(n, items[:n], scores[:n], sources[:n], places[:n])


BLENDS: Final[dict[str, Blend]] = {
    "ranks": CompiledBlend(BY_RANKS),
    "log_shares": CompiledBlend(BY_SHARES),
    "scores": CompiledBlend(BY_SCORES),
    "learned": CompiledBlend(BY_SHARES),  # by the weights of `models.blend_weights`
}
