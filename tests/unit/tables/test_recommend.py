"""Published lists: the same as made step by step, and with one partition the fold's own."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cooccurrence import CooccurrenceSettings
from models.history_factors import HistoryFactorsSettings
from models.source_names import CO_OCCURRENCE, HISTORY, POPULARITY
from tables.fold_lists import FOLD_LISTS
from tables.fold_settings import FoldSettings
from tables.list_settings import ListSettings
from tables.partition import PartitionState
from tables.recommend import Recommender
from tables.user_state import UserState
from tables.view import ItemView
from tests.lists import NOTHING, filler_of, partitions, recommend, taught_view_of, view_of
from tests.logs import log_of, made_log, record
from tests.plain import plain_kernels
from tests.rank_fusion import RankFusion
from tests.saved import folded
from tests.slow_lists import SlowLists
from tests.strategies import numbers
from tests.users import set_recent

SETTINGS = FoldSettings(
    cooccurrence=CooccurrenceSettings(n_history=6, n_keep=10), history=HistoryFactorsSettings(n_factors=8)
)
NUMBERS = numbers(80, 80)
PREFIX = "an id that is longer than its key "


def readers(state: PartitionState) -> list[UserState]:
    """Everybody, everybody with items between theirs that are gone, and somebody who has just come."""
    users = [user for user in map(state.users.get, state.users) if user]
    with_gaps = [UserState.decode(user.encode()) for user in users]
    for user in with_gaps:
        set_recent(user, [each for entry in user.recent for each in (entry, ("gone", 1.0), ("gone, too", 1.0))])
    return [*users, *with_gaps, UserState()]


def own_list(state: PartitionState, user: UserState, depth: int, source: str) -> list[str]:
    """The fold's list of one source."""
    return [state.items.ids[slot] or "" for slot in state.evaluator.lists.sources(user, depth)[source].tolist()]


def assert_same(view: ItemView, states: list[PartitionState], fusion: RankFusion, k: int) -> None:
    """Every list of every partition, item by item: scores bit for bit, sources, reasons."""
    filler = view.popularity(40)
    for state in states:
        slow = SlowLists(view, view.shares[state.number], fusion)
        for user in readers(state):
            expected = slow.recommend(user, k, filler)
            assert recommend(view, state.number, fusion, user, k, filler) == expected


@settings(max_examples=60)
@given(
    numbers=NUMBERS,
    n=st.sampled_from((1, 2)),
    max_items=st.sampled_from((9, 400)),
    depth=st.sampled_from((1, 5, 30)),
    k=st.sampled_from((1, 10, 70)),
    weights=st.sampled_from(((0.4, 0.6), (0.5, 0.5), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0))),
    n_forbidden=st.sampled_from((0, 12)),
)
def test_lists_against_the_slow_way(
    numbers: list[int],
    n: int,
    max_items: int,
    depth: int,
    k: int,
    weights: tuple[float, float],
    n_forbidden: int,
) -> None:
    """Over one partition and several, with items evicted and forbidden, whatever the sources weigh."""
    fusion = RankFusion(depth, *weights)
    states = partitions(log_of(numbers, n_users=8, n_items=60), n, replace(SETTINGS, max_items=max_items))
    view = taught_view_of(*states)
    view.forbid(view.ids[:n_forbidden])
    assert_same(view, states, fusion, k)


@settings(max_examples=30)
@given(numbers=NUMBERS, k=st.sampled_from((3, 30)))
def test_ids_that_begin_alike(numbers: list[int], k: int) -> None:
    """Equal scores go by the first 16 bytes of the id, and by its hash where those are equal: never by the worker."""
    log = [
        record(each.offset, (each.key or b"").decode(), f"{PREFIX}{number % 40:02}")
        for each, number in zip(log_of(numbers, n_users=6), numbers, strict=True)
    ]
    states = partitions(log, 1, SETTINGS)
    assert_same(view_of(*states), states, RankFusion(), k)


def test_default_settings_at_length() -> None:
    """Full histories, 64 factors, several partitions: as the slow way, and the plain kernels as the compiled ones."""
    states = partitions(made_log(9, 3_000, n_users=30, n_items=400), 3, FoldSettings())
    view = taught_view_of(*states)
    fusion = RankFusion()
    assert_same(view, states, fusion, 30)
    users = [(state.number, user) for state in states for user in readers(state)[::9]]
    compiled = [recommend(view, number, fusion, user, 30, NOTHING) for number, user in users]
    with plain_kernels():
        assert [recommend(view, number, fusion, user, 30, NOTHING) for number, user in users] == compiled


def test_a_view_that_lags_behind_its_share() -> None:
    """Nothing is offered that the view has never heard of, and nothing twice, though slots have changed hands since."""
    state = folded(made_log(10, 400, n_users=10, n_items=60), replace(SETTINGS, max_items=60))
    view, fusion = view_of(state), RankFusion()
    known = set(view.ids)
    state.items.remove(view.ids[:5])
    for offset, number in product(range(400, 406), range(2)):
        state.fold(*record(2 * offset + number, "u1", f"new{offset}"))
    with plain_kernels():  # an index out of bounds is an error there
        for user in readers(state):
            items = [item.item_id for item in recommend(view, 0, fusion, user, 30, NOTHING)]
            assert set(items) <= known
            assert len(items) == len(set(items))


@settings(max_examples=40)
@given(numbers=NUMBERS, k=st.sampled_from((1, 10, 20)))
def test_the_published_list_is_the_folds_own(numbers: list[int], k: int) -> None:
    """With one partition, nothing forbidden and the fold's weights; reasons are items of the history."""
    state = folded(log_of(numbers, n_users=8, n_items=60), SETTINGS)
    view, recommender = view_of(state), Recommender(FOLD_LISTS)
    filler = view.popularity(1000)
    for user in readers(state):
        published = recommender.recommend(view, 0, user, k, filler)
        known, own = {item_id for item_id, _ in user.recent}, own_list(state, user, 20, "list")
        if known & state.items.slots.keys() and own:  # who has seen all gets something once more
            assert [item.item_id for item in published] == own[:k]
            assert all(set(item.because) <= known and len(item.because) <= 2 for item in published)
            assert {item.source for item in published} <= {CO_OCCURRENCE, HISTORY, POPULARITY}
            assert len(published) == min(k, len(own_list(state, user, 60, HISTORY))), (
                "the factor model names every item"
            )


@pytest.mark.parametrize("lists", [ListSettings(), ListSettings(max_per_category=1)], ids=["plain", "by stages"])
def test_who_has_had_everything_still_gets_something(lists: ListSettings) -> None:
    """A shop of three items, all bought by all: what may be offered once more; as long as one is left, that alone."""
    users = [f"u{number}" for number in range(6)]
    bought = list(product(users, ("i1", "i2", "i3")))
    state = folded([record(offset, *each, "purchase") for offset, each in enumerate(bought)])
    view, user, stranger = view_of(state), state.users.get("u1"), UserState()
    assert user is not None
    filler, made = filler_of(view, state.clock.now_ms, 50), Recommender(lists).recommend

    again = made(view, 0, user, 2, filler)
    assert [item.item_id for item in again] == [item.item_id for item in made(view, 0, stranger, 2, filler)]
    assert all(item.score > 0.0 and item.because == () for item in again)
    view.forbid(["i2"])
    assert {item.item_id for item in made(view, 0, user, 5, filler)} == {"i1", "i3"}
    state.fold_many([record(len(bought), "u2", "i4")])
    view.sync()
    filler = filler_of(view, state.clock.now_ms, 50)
    assert [item.item_id for item in made(view, 0, user, 5, filler)] == ["i4"]


def test_forbidden_items_are_not_published() -> None:
    """Neither by pairs nor by factors; others move up in their order."""
    state = folded(made_log(5, 400, n_users=10, n_items=80))
    view, user = view_of(state), state.users.get("u1")
    assert user is not None
    fusion = RankFusion()
    before = [item.item_id for item in recommend(view, 0, fusion, user, 10, view.popularity(50))]
    view.forbid(before[:3])
    after = [item.item_id for item in recommend(view, 0, fusion, user, 10, view.popularity(50))]

    assert len(before) == len(after) == 10
    assert not set(before[:3]) & set(after)
    view.forbid(())
    assert [item.item_id for item in recommend(view, 0, fusion, user, 10, view.popularity(50))] == before
