"""All lists of one user over one share, in one compiled call: the fold makes them before it learns an event.

They are made as published lists are, by the same kernels, from the partition's own share alone: a slot is the item's
number here.
"""

from typing import Any, NamedTuple

import numpy as np

from models.blend import BY_RANKS, BY_SHARES, blend
from models.compiled import lean, njit
from models.fold_arrays import ItemArrays
from models.hash_index import find
from models.list_candidates import holds
from models.list_kernel import ListNumbers, propose

Array = Any  # numpy arrays

LIST_ROW, PAIRS_ROW, HISTORY_ROW, POPULAR_ROW = 0, 1, 2, 3
N_SOURCES = 3


class ListScratch(NamedTuple):
    """Arrays that ranking writes over, by slot or by place, and what lists are made by."""

    same: Array  # int32: each slot's own number
    sums: Array  # float64, one more than slots, full of 0
    place_of: Array  # int32 by slot, full of -1
    weights: Array  # float64 (3,): of co-occurrence, history factors, popularity
    items: Array  # int32 (3, depth): proposals
    scores: Array  # float64 (3, depth)
    n_proposed: Array  # int64 (3,)
    out: Array  # int32 (4, k)
    values: Array  # float64 (k,)
    sources: Array  # int32 (k,)
    ranks: Array  # int32 (k, 3)
    counts: Array  # int64 (4,)


def scratch_for(n_slots: int, weights: Array, depth: int, k: int) -> ListScratch:
    """Arrays of these sizes."""
    return ListScratch(
        np.arange(n_slots, dtype=np.int32),
        np.zeros(n_slots + 1, np.float64),
        np.full(n_slots, -1, np.int32),
        weights,
        np.zeros((N_SOURCES, depth), np.int32),
        np.zeros((N_SOURCES, depth), np.float64),
        np.zeros(N_SOURCES, np.int64),
        np.zeros((N_SOURCES + 1, k), np.int32),
        np.zeros(k, np.float64),
        np.zeros(k, np.int32),
        np.zeros((k, N_SOURCES), np.int32),
        np.zeros(N_SOURCES + 1, np.int64),
    )


@lean(cache=True, nogil=True)
def known_slot(cells: Array, slots: Array, live: Array, item_hash: np.uint64) -> int:
    """The slot of the item with a hash; -1 if there is none, or it has had no event yet."""
    slot = find(cells, slots, item_hash)
    return int(slot) if slot >= 0 and live[slot] else -1


@lean(cache=True, nogil=True)
def popular(items: ItemArrays, seen: Array, out: Array, amounts: Array) -> int:
    """The first of the most popular slots that may be offered and are not `seen`, and how many people are for them."""
    n = 0
    for place in range(items.n_top[0]):
        slot = items.top[place]
        if n == out.shape[0]:
            break
        if items.offered[slot] and not holds(seen, items.hashes[slot]):
            out[n], amounts[n] = slot, items.n_for[slot]
            n += 1
    return n


@lean(cache=True, nogil=True)
def fill(n: int, behind: Array, n_behind: int, k: int, out: Array) -> int:
    """Put slots that are not in `out[:n]` yet behind them, up to `k`; returns the new length."""
    n_first = n
    for place in range(n_behind):
        if n == k:
            break
        known = False
        for at in range(n_first):
            known = known or out[at] == behind[place]
        if not known:
            out[n] = behind[place]
            n += 1
    return n


@njit(cache=True, nogil=True)
def rank_sources(
    items: ItemArrays,
    recent: Array,
    weights: Array,
    seen: Array,
    n_seen: int,
    scratch: ListScratch,
    numbers: ListNumbers,
    by_shares: bool,
) -> None:
    """Rank a share's slots for a user by every source and blended.

    `recent` (hashes) and `weights` are the user's history, oldest first; `seen` the set (`models.list_candidates`) of
    the `n_seen` hashes that stand in no list. Writes up to k slots per row of `scratch.out`: the blended list,
    co-occurrence, history factors, popularity; and how many to `scratch.counts`. Without history all are popularity.
    """
    out, counts, n_proposed, k = scratch.out, scratch.counts, scratch.n_proposed, scratch.out.shape[1]
    row, row_scores = scratch.items[N_SOURCES - 1], scratch.scores[N_SOURCES - 1]
    n_proposed[N_SOURCES - 1] = popular(items, seen, row, row_scores)
    numbered, n_known = np.empty(recent.shape[0], np.int32), 0
    for place in range(recent.shape[0]):
        numbered[place] = known_slot(items.cells, items.slots, items.live, recent[place])
        n_known += numbered[place] >= 0
    n_popular = min(k, n_proposed[N_SOURCES - 1])
    for place in range(n_popular):
        out[POPULAR_ROW, place] = row[place]
    counts[POPULAR_ROW] = n_popular
    if n_known == 0:
        for source in range(POPULAR_ROW):
            counts[source] = n_popular
            out[source, :n_popular] = out[POPULAR_ROW, :n_popular]
        return
    pairs, same = items.pairs, scratch.same
    propose(
        ((pairs.keys, pairs.values, pairs.start, pairs.length, same, same),),
        (same, same),
        (items.hashes, items.keys, items.known_norm, items.candidate_norm, items.offered),
        scratch.sums,
        (items.hashes, items.keys, items.rows, items.blocks, items.live, items.stale, items.offered),
        items.n_range[0],
        numbered,
        weights,
        seen,
        n_seen,
        numbers,
        items.top[: items.n_top[0]],
        scratch.items[: N_SOURCES - 1],
        scratch.scores[: N_SOURCES - 1],
        n_proposed[: N_SOURCES - 1],
    )
    for source in range(N_SOURCES - 1):
        counts[source + 1] = min(k, n_proposed[source])
        for place in range(counts[source + 1]):
            out[source + 1, place] = scratch.items[source, place]
    n = blend(
        BY_SHARES if by_shares else BY_RANKS,
        scratch.items,
        scratch.scores,
        n_proposed,
        scratch.weights,
        items.keys,
        scratch.place_of,
        k,
        out[LIST_ROW],
        scratch.values,
        scratch.sources,
        scratch.ranks,
    )
    counts[LIST_ROW] = fill(n, out[POPULAR_ROW], n_popular, k, out[LIST_ROW])
