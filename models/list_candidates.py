"""Candidates of a published list, by pairs and by factors; compiled, and plain Python (`kernel.py_func`).

Items have numbers here, and keys (rows of uint64) to order equals by. What a kernel has to know of a share's pairs is a
tuple, `show_share` makes it; those of all shares are a typed list, so that one compiled version serves any number.

They run for microseconds and keep the interpreter's lock: a thread that takes it in between may hold it for 5 ms.
"""

from typing import Any

import numpy as np
from numba.typed import List

from models.compiled import lean, njit
from models.ranking import SOME, at_least, insert, least_of_best, place_all

Array = Any  # numpy arrays; numba's signatures say the dtypes

MIN_CELLS = 64
BOUND_HALVINGS = 40
NEARLY = 16  # a sixteenth fewer are nearly as many


@njit(cache=True)
def show_share(
    shares: Any,
    place: int,
    neighbours: Array,
    weights: Array,
    start: Array,
    length: Array,
    slot_in: Array,
    to_item: Array,
) -> None:
    """Put a share's pool of pairs, and how items and its slots translate (-1: none), at a place of the list, or last.

    `slot_in` maps an item's number to its slot, `to_item` a slot to its item.
    """
    share = (neighbours, weights, start, length, slot_in, to_item)
    if place < len(shares):
        shares[place] = share
    else:
        shares.append(share)


@njit(cache=True)
def first_share(neighbours: Array, weights: Array, start: Array, length: Array, slot_in: Array, to_item: Array) -> Any:
    """A list of one share, as `show_share` shows it."""
    shares = List()
    shares.append((neighbours, weights, start, length, slot_in, to_item))
    return shares


@lean(cache=True)
def remember_all(values: Array, n: int, table: Array) -> None:
    """Make `table` (scratch: a power of two above 2 `n` cells, uint64) the set of the first `n` hashes."""
    mask = np.uint64(table.shape[0] - 1)
    table[:] = 0
    for position in range(n):
        cell = np.int64(values[position] & mask)
        while table[cell] != 0 and table[cell] != values[position]:
            cell = np.int64(np.uint64(cell + 1) & mask)
        table[cell] = values[position]


@njit(cache=True)
def set_of(values: Array) -> Array:
    """The set of some hashes, for `holds`."""
    cells = MIN_CELLS
    while cells < 4 * values.shape[0]:
        cells *= 2
    table = np.empty(cells, np.uint64)
    remember_all(values, values.shape[0], table)
    return table


@lean(cache=True)
def holds(table: Array, value: np.uint64) -> bool:
    """Whether a hash is in the set."""
    mask = np.uint64(table.shape[0] - 1)
    cell = np.int64(value & mask)
    while table[cell] != 0 and table[cell] != value:
        cell = np.int64(np.uint64(cell + 1) & mask)
    return bool(table[cell] != 0)


@njit(cache=True)
def row_of(neighbours: Array, weights: Array, start: Array, length: Array, row: int) -> Any:
    """The other slots of a row of a share's pairs, and what each is to the row's."""
    first, end = start[row], start[row] + length[row]
    return neighbours[first:end], weights[first:end]


@njit(cache=True)
def sum_rows(shares: Any, known: Array, factors: Array, scores: Array, touched: Array) -> int:
    """Add the rows of the `known` items times their factors to the `scores` of items: share by share, in that order.

    `scores`, full of 0 before, has a last one that is nobody's: what belongs to no item is left out. `touched`, as long
    as `scores`, receives the items whose score is not 0 any more; returns how many.
    """
    nobody, n = np.uint32(scores.shape[0] - 1), 0
    for place in range(len(shares)):
        neighbours, weights, start, length, slot_in, to_item = shares[place]
        n_mapped = np.uint32(to_item.shape[0])
        for source in range(known.shape[0]):
            row, factor = slot_in[known[source]], factors[source]
            if row < 0:
                continue
            others, amounts = row_of(neighbours, weights, start, length, row)
            for position in range(others.shape[0]):
                slot = np.uint32(others[position])
                item = np.uint32(to_item[slot]) if slot < n_mapped else nobody  # a slot newer than the mapping
                if item < nobody:
                    amount = factor * amounts[position]
                    touched[n] = item
                    n += scores[item] == 0.0 and amount != 0.0
                    scores[item] += amount
    return n


@njit(cache=True)
def touched_by(shares: Any, known: Array, factors: Array, scores: Array) -> Array:
    """`sum_rows`, and the items whose score is not 0 any more; `clear` takes it back."""
    touched = np.empty(scores.shape[0], np.int32)
    return touched[: sum_rows(shares, known, factors, scores, touched)]


@lean(cache=True)
def clear(scores: Array, touched: Array) -> None:
    """Leave the scores of what was touched at 0."""
    for place in range(touched.shape[0]):
        scores[touched[place]] = 0.0


@njit(cache=True)
def add_rows(shares: Any, known: Array, factors: Array, scores: Array) -> None:
    """`sum_rows` without a word on what was touched: for few items, where passing over all of them costs less."""
    nobody = np.uint32(scores.shape[0] - 1)
    for place in range(len(shares)):
        neighbours, weights, start, length, slot_in, to_item = shares[place]
        n_mapped = np.uint32(to_item.shape[0])
        for source in range(known.shape[0]):
            row, factor = slot_in[known[source]], factors[source]
            if row < 0:
                continue
            others, amounts = row_of(neighbours, weights, start, length, row)
            for position in range(others.shape[0]):
                slot = np.uint32(others[position])
                item = np.uint32(to_item[slot]) if slot < n_mapped else nobody
                if item < nobody:
                    scores[item] += factor * amounts[position]


@lean(cache=True)
def reaching(values: Array, least: float, found: Array) -> int:
    """The places of the values that are at least `least`, into `found`; returns how many.

    Without a branch: where the best stand cannot be foretold. The others are written over, the last of them behind the
    places: `found` is as long as the values, or one longer than the places can be many.
    """
    n = 0
    for place in range(values.shape[0]):
        found[n] = place
        n += values[place] >= least
    return n


@njit(cache=True)
def most_of(values: Array, k: int, chosen: Array) -> int:
    """The places of about the `k` greatest of finite values, at most `k`, in their order; returns how many.

    `chosen` is one longer. A bound that at most `k` values reach, and nearly as many do, is found by halving; where
    many are equal, the first of them make up the number.
    """
    n_values = values.shape[0]
    low, high, enough = -np.inf, np.inf, k - k // NEARLY
    if n_values > k:
        low, high = values.min(), values.max()
        n_high = at_least(values, high)
        for _ in range(BOUND_HALVINGS):
            if not n_high < enough:
                break
            middle = low + 0.5 * (high - low)
            n_middle = at_least(values, middle)
            if n_middle > k:
                low = middle
            else:
                high, n_high = middle, n_middle
        if n_high > k:  # equal ones
            low, high = high, np.inf
        elif n_high >= enough:
            low = high
    n = reaching(values, high, chosen)
    for place in range(n_values if low < high else 0):
        if n < k and low <= values[place] < high:
            chosen[n] = place
            n += 1
    return n


@njit(cache=True)
def two_greatest(
    shares: Any, known: Array, factors: Array, items: Array, place_of: Array, gains: Array, sources: Array
) -> None:
    """Note which two of the `known` items give each of `items` most, over the rows that `sum_rows` adds.

    `gains` and `sources`, of shape (n, 2) and full of 0 and -1, receive what they give and their positions, the greater
    first. `place_of` is scratch: -1 for every slot of any share, and left so.
    """
    n_known = np.uint32(place_of.shape[0])
    for number in range(len(shares)):
        neighbours, weights, start, length, slot_in, _ = shares[number]
        for place in range(items.shape[0]):
            if slot_in[items[place]] >= 0:
                place_of[slot_in[items[place]]] = place
        for source in range(known.shape[0]):
            row, factor = slot_in[known[source]], factors[source]
            if row < 0:
                continue
            others, amounts = row_of(neighbours, weights, start, length, row)
            for position in range(others.shape[0]):
                slot = np.uint32(others[position])
                place = place_of[slot] if slot < n_known else -1
                if place < 0:
                    continue
                amount = factor * amounts[position]
                if sources[place, 0] == source:
                    gains[place, 0] += amount
                elif amount > gains[place, 0]:
                    gains[place, 1], sources[place, 1] = gains[place, 0], sources[place, 0]
                    gains[place, 0], sources[place, 0] = amount, source
                elif sources[place, 1] == source:
                    gains[place, 1] += amount
                elif amount > gains[place, 1]:
                    gains[place, 1], sources[place, 1] = amount, source
        for place in range(items.shape[0]):
            if slot_in[items[place]] >= 0:
                place_of[slot_in[items[place]]] = -1


@njit(cache=True)
def in_order(items: Array, amounts: Array, keys: Array, k: int, out: Array, values: Array) -> int:
    """The `k` of some items with the greatest amounts, by (-amount, key, number), into `out`; returns how many."""
    if items.shape[0] <= SOME:
        return int(place_all(items, amounts, keys, k, out, values))
    n, least = 0, least_of_best(amounts, k)
    for place in range(items.shape[0]):
        amount = amounts[place]
        if amount >= least and (n < k or amount >= values[k - 1]):
            n = insert(items[place], amount, n, keys, k, out, values)
    return n


@njit(cache=True)
def best_pairs(
    amounts: Array,
    among: Array,
    allowed: Array,
    hashes: Array,
    keys: Array,
    seen: Array,
    n_left_out: int,
    k: int,
    out: Array,
    values: Array,
) -> int:
    """The `k` of the items `among` with the greatest positive finite `amounts`, by (-amount, key), into `out`.

    Those `seen` (a set of `remember_all`) and forbidden are left out, `n_left_out` at most. Returns how many.
    """
    found, n = np.empty(among.shape[0], np.int32), 0
    n_found = reaching(amounts, least_of_best(amounts, k + n_left_out), found)
    theirs = np.empty(n_found, np.float64)
    for at in range(n_found):
        value, item = amounts[found[at]], among[found[at]]
        found[n], theirs[n] = item, value
        n += (value > 0.0) & (value < np.inf) & allowed[item] & (not holds(seen, hashes[item]))
    return int(in_order(found[:n], theirs[:n], keys, k, out, values))


@njit(cache=True)
def best_near(
    scores: Array, slots: Array, hashes: Array, keys: Array, seen: Array, n_seen: int, k: int, out: Array, values: Array
) -> int:
    """The `k` of some slots with the greatest `scores`, by (-score, key, slot), into `out`; returns how many.

    Slots without a score (-inf) and the `n_seen` of the set `seen` are left out; 0 if any other score is no number, or
    infinite: a model that has diverged has no list.
    """
    strange = 0
    for place in range(scores.shape[0]):
        strange += not scores[place] < np.inf
    if strange > 0:
        for place in range(scores.shape[0]):
            if not scores[place] < np.inf and not holds(seen, hashes[slots[place]]):
                return 0
    found, n = np.empty(scores.shape[0], np.int32), 0
    n_found = reaching(scores, least_of_best(scores, k + n_seen) if strange == 0 else -np.inf, found)
    theirs = np.empty(n_found, np.float32)
    for at in range(n_found):
        score, slot = scores[found[at]], slots[found[at]]
        found[n], theirs[n] = slot, score
        n += (-np.inf < score) & (score < np.inf) & (not holds(seen, hashes[slot]))
    return int(in_order(found[:n], theirs[:n], keys, k, out, values))


@lean(cache=True)
def offered(
    slots: Array,
    n: int,
    hashes: Array,
    to_item: Array,
    item_hashes: Array,
    allowed: Array,
    k: int,
    out: Array,
    values: Array,
) -> int:
    """Number the first `k` of `slots[:n]` that may be offered, into `out`, and move their values to the front.

    Slots that the mapping does not know, or knows as another item, are left out. Returns how many.
    """
    kept = 0
    for place in range(n):
        slot = slots[place]
        item = to_item[slot] if slot < to_item.shape[0] else -1
        if kept < k and item >= 0 and allowed[item] and item_hashes[item] == hashes[slot]:
            out[kept] = item
            values[kept] = values[place]
            kept += 1
    return kept


@lean(cache=True)
def unseen(
    ranked: Array, amounts: Array, hashes: Array, allowed: Array, seen: Array, items: Array, scores: Array
) -> int:
    """Take the first of some ranked items that may be offered and are not seen, and their amounts; returns how many."""
    n = 0
    for place in range(ranked.shape[0]):
        if n == items.shape[0]:
            break
        item = ranked[place]
        if allowed[item] and not holds(seen, hashes[item]):
            items[n], scores[n] = item, amounts[place]
            n += 1
    return n
