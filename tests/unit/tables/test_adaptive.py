"""Lists that learn from what became of them: what is remembered, what is learned, what is kept beside state."""

import pytest

from models.errors import StateError
from models.fold_arrays import TESTED
from models.source_names import CO_OCCURRENCE, HISTORY, POPULARITY
from tables.adaptive import MAX_SERVED, AdaptiveRecommender
from tables.digest import digests
from tables.list_settings import ListSettings
from tables.partition import PartitionState
from tables.user_state import UserState
from tables.view import ItemView
from tests.lists import view_of
from tests.logs import made_log
from tests.saved import folded

STATE = folded(made_log(3, 400, n_users=10, n_items=80))
VIEW = view_of(STATE)


def user() -> UserState:
    """Somebody with a history."""
    found = STATE.users.get("u1")
    assert found is not None
    return found


def serve(lists: AdaptiveRecommender, user_id: str = "u1", view: ItemView = VIEW) -> list[str]:
    """Make a list and serve it; returns its items."""
    made = lists.recommend(view, 0, user(), 10, view.popularity(50))
    lists.served(user_id, lists.made(view))
    return [item.item_id for item in made]


def test_what_was_taken_is_learned_from_the_list_served() -> None:
    """Once for every outcome, whoever proposed the item; nothing from lists made and not served, nor of strangers."""
    lists = AdaptiveRecommender(ListSettings())
    lists.recommend(VIEW, 0, user(), 10, VIEW.popularity(50))
    lists.took("u1", VIEW.ids[0], TESTED)
    assert not lists.learn()
    first = serve(lists)[0]
    before = lists.as_json()["weights"]
    lists.took("u1", first, TESTED)
    lists.took("nobody", first, TESTED)
    assert lists.as_json()["weights"] == before, "nothing is learned before learn()"
    assert lists.learn() and not lists.learn()
    assert lists.as_json()["n"] == 1
    assert lists.as_json()["weights"] != before


@pytest.mark.parametrize("blend", ["ranks", "log_shares", "scores"])
def test_fixed_weights_learn_nothing(blend: str) -> None:
    """Nothing is remembered and nothing stored."""
    lists = AdaptiveRecommender(ListSettings(blend))
    first = serve(lists)[0]
    lists.took("u1", first, TESTED)
    assert lists.made(VIEW) is None
    assert not lists.learn()
    assert lists.as_json() == {}


def test_the_last_lists_are_remembered() -> None:
    """So many, and no more."""
    lists = AdaptiveRecommender(ListSettings())
    for number in range(MAX_SERVED + 1):
        first = serve(lists, f"u{number}")[0]
    lists.took("u0", first, TESTED)
    assert not lists.learn()
    lists.took("u1", first, TESTED)
    assert lists.learn()


def test_weights_change_lists_and_come_back() -> None:
    """Those of more outcomes replace those of fewer, never the other way round; damaged ones are told."""
    lists, other = AdaptiveRecommender(ListSettings()), AdaptiveRecommender(ListSettings())
    before = serve(lists)
    assert lists.weights is not None
    lists.weights.values[:] = [float(name == POPULARITY) for name in lists.recommender.names]
    lists.weights.n_learned = 5
    assert serve(lists) != before == serve(other)
    other.restore(lists.as_json())
    assert serve(other) == serve(lists)
    other.restore({"n": 4, "weights": {CO_OCCURRENCE: {"0": 9.0, "5": 9.0, "20": 9.0, "60": 9.0}}})
    assert serve(other) == serve(lists)
    other.restore({})
    with pytest.raises(StateError, match="weights of the blend"):
        other.restore({"n": 9, "weights": {HISTORY: 1}})


def test_weights_are_kept_beside_state_and_enter_no_digest() -> None:
    """They are saved with the partition and come back with their history; the state is the same with other weights."""
    lists, other = AdaptiveRecommender(ListSettings()), AdaptiveRecommender(ListSettings())
    for _ in range(3):
        lists.took("u1", serve(lists)[0], TESTED)
        lists.learn()
    state = folded(made_log(4, 60))
    before = digests([state])
    state.beside = {"blend": lists.as_json()}
    assert digests([state]) == before
    loaded = PartitionState(0, 1, state.settings)
    cut = state.cut(-1)
    for key, value in cut.users:
        loaded.apply_user(key, value)
    for key, value in cut.items:
        loaded.items.apply(key.decode(), value)
    loaded.finish_load()
    assert loaded.beside == state.beside
    assert digests([loaded]) == before
    other.restore(loaded.beside["blend"])
    assert other.as_json() == lists.as_json()
    assert other.as_json()["history"]["n"] == [0, 1, 2, 3]
