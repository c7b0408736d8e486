"""Which items of a view have changed, and what they weigh now; compiled, and plain Python (`kernel.py_func`)."""

from models.compiled import lean
from models.cooccurrence import Array, norms
from models.hash_index import find


@lean(cache=True)
def mark_items(
    touched: Array, n_slots: int, slot_hashes: Array, to_item: Array, hashes: Array, marks: Array, others: Array
) -> int:
    """Mark the items whose slots were touched, and forget that these were.

    Slots that stand for no item that the view knows there go to `others`; returns how many.
    """
    n = 0
    for slot in range(n_slots):
        if touched[slot]:
            touched[slot] = False
            item = to_item[slot] if slot < to_item.shape[0] else -1
            if item >= 0 and hashes[item] == slot_hashes[slot]:
                marks[item] = True
            else:
                others[n] = slot
                n += 1
    return n


@lean(cache=True)
def take_marked(marks: Array, n_items: int, items: Array) -> int:
    """The marked items, in order, into `items`; returns how many, and none is marked then."""
    n = 0
    for item in range(n_items):
        if marks[item]:
            marks[item] = False
            items[n] = item
            n += 1
    return n


@lean(cache=True)
def add_weights(items: Array, slot_in: Array, slot_weights: Array, total: Array) -> None:
    """Add what a share gives some items to their `total`."""
    for place in range(items.shape[0]):
        slot = slot_in[items[place]]
        if slot >= 0:
            total[place] += slot_weights[slot]


@lean(cache=True)
def weigh(
    items: Array,
    total: Array,
    n_for: Array,
    n_against: Array,
    known_exponent: float,
    candidate_exponent: float,
    weight: Array,
    known_norm: Array,
    candidate_norm: Array,
    people: Array,
    unwanted: Array,
    moved: Array,
) -> int:
    """Set the weights and people of some items, and the norms of those whose weight has changed.

    An item with more people against it than for it is `unwanted`, and no candidate. Those that have become so, or are
    so no more, go to `moved`; returns how many.
    """
    n = 0
    for place in range(items.shape[0]):
        item = items[place]
        people[item] = n_for[place]
        is_unwanted = n_against[place] > n_for[place]
        if total[place] != weight[item] or is_unwanted != unwanted[item]:
            weight[item] = total[place]
            known_norm[item], candidate = norms(total[place], known_exponent, candidate_exponent)
            candidate_norm[item] = 0.0 if is_unwanted else candidate
        if is_unwanted != unwanted[item]:
            unwanted[item] = is_unwanted
            moved[n] = item
            n += 1
    return n


@lean(cache=True)
def link_items(
    first: int,
    n_items: int,
    hashes: Array,
    keys: Array,
    unwanted: Array,
    cells: Array,
    slots: Array,
    slot_in: Array,
    to_item: Array,
    slot_keys: Array,
    offered: Array,
) -> None:
    """Link items, from the number `first` on, to the slots that an index by hash (`cells`, `slots`) has for them.

    Sets an item's slot (-1: none), and a slot's item, key, and whether lists may name it.
    """
    for item in range(first, n_items):
        slot = slot_in[item] = find(cells, slots, hashes[item])
        if slot >= 0:
            to_item[slot], offered[slot] = item, not unwanted[item]
            slot_keys[slot, 0], slot_keys[slot, 1] = keys[item, 0], keys[item, 1]
