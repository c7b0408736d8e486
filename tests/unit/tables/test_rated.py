"""The rating model as a source of lists: who is offered what, and in which order."""

import math

import numpy as np
import pytest

from models.ids import hash64, order_key
from models.proposals import Proposals, space_for
from models.source_names import RATINGS
from tables.list_settings import ListSettings
from tables.partition import PartitionState
from tables.recommend import Recommender
from tables.sources.rated import Rated
from tables.sources.source import asked
from tables.user_state import UserState
from tables.view import Filler, ItemView
from tests.lists import partitions, users_of, view_of
from tests.logs import log_of, made_log, record
from tests.plain import plain_kernels
from tests.saved import folded


def proposed(view: ItemView, user: UserState, filler: Filler, depth: int = 30, look: int = 500) -> Proposals:
    """What is proposed to a user of partition 0."""
    table = space_for(1, depth)
    Rated().propose(asked(view, 0, user, filler, look), table)
    return table


def expected(state: PartitionState, user: UserState) -> list[tuple[str, float]]:
    """All unseen items on offer with a rating row, by (-prediction, key); predictions but for mean and user's bias."""
    assert user.factors is not None
    ratings, seen, found = state.items.ratings, set(user.seen[: user.n_seen].tolist()), []
    for item_id, slot in state.items.slots.items():
        if ratings.has_row[slot] and state.items.offered[slot] and hash64(item_id) not in seen:
            bias, *factors = ratings.rows[slot].tolist()
            found.append((item_id, bias + float(user.factors[1:] @ np.array(factors))))
    return sorted(found, key=lambda each: (-each[1], *order_key(each[0])))


def test_the_highest_predicted_come_first_as_shares() -> None:
    """All rated unseen items by their prediction; scores are its softmax over what is proposed."""
    records, n_users = made_log(7, 1500, n_users=30, n_items=120), 0
    state = folded(records)
    view = view_of(state)
    for user in filter(None, map(state.users.reader, state.users)):
        table = proposed(view, user, view.popularity(200), depth=20, look=2000)
        if user.factors is None:
            assert not table.counts[0]
            continue
        n_users += 1
        ranked = expected(state, user)
        n = int(table.counts[0])
        assert n == min(20, len(ranked))
        values = [value for _, value in ranked[:n]]
        total = sum(math.exp(value) for value in values)
        assert [view.ids[item] for item in table.items[0, :n].tolist()] == [item_id for item_id, _ in ranked[:n]]
        assert table.scores[0, :n].tolist() == pytest.approx([math.exp(value) / total for value in values])
    assert n_users > 5


def test_who_has_not_rated_gets_nothing() -> None:
    """A stranger, and somebody who has only viewed, where others have rated."""
    records = [record(0, "v", "a"), record(1, "v", "b")]
    records += [record(2 + n, f"r{n}", "abc"[n % 3], "rating", value=4) for n in range(6)]
    view = view_of(state := folded(records))
    viewer = state.users.reader("v")
    assert viewer is not None
    for user in (viewer, UserState()):
        assert not proposed(view, user, view.popularity(10)).counts[0]
    assert proposed(view, state.users.reader("r0") or UserState(), view.popularity(10)).counts[0] == 2


def test_no_more_are_looked_at_than_asked() -> None:
    """In a catalogue beyond `look`: those that pairs name, and popular ones; the scratch is left empty."""
    states = partitions(made_log(6, 2000, n_users=60, n_items=900), 1)
    view, n_fewer = view_of(*states), 0
    filler = Filler((), view.popularity(500).popular)
    for user in users_of(states):
        whole, part = (proposed(view, user, filler, depth=900, look=look) for look in (5000, 20))
        found = part.items[0, : part.counts[0]].tolist()
        order = [item for item in whole.items[0, : whole.counts[0]].tolist() if item in found]
        assert part.counts[0] <= 20 + 20 // 5 and found == order
        n_fewer += part.counts[0] < whole.counts[0]
        assert not view.sums().any()
    assert n_fewer > 20


def test_plain_kernels_propose_the_same() -> None:
    """With an item whose rating is beyond all bounds, and items of another partition, bit for bit."""
    states = partitions(log_of(range(0, 2**50, 2**42), n_users=9, n_items=30), 2)
    states[0].items.ratings.rows[0] = 100.0
    view = view_of(*states)
    filler, least = view.popularity(40), 1.0
    for user in users_of(states):
        table = proposed(view, user, filler)
        with plain_kernels():
            plain = proposed(view, user, filler)
        for one, other in zip((*table,), (*plain,), strict=True):
            assert np.asarray(one).tobytes() == np.asarray(other).tobytes()
        least = min(least, *table.scores[0, : table.counts[0]].tolist(), 1.0)
    assert 0.0 < least < 1e-20


def test_it_is_asked_only_with_a_weight() -> None:
    """None of the blends weighs it by itself; with a weight its items stand in lists, without reasons."""
    state = folded(made_log(7, 600, n_users=10, n_items=60))
    view = view_of(state)
    raters = [user for user in map(state.users.reader, state.users) if user is not None and user.factors is not None]
    for blend in ("ranks", "log_shares", "scores", "learned"):
        assert RATINGS not in Recommender(ListSettings(blend)).names
    alone = Recommender(ListSettings("log_shares", {RATINGS: 1.0}))
    made = [alone.recommend(view, 0, user, 5, view.popularity(60)) for user in raters]
    assert {(each.source, each.because) for items in made for each in items if each.source == RATINGS} == {
        (RATINGS, ())
    }
