"""The first rule: however a log is cut, saved, loaded or crashed over, the state is the same, byte for byte."""

import random
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cooccurrence import CooccurrenceSettings
from models.events import REASONS
from models.history_factors import HistoryFactorsSettings
from tables import evaluator
from tables.cutting import Cut
from tables.fold_settings import FoldSettings
from tables.marker import MARKER_KEY
from tables.partition import PartitionState
from tests.logs import DAY_MS, HOUR_MS, Record, log_of, made_log
from tests.plain import plain_kernels
from tests.saved import Topics, everything, fold_all, folded, in_bytes
from tests.strategies import numbers

ACTIONS = (
    "go on",
    "save",
    "save meanwhile",
    "fail to save",
    "fail to save meanwhile",
    "load",
    "load history",
    "load without tombstones",
    "crash",
    "redeliver",
)

SMALL = st.builds(
    FoldSettings,
    cooccurrence=st.builds(CooccurrenceSettings, n_history=st.sampled_from((1, 4)), n_keep=st.sampled_from((1, 3, 10))),
    history=st.builds(
        HistoryFactorsSettings,
        n_factors=st.just(8),
        n_history=st.sampled_from((1, 20)),
        n_negatives=st.sampled_from((1, 6)),
        round_to=st.sampled_from((0.0, 0.1)),
    ),
    evaluate_fraction=st.sampled_from((0.0, 0.5, 1.0, 1.0)),
    max_seen=st.sampled_from((2, 16)),
    max_users=st.sampled_from((1, 3, 7)),
    max_items=st.sampled_from((1, 4, 32)),
    max_idle_ms=st.sampled_from((0, HOUR_MS, 400 * DAY_MS)),
    late_grace_ms=st.sampled_from((0, HOUR_MS)),
    rating_model=st.sampled_from(("compiled", "compiled", "river")),
)
STEP = st.tuples(st.sampled_from((1, 2, 5, 30)), st.sampled_from(ACTIONS))
LOGS = numbers(0, 150)
STEPS = st.integers(0, 16).flatmap(lambda n: st.lists(STEP, min_size=n, max_size=n))


@pytest.fixture(autouse=True, scope="module")
def few_lists_wait() -> Iterator[None]:
    """Three users' lists have room, of seven users."""
    with patch.object(evaluator, "MAX_WAITING", 3):
        yield


def interrupted(
    records: list[Record], steps: list[tuple[int, str]], rng: random.Random, bounds: FoldSettings, n_partitions: int = 1
) -> PartitionState:
    """Fold a log in chunks; after each chunk something happens to the state, and all is saved and loaded at the end."""
    topics = Topics()
    state = PartitionState(0, n_partitions, bounds)
    for size, action in [*steps, (len(records), "save"), (0, "load"), (len(records), "load")]:
        lost = state.cut(-1) if action == "fail to save" else None
        chunk = records[state.next_offset : state.next_offset + size]
        if action.endswith("meanwhile"):
            cut = cut_meanwhile(state, chunk, rng)
            if action == "save meanwhile":
                topics.save(cut)
            else:
                state.restore(cut)
        else:
            fold_all(state, chunk)
        if lost is not None:
            state.restore(lost)
        if action == "redeliver":
            before = in_bytes(state)
            assert set(fold_all(state, records[max(0, state.next_offset - size) : state.next_offset])) <= {None}
            assert in_bytes(state) == before
        if action == "save" or action.startswith("load"):
            topics.save(state.cut(state.next_offset - 1))
        if action.startswith("load") or action == "crash":
            entries = topics.compacted(rng, keep_tombstones=action != "load without tombstones")
            fresh = PartitionState(0, n_partitions, bounds)
            before = in_bytes(state)
            state = Topics.load(fresh, topics.history if action == "load history" else entries)
            assert action == "crash" or in_bytes(state) == before
    return state


def cut_meanwhile(state: PartitionState, records: list[Record], rng: random.Random) -> Cut:
    """Fold records while a cut is in the making; it must be the one that would have been made at once."""
    at_once = deepcopy(state).cut(state.next_offset - 1)
    cutting = state.begin_cut(state.next_offset - 1)
    for each in records:
        state.fold(*each)
        cutting.go_on(rng.choice((0, 0, 1, 3)))
    cut = state.end_cut()
    assert (cut.marker, cut.n_bytes) == (at_once.marker, at_once.n_bytes)
    for found, expected in ((cut.users, at_once.users), (cut.items, at_once.items)):
        assert len(found) == len(expected) and dict(found) == dict(expected)
    assert cut.users[-1][0] == MARKER_KEY
    return cut


@pytest.mark.timeout(400)  # a failure takes long to shrink to the smallest log
@settings(max_examples=250)
@given(
    numbers=LOGS,
    steps=STEPS,
    order=st.randoms(use_true_random=False),
    bounds=SMALL,
    n_partitions=st.sampled_from((1, 1, 2)),
)
def test_any_cutting_with_saves_and_loads_anywhere_gives_the_same_bytes(
    numbers: list[int], steps: list[tuple[int, str]], order: random.Random, bounds: FoldSettings, n_partitions: int
) -> None:
    """Saved, loaded from compacted or whole topics, crashed, redelivered: equal to the fold that nobody disturbed."""
    records = log_of(numbers)
    whole = folded(records, bounds, 0, n_partitions)

    assert everything(interrupted(records, steps, order, bounds, n_partitions)) == everything(whole)


@settings(max_examples=25)
@given(numbers=LOGS, bounds=SMALL)
def test_compiled_and_plain_kernels_make_the_same_state(numbers: list[int], bounds: FoldSettings) -> None:
    """The plain twins, which check every index, fold the same bytes as the compiled kernels, which check none."""
    records = log_of(numbers)
    compiled = everything(folded(records, bounds))
    with plain_kernels():
        plain = everything(folded(records, bounds))

    assert plain == compiled


@pytest.mark.parametrize(
    ("seed", "n_keep", "max_items", "fraction"), [(1, 10, 32, 1.0), (2, 3, 200, 0.5), (3, 5, 48, 1.0)]
)
def test_a_long_log_with_every_kind_of_interruption(seed: int, n_keep: int, max_items: int, fraction: float) -> None:
    """5,000 events, in which rows are cut, and users, items and waiting lists are evicted many times over."""
    bounds = FoldSettings(
        cooccurrence=CooccurrenceSettings(n_history=4, n_keep=n_keep),
        max_seen=4,
        max_users=20,
        max_items=max_items,
        max_idle_ms=2 * DAY_MS,
        evaluate_fraction=fraction,
    )
    records = made_log(seed, 5_000, n_users=30, n_items=150)
    rng = random.Random(seed)
    steps = [(rng.choice((1, 2, 5, 20, 200)), rng.choice(ACTIONS)) for _ in range(150)]
    whole = folded(records, bounds)

    assert everything(interrupted(records, steps, rng, bounds)) == everything(whole)
    happened = Counter(whole.metrics.counts)
    assert happened["users_evicted"] > 100 and happened["users_expired"] > 10
    assert happened["items_evicted"] > 100 or max_items == 200
    prequential, ratings = whole.evaluator.prequential, whole.evaluator.ratings
    assert happened["waiting_evicted"] > 500 and ratings.n > 200
    assert prequential.n > 500 and min(within_10 for within_10, _ in prequential.hits.values()) > 50
    assert 100 < happened["late"] < 2_500 and happened["duplicates"] > 20
    assert {name for name in happened if name.startswith("dead_letters.")} == {
        f"dead_letters.{reason}" for reason in REASONS if reason != "wrong_partition"
    }
    users = [user for user in map(whole.users.get, whole.users) if user]
    assert len(users) <= 20 and len(whole.items) <= max_items
    assert max(user.n_seen for user in users) == 4 and max(len(user.recent) for user in users) in (3, 4)
    assert max(len(whole.items.pairs.row(slot)[0]) for slot in whole.items.slots.values()) < 2 * n_keep
