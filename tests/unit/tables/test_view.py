"""The item view: the shares of all partitions read as one, against a score worked out in plain Python."""

from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cooccurrence import CooccurrenceSettings
from models.ids import hash64
from tables.items import ItemShares
from tables.partition import PartitionState
from tables.user_state import UserState
from tables.view import ItemView
from tests.learning import met
from tests.lists import BOUNDS, NOTHING, PAIRS, brute_force, by_pairs, filler_of, partitions, users_of, view_of
from tests.logs import HOUR_MS, START_MS, log_of, made_log, record
from tests.saved import folded
from tests.strategies import numbers
from tests.users import add_recent, mark_seen

NUMBERS = numbers(60, 60)


@settings(max_examples=60)
@given(numbers=NUMBERS, n=st.sampled_from((1, 2, 3)), k=st.sampled_from((3, 50)))
def test_lists_against_brute_force(numbers: list[int], n: int, k: int) -> None:
    """Scores, order, length and reasons of every user's list, over any number of partitions."""
    states = partitions(log_of(numbers, n_users=8, n_items=12), n)
    view = view_of(*states)
    for user in users_of(states):
        expected = brute_force(states, user)
        totals = {item_id: sum(gave.values()) for item_id, gave in expected.items()}
        found = by_pairs(view, user, k, NOTHING)
        assert len(found) == min(k, len(expected))
        assert len({item.item_id for item in found}) == len(found)
        assert [item.score for item in found] == pytest.approx(sorted(totals.values(), reverse=True)[:k], rel=1e-12)
        assert found == sorted(found, key=lambda item: (-item.score, item.item_id))
        for item in found:
            assert item.score == pytest.approx(totals[item.item_id], rel=1e-12)
            gave = expected[item.item_id]
            assert set(item.because) <= set(gave) and len(item.because) == min(2, len(gave))
            best = sorted(gave.values(), reverse=True)[:2]
            if n == 1:
                assert [gave[known] for known in item.because] == pytest.approx(best, rel=1e-12)


@settings(max_examples=30)
@given(numbers=NUMBERS, n=st.sampled_from((1, 3)))
def test_similar_items_against_brute_force(numbers: list[int], n: int) -> None:
    """An item's neighbours are the candidates of somebody who knows nothing but it; it is symmetric in the pairs."""
    states = partitions(log_of(numbers, n_users=8, n_items=12), n)
    view = view_of(*states)
    for item_id in view.ids:
        reader = UserState()
        add_recent(reader, item_id, 1.0, 6)
        expected = {other: gave[item_id] for other, gave in brute_force(states, reader).items()}
        assert dict(view.similar(item_id, 50)) == pytest.approx(expected, rel=1e-12)
        assert [other for other, _ in view.similar(item_id, 3)] == [other for other, _ in view.similar(item_id, 50)][:3]
    assert view.similar("unknown", 5) == []


@given(numbers=NUMBERS, n=st.sampled_from((1, 3)))
def test_counts_and_trends_are_sums_over_the_shares(numbers: list[int], n: int) -> None:
    """Events, people and trends of an item, wherever its events fell; ties by id, the unwanted left out."""
    states = partitions(log_of(numbers, n_users=8, n_items=12), n)
    view = view_of(*states)
    counts: dict[str, int] = defaultdict(int)
    people, against = defaultdict[str, int](int), defaultdict[str, int](int)
    trends: dict[str, float] = defaultdict(float)
    as_of_ms = START_MS + 24 * HOUR_MS
    for state in states:
        by_slot = state.items.trending.scores(2, as_of_ms, max(1, state.items.n_slots))
        for item_id, slot in state.items.slots.items():
            counts[item_id] += int(state.items.n_events[slot])
            people[item_id] += int(state.items.n_for[slot])
            against[item_id] += int(state.items.n_against[slot])
            trends[item_id] += float(by_slot[slot])
    popular = [(view.ids[item], score) for item, score, _ in view.popularity(99).items]
    trending = [(view.ids[item], score) for item, score in view.trending(2, as_of_ms, 99)]

    wanted = {item_id for item_id in counts if against[item_id] <= people[item_id]}
    loved = [(item_id, n) for item_id, n in people.items() if n and item_id in wanted]
    assert popular == sorted(loved, key=lambda entry: (-entry[1], entry[0]))
    assert {item_id: view.n_events(number) for item_id, number in view.index.items()} == dict(counts)
    assert dict(trending) == pytest.approx(
        {item_id: score for item_id, score in trends.items() if score > 0 and item_id in wanted}
    )
    assert trending == sorted(trending, key=lambda entry: (-entry[1], entry[0]))
    filler = [view.ids[item] for item, _, _ in filler_of(view, as_of_ms, 99).items]
    assert len(filler) == len(set(filler)) and set(filler) == {item_id for item_id, _ in (*popular, *trending)}


def test_seen_items_are_never_offered() -> None:
    """Neither from the history nor from the filler, with a k that would take all there is."""
    states = partitions(made_log(21, 2_000, n_users=12, n_items=300), 2)
    view = view_of(*states)
    filler = filler_of(view, START_MS + 100 * HOUR_MS, 400)
    for user in users_of(states):
        seen = set(user.seen[: user.n_seen].tolist())
        offered = by_pairs(view, user, 1_000, filler)
        ids = {item.item_id for item in offered}
        assert not {hash64(item_id) for item_id in ids} & seen
        assert len(ids) == len(offered)
        free = {
            item_id for item_id, number in view.index.items() if view.allowed[number] and hash64(item_id) not in seen
        }
        assert {item_id for item_id in free if view.people[view.index[item_id]] > 0} <= ids <= free


def test_filler_stands_behind_what_the_history_names() -> None:
    """Without a history it is the whole list; its source is told and its reasons are none."""
    state = folded([record(0, "u1", "a"), record(1, "u1", "b"), record(2, "u2", "c"), record(3, "u3", "c")])
    view = view_of(state)
    reader = UserState()
    add_recent(reader, "a", 1.0, 6)
    found = by_pairs(view, reader, 2, filler_of(view, START_MS, 5))

    assert [(item.item_id, item.source, item.because) for item in found] == [
        ("b", "co_occurrence", ("a",)),
        ("c", "trending", ()),
    ]
    assert [item.item_id for item in by_pairs(view, UserState(), 9, view.popularity(9))] == ["c", "a", "b"]
    assert by_pairs(view, UserState(), 0, view.popularity(9)) == []
    assert by_pairs(view, UserState(), 9, NOTHING) == []


def test_forbidden_items_are_not_offered_and_come_back() -> None:
    """Also those first seen later; forbidding another set allows the earlier ones again."""
    state = folded([record(0, "u1", "a"), record(1, "u1", "b"), record(2, "u1", "c")])
    view = view_of(state)
    reader = UserState()
    add_recent(reader, "a", 1.0, 6)
    view.forbid(["b", "later"])
    state.fold(*record(3, "u1", "later"))
    view.sync()
    assert [item.item_id for item in by_pairs(view, reader, 9, view.popularity(9))] == ["c", "a"]
    assert {other for other, _ in view.similar("a", 9)} == {"c"}

    view.forbid(["c"])

    assert {item.item_id for item in by_pairs(view, reader, 9, view.popularity(9))} == {"a", "b", "later"}


def test_growth_beyond_the_first_arrays() -> None:
    """Hundreds of items in several shares: all are known, counted and recommended."""
    log = [record(offset, f"u{offset % 50}", f"i{offset:04}") for offset in range(1_000)]
    states = partitions(log, 3)
    view = view_of(*states)

    assert len(view.ids) == 1_000
    assert [view.ids[item] for item, _, _ in view.popularity(2_000).items] == [
        f"i{number:04}" for number in range(1_000)
    ]
    assert all(view.n_events(number) == 1 for number in range(1_000))
    assert len(view.similar("i0500", 99)) == 12


def test_sync_names_the_items_that_changed() -> None:
    """The items of the last events, of their pairs and of moved factors, in order; nothing when nothing happened."""
    state = folded([record(offset, f"v{offset}", f"i{offset:02}") for offset in range(60)])
    view = view_of(state)
    assert view.sync() == []
    before = [state.items.encode(slot) for slot in range(60)]

    state.fold(*record(60, "u2", "i50"))
    state.fold(*record(61, "u2", "i10"))
    changed = [slot for slot in range(60) if state.items.encode(slot) != before[slot]]

    assert view.sync() == changed, "here slots and numbers are the same"
    assert {10, 50} < set(changed) and len(changed) < 40


def test_a_share_can_go_and_come_back() -> None:
    """None takes a partition's share out of every sum; setting it again restores each list."""
    states = partitions(made_log(51, 400, n_users=12, n_items=30), 3)
    view, without = view_of(*states), view_of(*states[:2])
    readers = users_of(states)
    before = [by_pairs(view, user, 20, NOTHING) for user in readers]
    view.set_share(2, None)
    assert [by_pairs(view, user, 20, NOTHING) for user in readers] == [
        by_pairs(without, user, 20, NOTHING) for user in readers
    ]
    view.set_share(7, None)
    view.set_share(2, states[2].items)

    assert [by_pairs(view, user, 20, NOTHING) for user in readers] == before


def test_the_order_in_which_shares_came_does_not_matter() -> None:
    """Sums run in partition order, so the bits are the same."""
    states = partitions(made_log(61, 400, n_users=12, n_items=30), 3)
    one, other = view_of(*states), view_of(*reversed(states))

    for user in users_of(states):
        assert by_pairs(one, user, 20, NOTHING) == by_pairs(other, user, 20, NOTHING)


def test_an_empty_share_is_shown_from_the_start() -> None:
    """A new partition has no items yet; what it learns afterwards must appear."""
    state, view = PartitionState(0, 1, BOUNDS), ItemView(PAIRS)
    view.set_share(0, state.items)
    state.fold(*record(0, "u1", "a"))
    view.sync()

    assert view.index == {"a": 0}


def test_a_decay_of_nothing_looks_at_the_last_item_alone() -> None:
    """With decay = 0 older items give nothing, and a candidate that several of them name is listed once at most."""
    state = folded([record(offset, "u1", item_id) for offset, item_id in enumerate("abcd")])
    view = ItemView(CooccurrenceSettings(decay=0.0))
    view.set_share(0, state.items)
    reader = UserState()
    for item_id in ("a", "b", "c"):
        add_recent(reader, item_id, 1.0, 6)
        mark_seen(reader, hash64(item_id), 10)
    assert [(item.item_id, item.because[0]) for item in by_pairs(view, reader, 9, NOTHING)] == [("d", "c")]

    add_recent(reader, "unknown", 1.0, 6)

    assert [item.item_id for item in by_pairs(view, reader, 9, NOTHING)] in ([], ["d"])


@pytest.mark.parametrize("k", [1, 5, 40, 200])
@pytest.mark.parametrize(
    "of",
    [
        lambda number: 0.0,
        lambda number: 1.0,
        lambda number: float(number % 50 == 7),
        lambda number: 1.0 + (number % 20 == 3) + (number == 77),
        lambda number: 2.0 - (number % 20 == 3),
        lambda number: float(number * 37 % 100) - 30.0,
    ],
)
def test_top_is_the_first_of_all_in_order(of: Callable[[int], float], k: int) -> None:
    """However many are equal, at the bound, below it or at nothing: by score, then by id, and none without a score."""
    view, share = ItemView(CooccurrenceSettings()), ItemShares()
    for number in range(100):
        met(share, f"i{number * 61 % 100}")
    view.set_share(0, share)
    view.forbid(["i3", "i77"])
    scores = np.array([of(number) for number in range(100)])

    ranked = sorted(zip(scores.tolist(), view.ids, strict=True), key=lambda pair: (-pair[0], pair[1]))
    expected = [(item_id, score) for score, item_id in ranked if score > 0 and item_id not in ("i3", "i77")][:k]

    assert [(view.ids[item], score) for item, score in view.top(scores, k)] == expected
