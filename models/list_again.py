"""Items that a user has had and may be offered again; compiled, and plain Python (`kernel.py_func`)."""

from typing import Any

import numpy as np

from models.compiled import njit
from models.hash_index import find
from models.list_candidates import Array
from models.words import FOR, events_of, kind_of, stance_of, time_of

STEP = 0.8  # of an item's share to the next one's, in the order of the last times


@njit(cache=True)
def had_before(seen: Array, words: Array, kinds: Array, share: Any, view: Any) -> tuple[Array, Array, Array]:
    """Numbers of the items that a user is for and whose kind may return, how often they were had, and when last.

    Parameters
    ----------
    seen, words
        Hashes of the items, and the user's words on them (`models.words`).
    kinds
        By kind: whether it is offered again, bool.
    share
        Hash index (cells, slots), and the numbers of slots' items (-1: none), of the user's own share.
    view
        Hashes of items by number, and whether they may be offered.
    """
    cells, slots, to_item = share
    hashes, allowed = view
    items, n_events = np.empty(seen.shape[0], np.int32), np.empty(seen.shape[0], np.float64)
    times, n = np.empty(seen.shape[0], np.int64), 0
    for place in range(seen.shape[0]):
        word = words[place]
        if stance_of(word) != FOR or not kinds[kind_of(word)]:
            continue
        slot = find(cells, slots, seen[place])
        item = to_item[slot] if 0 <= slot < to_item.shape[0] else -1
        if item >= 0 and hashes[item] == seen[place] and allowed[item]:
            items[n], n_events[n], times[n] = item, events_of(word), time_of(word)
            n += 1
    return items[:n], n_events[:n], times[:n]


@njit(cache=True)
def propose_again(
    items: Array, n_events: Array, times: Array, keys: Array, proposed: Array, scores: Array, counts: Array
) -> None:
    """Propose by the last times (first row) and by how often (second row), as many as the rows are long.

    The last one of all comes first, each step back is worth `STEP` of the one before; or the most often had, by its
    number of events, and of those the last.
    """
    n, depth = items.shape[0], proposed.shape[1]
    by_time, by_number = np.arange(n), np.arange(n)
    for at in range(1, n):  # insertion: few items, and the later ones are nearly in order
        this = at
        place = at
        while place > 0 and _later(this, by_time[place - 1], items, times, keys):
            by_time[place] = by_time[place - 1]
            place -= 1
        by_time[place] = this
    for at in range(n):
        by_number[at] = by_time[at]
    for at in range(1, n):
        this = by_number[at]
        place = at
        while place > 0 and n_events[this] > n_events[by_number[place - 1]]:
            by_number[place] = by_number[place - 1]
            place -= 1
        by_number[place] = this
    counts[0] = counts[1] = min(n, depth)
    share = 1.0
    for place in range(counts[0]):
        proposed[0, place], scores[0, place] = items[by_time[place]], share
        proposed[1, place], scores[1, place] = items[by_number[place]], n_events[by_number[place]]
        share *= STEP


@njit(cache=True)
def _later(one: int, other: int, items: Array, times: Array, keys: Array) -> bool:
    """Whether an item was had later than another, by id if at the same time."""
    if times[one] != times[other]:
        return bool(times[one] > times[other])
    for part in range(keys.shape[1]):
        if keys[items[one], part] != keys[items[other], part]:
            return bool(keys[items[one], part] < keys[items[other], part])
    return False
