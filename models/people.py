"""How many people are for an item and how many against it, and what follows from it; compiled, and plain Python.

Each counts once, by the last word. An item with more people against it than for it stands in no list.
"""

from models.compiled import lean
from models.cooccurrence import norms
from models.fold_arrays import ItemArrays
from models.popular import fall, rise
from models.words import AGAINST, FOR


@lean(cache=True, nogil=True)
def is_wanted(weight: float, n_for: int, n_against: int) -> bool:
    """Whether somebody has taken to an item, and no more people are against it than for it."""
    return bool((weight > 0.0 or n_for > 0) and n_against <= n_for)


@lean(cache=True, nogil=True)
def is_offered(items: ItemArrays, slot: int) -> bool:
    """Whether the item in a slot is wanted."""
    return bool(is_wanted(items.weight[slot], items.n_for[slot], items.n_against[slot]))


@lean(cache=True, nogil=True)
def renorm(items: ItemArrays, slot: int, known_exponent: float, candidate_exponent: float) -> None:
    """Set an item's norms by its summed weight, and whether it is offered; if it is not, it is no candidate."""
    known, candidate = norms(items.weight[slot], known_exponent, candidate_exponent)
    items.known_norm[slot] = known
    items.offered[slot] = is_offered(items, slot)
    items.candidate_norm[slot] = candidate if items.offered[slot] else 0.0


@lean(cache=True, nogil=True)
def change_people(
    items: ItemArrays, slot: int, before: int, now: int, known_exponent: float, candidate_exponent: float
) -> None:
    """Count that somebody's word on an item is another one; a count that an eviction has reset stays at 0."""
    if before == now:
        return
    n_for, n_against = items.n_for, items.n_against
    was_wanted = n_against[slot] <= n_for[slot]
    if now == FOR:
        n_for[slot] += 1
        rise(items.top, items.top_place, items.n_top, n_for, items.keys, slot)
    elif before == FOR and n_for[slot] > 0:
        n_for[slot] -= 1
        fall(items.top, items.top_place, items.n_top, n_for, items.keys, slot, items.n_range[0])
    if now == AGAINST:
        n_against[slot] += 1
    elif before == AGAINST and n_against[slot] > 0:
        n_against[slot] -= 1
    items.offered[slot] = is_offered(items, slot)
    if (n_against[slot] <= n_for[slot]) != was_wanted:
        renorm(items, slot, known_exponent, candidate_exponent)
