"""The item view follows its shares: evictions, slots used again, values that a follower reads in stages."""

import numpy as np
import pytest

from tables.fold_settings import FoldSettings
from tables.items import ItemShares
from tables.partition import PartitionState
from tables.view import ItemView
from tests.lists import BOUNDS, NOTHING, PAIRS, brute_force, by_pairs, filler_of, users_of, view_of
from tests.logs import made_log, record
from tests.plain import plain_kernels
from tests.saved import folded


def test_evicted_items_vanish_and_their_slots_are_used_again() -> None:
    """After a sync no list names an item that is gone, and its successor has only its own pairs."""
    bounds = FoldSettings(cooccurrence=PAIRS, max_items=16)
    state, view = PartitionState(0, 1, bounds), ItemView(PAIRS)
    state.fold(*record(0, "u0", "first"))
    view.set_share(0, state.items)
    for offset, each in enumerate(made_log(31, 3_000, n_users=9, n_items=90), start=1):
        state.fold(offset, *each[1:])
        if offset % 7:
            continue
        view.sync()
        share = state.items
        loved = {each for each, slot in share.slots.items() if share.n_for[slot] and share.offered[slot]}
        for user in users_of([state])[:3]:
            totals = {item_id: sum(gave.values()) for item_id, gave in brute_force([state], user).items()}
            found = {item.item_id: item.score for item in by_pairs(view, user, 99, NOTHING) if item.score}
            assert found == pytest.approx({item_id: total for item_id, total in totals.items() if total}, rel=1e-12)
        assert {view.ids[item] for item, _, _ in view.popularity(99).items} == loved
    assert state.metrics.counts["items_evicted"] > 100


@pytest.mark.parametrize("every", [1, 60])
def test_a_synced_view_equals_a_new_one(every: int) -> None:
    """A view that followed the changes makes the lists that a view made now would make, bit for bit."""
    bounds = FoldSettings(cooccurrence=PAIRS, max_items=100)
    followed, state = ItemView(PAIRS), PartitionState(0, 1, bounds)
    state.fold(*record(0, "u1", "i1"))
    followed.set_share(0, state.items)
    for each in made_log(41, 4_000, n_users=40, n_items=20_000)[1:]:
        state.fold(*each)
        if each.offset % every == 0:
            followed.sync()
    followed.sync()
    new = view_of(state)
    as_of_ms = state.clock.now_ms
    for user in users_of([state]):
        assert by_pairs(followed, user, 30, filler_of(followed, as_of_ms, 60)) == by_pairs(
            new, user, 30, filler_of(new, as_of_ms, 60)
        )
    assert len(followed.ids) <= 2 * len(state.items) + 1024, "numbers of items that are gone are given back"


def test_an_item_that_came_back_into_another_slot() -> None:
    """Evicted from slot 1, back in slot 0 before the next sync: its weight and its pairs are found there."""
    state = folded([record(0, "u1", "a"), record(1, "u1", "b")], FoldSettings(cooccurrence=PAIRS, max_items=2))
    view = view_of(state)
    for offset, (user_id, item_id) in enumerate([("u2", "c"), ("u2", "d"), ("u3", "b"), ("u3", "d")], start=2):
        state.fold(*record(offset, user_id, item_id))
    assert state.items.slots == {"d": 1, "b": 0}
    view.sync()

    assert {item_id: view.n_events(view.index[item_id]) for item_id in "abd"} == {"a": 0, "b": 1, "d": 2}
    assert view.weight[[view.index["b"], view.index["d"]]].tolist() == [1.0, 2.0]
    assert [item_id for item_id, _ in view.similar("b", 9)] == ["d"]


@pytest.mark.parametrize("max_items", [2, 4, 8])
def test_no_list_names_an_item_twice(max_items: int) -> None:
    """Also where an item of the history was evicted and came back by an impression: with pairs, but without weight."""
    state = PartitionState(0, 1, FoldSettings(cooccurrence=PAIRS, max_items=max_items))
    for each in made_log(71, 1_500, n_users=9, n_items=20):
        state.fold(*each)
        for user in users_of([state]) if each.offset % 10 == 0 else []:
            ids = [item.item_id for item in by_pairs(view_of(state), user, 99, NOTHING)]
            assert len(ids) == len(set(ids))


@pytest.mark.parametrize("n_items", [10, 200])
@pytest.mark.parametrize("seed", range(4))
def test_a_share_filled_in_stages_never_crashes(n_items: int, seed: int) -> None:
    """A follower reads values one by one, in any order: rows may name slots it has not read yet.

    Checked on the plain kernels, which refuse an index out of bounds; at the end the view is complete.
    """
    state = folded([record(offset, f"u{offset % 7}", f"i{offset % n_items}") for offset in range(500)], BOUNDS)
    values = [(item_id, state.items.encode(slot)) for item_id, slot in state.items.slots.items()]
    np.random.default_rng(seed).shuffle(values)
    follower, view = ItemShares(PAIRS), ItemView(PAIRS)
    follower.apply(*values[0])
    view.set_share(0, follower)
    readers = users_of([state])
    with plain_kernels():
        for item_id, value in values[1:]:
            follower.apply(item_id, value)
            view.sync()
            for user in readers:
                by_pairs(view, user, 20, NOTHING)
            view.similar(item_id, 20)
    complete = view_of(state)

    assert [by_pairs(view, user, 20, NOTHING) for user in readers] == [
        by_pairs(complete, user, 20, NOTHING) for user in readers
    ]


def test_a_follower_sees_evictions_and_slot_reuse() -> None:
    """Cut by cut, a follower's view makes the same lists as the owner's."""
    bounds = FoldSettings(cooccurrence=PAIRS, max_items=24)
    state, follower, view = PartitionState(0, 1, bounds), ItemShares(PAIRS), ItemView(PAIRS)
    log = made_log(81, 2_000, n_users=9, n_items=90)
    for start in range(0, len(log), 40):
        for each in log[start : start + 40]:
            state.fold(*each)
        for key, value in state.cut(-1).items:
            follower.apply(key.decode(), value)
        if start == 0:
            view.set_share(0, follower)
        view.sync()
        own = view_of(state)
        for user in users_of([state]):
            assert by_pairs(view, user, 20, NOTHING) == by_pairs(own, user, 20, NOTHING)
    assert state.metrics.counts["items_evicted"] > 100
