"""Prequential evaluation inside the fold, against the same worked out in plain Python."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import evaluation
from models.cooccurrence import CooccurrenceSettings
from models.errors import SettingsError
from models.fold_arrays import FIRST, TESTED
from models.history_factors import HistoryFactorsSettings
from models.ids import hash64
from tables import evaluator
from tables.fold_settings import FoldSettings
from tables.partition import PartitionState
from tests.brute_evaluation import BruteEvaluation, found
from tests.logs import DAY_MS, START_MS, Record, log_of, made_log, record
from tests.saved import Topics, fold_all, folded, keys
from tests.strategies import numbers

MAX_WAITING, PER_BLOCK = 3, 10
SOURCES = ("list", "co_occurrence", "history", "popularity")
SETTINGS = FoldSettings(
    cooccurrence=CooccurrenceSettings(n_history=6, n_keep=8),
    history=HistoryFactorsSettings(n_factors=8, n_negatives=5),
)
LOGS = numbers(0, 120)


@pytest.fixture(autouse=True, scope="module")
def small_bounds() -> Iterator[None]:
    """Three users' lists wait, and a block is ten events: short logs reach both."""
    with patch.object(evaluator, "MAX_WAITING", MAX_WAITING), patch.object(evaluation, "EVENTS_PER_BLOCK", PER_BLOCK):
        yield


def brute(records: list[Record], bounds: FoldSettings = SETTINGS) -> BruteEvaluation:
    """The same log in plain Python."""
    return BruteEvaluation(bounds, MAX_WAITING, PER_BLOCK).replay(records)


def at(minute: int) -> int:
    """A time, ms."""
    return START_MS + 60_000 * minute


def loaded(state: PartitionState) -> PartitionState:
    """Saved, and read by another."""
    topics = Topics()
    topics.save(state.cut(-1))
    return Topics.load(PartitionState(0, 1, state.settings), topics.history)


def hits(state: PartitionState) -> dict[str, list[int]]:
    """Hits within 10 and within 20, by source."""
    return {name: list(counts) for name, counts in state.evaluator.prequential.hits.items()}


def waiting(state: PartitionState, user_id: str) -> dict[str, list[str]]:
    """The ids of a user's waiting lists."""
    user = state.users.get(user_id)
    assert user is not None and user.waiting is not None
    names = {hash64(item_id): item_id for item_id in state.items.slots}
    return {source: [names[each] for each in items] for source, items in user.waiting.lists.items()}


@settings(max_examples=40)
@given(
    numbers=LOGS,
    fraction=st.sampled_from((0.0, 0.5, 1.0)),
    max_items=st.sampled_from((6, 200)),
    max_users=st.sampled_from((3, 200)),
)
def test_the_fold_counts_what_plain_python_counts(
    numbers: list[int], fraction: float, max_items: int, max_users: int
) -> None:
    """Tests, hits of every source, NDCG, MRR and series, to the last bit; evaluating changes nothing learned."""
    bounds = replace(SETTINGS, evaluate_fraction=fraction, max_items=max_items, max_users=max_users)
    records = log_of(numbers)
    expected, state = brute(records, bounds), folded(records, bounds)

    assert found(state) == expected.stored()
    assert state.metrics.counts.get("waiting_evicted", 0) == expected.n_evicted
    assert {slot: state.items.encode(slot) for slot in state.items.slots.values()} == {
        slot: expected.state.items.encode(slot) for slot in expected.state.items.slots.values()
    }


@pytest.mark.parametrize(("seed", "max_items"), [(1, 200), (2, 40)])
def test_a_longer_log_with_default_models(seed: int, max_items: int) -> None:
    """700 events: hits of every source, lists longer than there is room for, many blocks and evictions."""
    bounds = FoldSettings(max_items=max_items, max_users=25, max_idle_ms=3 * DAY_MS)
    records = made_log(seed, 700, n_users=30, n_items=120)
    expected, state = brute(records, bounds), folded(records, bounds)

    assert found(state) == expected.stored()
    assert all(0 < within_10 < within_20 < expected.n for within_10, within_20 in expected.hits.values())
    assert len(expected.blocks) > 50 and expected.n_evicted > 100


def test_an_item_never_seen_is_a_miss() -> None:
    """Nobody can name it, so it counts as a test without a hit; so does the first event of all."""
    state = folded([record(n, f"u{n}", f"i{n}") for n in range(30)])

    assert state.evaluator.prequential.n == 30
    assert hits(state) == {source: [0, 0] for source in SOURCES}


def test_what_is_a_test() -> None:
    """A positive event on an item new to its user: no repeat, no low rating, no impression, no skip, no dislike."""
    log = [record(0, "u1", "a"), record(1, "u1", "a"), record(2, "u1", "a", "purchase")]
    log += [record(3, "u1", "b", "rating", value=3), record(4, "u1", "b", "rating", value=5)]
    log += [record(5, "u1", "c", "impression"), record(6, "u1", "d", "skip"), record(7, "u1", "e", "dislike")]
    assert folded(log).evaluator.prequential.n == 1

    log += [record(8, "u1", "c"), record(9, "u1", "f", "rating", value=4)]
    assert folded(log).evaluator.prequential.n == 3, "what was only shown is still new"

    state, heard = PartitionState(0, 1, FoldSettings()), list[tuple[str, str, int]]()
    state.evaluator.on_test = lambda user_id, item_id, how: heard.append((user_id, item_id, how))
    fold_all(state, [*log, record(10, "u1", "g", at_ms=at(1))])
    first = [("u1", item_id, FIRST) for item_id in "acf"]
    assert heard == [*first, ("u1", "g", TESTED)], "a listener hears of each, and which are of a user's first moment"


def test_users_without_history_get_the_default_list() -> None:
    """Most people first, ties by id whatever the order of slots; without what the user has seen."""
    log = [record(n, f"u{n}", item_id) for n, item_id in enumerate("zzyxbac")]
    log += [record(7, "new", "x", "dislike", at(1)), record(8, "other", "c", "impression", at(1))]
    state = folded(log)

    assert waiting(state, "new") == {source: [*"zabcxy"] for source in SOURCES}
    assert waiting(state, "other")["popularity"] == [*"zabcxy"], "as many are for it as against it"


def test_equal_candidates_stand_in_the_order_of_ids() -> None:
    """Five items whose pairs weigh the same, met in another order."""
    log = [
        record(2 * n + m, f"u{n}", item_id) for n, other in enumerate("edcab") for m, item_id in enumerate(("x", other))
    ]
    state = folded([*log, record(20, "reader", "x", at_ms=at(1)), record(21, "reader", "y", at_ms=at(2))])

    assert waiting(state, "reader")["co_occurrence"] == [*"abcde"]
    assert waiting(state, "reader")["popularity"] == [*"abcde"]


@pytest.mark.parametrize("saved_between", [False, True])
def test_equal_timestamps_share_one_list(saved_between: bool) -> None:
    """What came up since the first event of a timestamp is a miss; with the next timestamp it is a hit.

    u1:   a@5 . . . . . z@5        z is new since a@5: a miss
    v1:   b@5 . . . . . . . z@6    a hit
    others:     z z z
    """
    state = folded([record(0, "o1", "y"), record(1, "u1", "a", at_ms=at(5)), record(2, "v1", "b", at_ms=at(5))])
    before = waiting(state, "u1"), waiting(state, "v1")
    fold_all(state, [record(3 + n, "o1", "z", at_ms=at(5) + n) for n in range(3)])
    if saved_between:
        state = loaded(state)
    start = hits(state)
    state.fold(*record(6, "u1", "z", at_ms=at(5)))
    assert waiting(state, "u1") == before[0]
    assert hits(state) == start

    state.fold(*record(7, "v1", "z", at_ms=at(6)))
    assert waiting(state, "v1") != before[1]
    assert hits(state)["popularity"] == [start["popularity"][0] + 1, start["popularity"][1] + 1]
    assert hits(state)["list"] == [start["list"][0] + 1, start["list"][1] + 1]


def test_an_item_of_the_same_timestamp_stays_in_the_frozen_list() -> None:
    """Lists are frozen whole: what the user has seen since the first event is not taken out, nor anything put in."""
    state = folded([record(n, f"o{n}", item_id) for n, item_id in enumerate("abc")])
    for n, item_id in enumerate("cab"):
        state.fold(*record(3 + n, "u1", item_id, at_ms=at(5)))
        assert waiting(state, "u1")["list"] == [*"abc"]

    assert state.evaluator.prequential.hits["list"] == [3, 3]
    assert state.evaluator.prequential.reciprocal == 1 / 3 + 1 + 1 / 2


def test_lists_wait_for_the_users_last_active() -> None:
    """The fourth user pushes out the first; it is counted, saved, and the evicted user is scored on lists made anew."""
    state = folded([record(n, f"u{n}", "a", at_ms=at(5)) for n in range(3)])
    state.fold(*record(3, "u0", "b", at_ms=at(5)))
    state.cut(-1)
    state.fold(*record(4, "u3", "a", at_ms=at(5)))
    cut = state.cut(-1)
    users = {user_id: state.users.get(user_id) for user_id in state.users}

    assert {user_id for user_id, user in users.items() if user and user.waiting} == {"u0", "u2", "u3"}
    assert keys(cut.users) == {"u1": True, "u3": True}, "the evicted user's state has changed"
    assert state.metrics.counts["waiting_evicted"] == 1
    start = hits(state)
    state.fold(*record(5, "u1", "b", at_ms=at(5)))
    assert hits(state)["list"] == [start["list"][0] + 1] * 2, "made anew, they know b"


def test_the_fraction_is_of_users() -> None:
    """About that part of them, always the same ones, each with all of its events; the others have no lists at all."""
    records = [record(n, f"u{n % 200}", f"i{n % 51}", at_ms=at(n)) for n in range(400)]
    chosen = {}
    for fraction in (0.0, 0.05, 0.5, 1.0):
        state = folded(records, replace(SETTINGS, evaluate_fraction=fraction))
        chosen[fraction] = {user_id for user_id in state.users if state.evaluator.includes(user_id)}
        users = {user_id: state.users.get(user_id) for user_id in state.users}
        assert {user_id for user_id, user in users.items() if user and user.waiting} <= chosen[fraction]
        assert state.evaluator.prequential.n == 2 * len(chosen[fraction])

    assert [len(chosen[fraction]) for fraction in (0.0, 1.0)] == [0, 200]
    assert chosen[0.05] < chosen[0.5]
    assert 3 <= len(chosen[0.05]) <= 20 and 80 <= len(chosen[0.5]) <= 120


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan")])
def test_a_fraction_that_is_none(fraction: float) -> None:
    """Refused with the legal range."""
    with pytest.raises(SettingsError, match=r"evaluate_fraction.*0 to 1"):
        PartitionState(0, 1, FoldSettings(evaluate_fraction=fraction))


@pytest.mark.parametrize("damage", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("source", ["history", "co_occurrence"])
def test_a_diverged_model_has_no_list(source: str, damage: float) -> None:
    """One score that is not finite, and the source is silent: each of its events is a miss, never a lucky first place.

    The other sources, and the list made of them, go on.
    """
    start = folded(made_log(3, 300, n_users=12, n_items=60))
    n_tested, n_hits = 0, dict.fromkeys(SOURCES, 0)
    for user_id in list(start.users):
        state = deepcopy(start)
        diverge(state, source, damage)
        user = state.users.get(user_id)
        assert user is not None and user.recent
        seen = set(user.seen[: user.n_seen].tolist())
        target = next(item_id for item_id in state.items.slots if hash64(item_id) not in seen)
        before = hits(state)
        state.fold(*record(1_000, user_id, target, at_ms=at(10**6)))
        lists = waiting(state, user_id)
        assert lists[source] == []
        assert len(lists["list"]) == len(lists["popularity"]) == 20
        n_tested += 1
        for name, counts in hits(state).items():
            n_hits[name] += counts[1] - before[name][1]

    assert n_tested > 5
    assert n_hits[source] == 0 < n_hits["list"]


def diverge(state: PartitionState, source: str, value: float) -> None:
    """Put a number that is none into every row of a source's model."""
    for slot in state.items.slots.values():
        if source == "history":
            state.items.history.rows[slot, 0] = value
            state.items.history.stale[slot] = True
        else:
            state.items.pairs.row(slot)[1][:] = value


def test_one_number_in_a_hundred_rows_is_enough() -> None:
    """A single row with a NaN: no other item may rise by it, in whatever slot it is."""
    state = folded(made_log(3, 300, n_users=12, n_items=60))
    user = state.users.get("u1")
    assert user is not None
    items = state.items
    unseen = [
        slot
        for slot in items.slots.values()
        if int(items.hashes[slot]) not in user.seen.tolist() and items.offered[slot]
    ]
    assert len(unseen) > 10
    for slot in unseen:
        row = state.items.history.rows[slot].copy()
        state.items.history.rows[slot, 3] = np.nan
        state.items.history.stale[slot] = True
        assert state.evaluator.lists.sources(user)["history"].tolist() == []
        state.items.history.rows[slot] = row
        state.items.history.stale[slot] = True
    assert len(state.evaluator.lists.sources(user)["history"]) > 5
