"""The fold's own lists: what they are made of, and where they must agree with the item view."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cooccurrence import CooccurrenceSettings
from models.history_factors import HistoryFactorsSettings
from tables.fold_lists import CO_OCCURRENCE, FOLD_SOURCES, FoldLists
from tables.fold_settings import FoldSettings
from tables.list_settings import LOG_SHARES, RANKS, ListSettings
from tables.partition import PartitionState
from tables.user_state import UserState
from tests.brute_evaluation import brute_lists
from tests.lists import NOTHING, by_pairs, view_of
from tests.logs import log_of, made_log, record
from tests.saved import everything, folded
from tests.strategies import numbers
from tests.users import add_recent, set_recent

SETTINGS = FoldSettings(
    cooccurrence=CooccurrenceSettings(n_history=6, n_keep=10), history=HistoryFactorsSettings(n_factors=8)
)
NUMBERS = numbers(80, 80)


def readers(state: PartitionState) -> list[UserState]:
    """Everybody, everybody with items between theirs that are gone, and somebody who has just come."""
    users = [user for user in map(state.users.get, state.users) if user]
    with_gaps = [UserState.decode(user.encode()) for user in users]
    for user in with_gaps:
        set_recent(user, [each for entry in user.recent for each in (entry, ("gone", 1.0), ("gone, too", 1.0))])
    return [*users, *with_gaps, UserState()]


def ids(
    state: PartitionState, user: UserState, depth: int = 20, lists: FoldLists | None = None
) -> dict[str, list[str]]:
    """Every source's items."""
    found = (lists or state.evaluator.lists).sources(user, depth)
    return {name: [state.items.ids[slot] or "" for slot in slots.tolist()] for name, slots in found.items()}


@settings(max_examples=60)
@given(
    numbers=NUMBERS,
    max_items=st.sampled_from((9, 25, 400)),
    depth=st.sampled_from((1, 5, 50)),
    blend=st.sampled_from((RANKS, LOG_SHARES)),
    weights=st.sampled_from(((0.8, 0.8, 0.1), (0.4, 0.6, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.5))),
)
def test_lists_against_plain_sorting(
    numbers: list[int], max_items: int, depth: int, blend: str, weights: tuple[float, ...]
) -> None:
    """Every source of every user, item by item; slots used again, and histories whose items are gone, included."""
    lists = ListSettings(blend, dict(zip(FOLD_SOURCES, weights, strict=True)), depth)
    state = folded(log_of(numbers, n_users=8, n_items=35), replace(SETTINGS, max_items=max_items))
    own = FoldLists(state.items, lists)
    for user in readers(state):
        assert ids(state, user, 20, own) == brute_lists(state.items, user, lists)


@settings(max_examples=60)
@given(numbers=NUMBERS, max_items=st.sampled_from((9, 25, 400)))
def test_one_partition_ranks_as_the_item_view(numbers: list[int], max_items: int) -> None:
    """Co-occurrence: the same items in the same order, although the view adds and selects in another way."""
    state = folded(log_of(numbers, n_users=8, n_items=35), replace(SETTINGS, max_items=max_items))
    view = view_of(state)
    for user in readers(state):
        if any(item_id in state.items.slots for item_id, _ in user.recent):
            published = [item.item_id for item in by_pairs(view, user, 20, NOTHING) if item.score > 0]
            assert ids(state, user)[CO_OCCURRENCE] == published


def test_an_item_without_weight_is_no_candidate() -> None:
    """Forgotten, shown again and then paired: it has events and a pair but no weight, so it scores 0 for everybody."""
    log = [record(0, "u1", "a"), record(1, "u2", "b"), record(2, "u3", "c"), record(3, "u9", "a", "impression")]
    state, reader = folded([*log, record(4, "u1", "c")], FoldSettings(max_items=2)), UserState()
    add_recent(reader, "c", 1.0, 6)

    assert float(state.items.weight[state.items.slots["a"]]) == 0.0
    assert ids(state, reader)[CO_OCCURRENCE] == []
    assert by_pairs(view_of(state), reader, 9, NOTHING) == []


def test_more_is_asked_for_than_there_is() -> None:
    """All there is, each once; of an empty state nothing."""
    state = folded(made_log(6, 300, n_users=5, n_items=30))
    for user in readers(state):
        found = ids(state, user, 500)
        seen = set(user.seen[: user.n_seen].tolist())
        left = {
            item_id
            for item_id, slot in state.items.slots.items()
            if int(state.items.hashes[slot]) not in seen and state.items.offered[slot]
        }
        popular = {item_id for item_id in left if state.items.n_for[state.items.slots[item_id]]}
        assert len(found["popularity"]) == len(popular) and set(found["popularity"]) == popular
        assert len(found["list"]) == len(set(found["list"])) and popular <= set(found["list"]) <= left
    empty = PartitionState(0, 1, FoldSettings())
    assert ids(empty, UserState()) == {name: [] for name in ("list", "co_occurrence", "history", "popularity")}


def test_reading_lists_changes_nothing() -> None:
    """Asked for at any time, at any depth; a fresh reader of the same share says the same."""
    state, undisturbed = folded([]), folded(made_log(7, 300))
    for each in made_log(7, 300):
        state.fold(*each)
        for user in readers(state)[:3]:
            state.evaluator.lists.sources(user, 7)
    assert everything(state) == everything(undisturbed)
    for user in readers(state):
        fresh = FoldLists(state.items).sources(user)
        assert {name: slots.tolist() for name, slots in fresh.items()} == {
            name: slots.tolist() for name, slots in state.evaluator.lists.sources(user).items()
        }


@pytest.mark.parametrize("n_items", [63, 64, 65, 300])
def test_growth_of_the_share(n_items: int) -> None:
    """Items beyond the first arrays are listed, and ones that come between two lists."""
    state = PartitionState(0, 1, FoldSettings())
    user, lists = UserState(), FoldLists(state.items, ListSettings(LOG_SHARES, depth=400))
    for number in range(n_items):
        state.fold(*record(number, f"u{number % 9}", f"i{number:03}"))
        state.evaluator.lists.sources(user)

    assert ids(state, user, 400, lists)["popularity"] == [f"i{number:03}" for number in range(n_items)]
