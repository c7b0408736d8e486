"""Records folded many at once: the same bytes as one by one, whatever a batch runs over, and no cut after an error."""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import fold_kernel
from models.cooccurrence import CooccurrenceSettings
from models.errors import InvalidEvent, StateError
from models.history_factors import HistoryFactorsSettings
from models.ids import hash64
from models.source_names import POPULARITY
from tables import batch, evaluator
from tables.batch import MAX_EVENTS
from tables.fold_settings import FoldSettings
from tables.partition import PartitionState
from tables.user_state import UserState
from tests.logs import DAY_MS, HOUR_MS, START_MS, Record, log_of, made_log, record
from tests.plain import plain_kernels
from tests.saved import everything, fold_all, folded, in_bytes
from tests.strategies import numbers

FACTORS = HistoryFactorsSettings(n_factors=8, n_negatives=6)
BOUNDS = st.builds(
    FoldSettings,
    cooccurrence=st.builds(
        CooccurrenceSettings, n_history=st.sampled_from((1, 4, 20)), n_keep=st.sampled_from((1, 10))
    ),
    history=st.just(FACTORS),
    evaluate_fraction=st.sampled_from((0.0, 0.5, 1.0, 1.0)),
    max_seen=st.sampled_from((2, 16)),
    max_users=st.sampled_from((1, 3, 7)),
    max_items=st.sampled_from((1, 4, 32)),
    max_idle_ms=st.sampled_from((0, HOUR_MS, 400 * DAY_MS)),
    late_grace_ms=st.sampled_from((0, HOUR_MS)),
)
WIDE = FoldSettings(history=FACTORS, evaluate_fraction=1.0)


@pytest.fixture(autouse=True, scope="module")
def few_lists_wait() -> Iterator[None]:
    """Three users' lists have room."""
    with patch.object(evaluator, "MAX_WAITING", 3):
        yield


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Of every call of the kernel: how many events it was given, and how many it left."""
    calls: list[tuple[int, int]] = []
    kernel = fold_kernel.fold_events

    def watched(events: Any, first: int, n: int, *others: Any) -> int:
        last = int(kernel(events, first, n, *others))
        calls.append((n - first, n - last))
        return last

    monkeypatch.setattr(batch, "fold_events", watched)
    return calls


def one_by_one(records: list[Record], bounds: FoldSettings) -> tuple[PartitionState, list[str | InvalidEvent | None]]:
    """The state, and what the fold said to each."""
    state = PartitionState(0, 1, bounds)
    return state, [state.fold(*each) for each in records]


def in_cuts(
    records: list[Record], bounds: FoldSettings, sizes: list[int]
) -> tuple[PartitionState, list[str | InvalidEvent | None]]:
    """The same in slices of these sizes, and what is left at once."""
    state, said, at = PartitionState(0, 1, bounds), [], 0
    for size in [*sizes, len(records)]:
        said += fold_all(state, records[at : at + size])
        at += size
    return state, said


def told(said: list[str | InvalidEvent | None]) -> list[object]:
    """What can be compared."""
    return [(each.reason, each.message) if isinstance(each, InvalidEvent) else each for each in said]


@settings(max_examples=150)
@given(numbers=numbers(0, 150), bounds=BOUNDS, sizes=st.lists(st.sampled_from((0, 1, 2, 7, 30)), max_size=8))
def test_any_cutting_gives_the_bytes_of_one_by_one(numbers: list[int], bounds: FoldSettings, sizes: list[int]) -> None:
    """And says the same to each record: the user touched, why it is no event, or nothing."""
    records = log_of(numbers)
    state, said = one_by_one(records, bounds)
    other, other_said = in_cuts(records, bounds, sizes)

    assert in_bytes(other) == in_bytes(state)
    assert told(other_said) == told(said)


@pytest.mark.parametrize(
    ("max_users", "max_items", "max_idle_ms"),
    [(20, 32, 2 * DAY_MS), (20, 10_000, 400 * DAY_MS), (10_000, 16, 400 * DAY_MS), (10_000, 10_000, 400 * DAY_MS)],
)
def test_long_batches_in_which_users_and_items_are_evicted(
    max_users: int, max_items: int, max_idle_ms: int, runs: list[tuple[int, int]]
) -> None:
    """3,000 records at once, and in large slices: batches are full, or end early where somebody has to go."""
    bounds = FoldSettings(
        cooccurrence=CooccurrenceSettings(n_history=4, n_keep=10),
        history=FACTORS,
        max_seen=8,
        max_users=max_users,
        max_items=max_items,
        max_idle_ms=max_idle_ms,
        evaluate_fraction=1.0,
    )
    records = made_log(5, 3_000, n_users=40, n_items=200)
    state, said = one_by_one(records, bounds)
    assert max(n for n, _ in runs) == 1
    for sizes in ([], [700, 1, 255, 256, 257, 512]):
        runs.clear()
        other, other_said = in_cuts(records, bounds, sizes)
        assert everything(other) == everything(state)
        assert told(other_said) == told(said)
        longest = max(n for n, _ in runs)
        assert longest == MAX_EVENTS if max_items > 1_000 and max_users > 1_000 else 1 < longest <= MAX_EVENTS

    happened = Counter(state.metrics.counts)
    assert (happened["users_evicted"] > 100) == (max_users < 1_000)
    assert (happened["items_evicted"] > 100) == (max_items < 1_000)
    assert happened["waiting_evicted"] > 500 and happened["duplicates"] > 20 and happened["late"] > 50


def test_pools_that_grow_in_the_middle_of_a_batch(runs: list[tuple[int, int]]) -> None:
    """The kernel stops before the event that has no room, the pools grow, and it goes on with that very event."""
    records = made_log(6, 2_000, n_users=60, n_items=400)
    state, _ = one_by_one(records, WIDE)
    runs.clear()
    other, _ = in_cuts(records, WIDE, [])
    stops = [n_left for _, n_left in runs if n_left]

    assert len(stops) >= 3
    assert any(n_left < n for n, n_left in runs if n_left), "some events of the batch had been folded"
    assert everything(other) == everything(state)


def test_plain_kernels_stay_within_their_arrays() -> None:
    """Batches over pools that grow and rows that are cut: the plain twins, which check every index, agree."""
    bounds = FoldSettings(
        cooccurrence=CooccurrenceSettings(n_history=6, n_keep=3), history=FACTORS, max_seen=20, evaluate_fraction=0.2
    )
    records = made_log(9, 700, n_users=12, n_items=150)
    state, _ = in_cuts(records, bounds, [])
    with plain_kernels():
        plain, _ = in_cuts(records, bounds, [300])

    assert in_bytes(plain) == in_bytes(state)


def test_one_user_and_one_item_over_and_over() -> None:
    """Every event of a batch meets what the one before has left, equal timestamps and new ones."""
    records = [record(n, "u1", f"i{n % 3}", at_ms=START_MS + n // 4 * HOUR_MS) for n in range(2 * MAX_EVENTS + 1)]
    state, _ = one_by_one(records, WIDE)

    assert everything(in_cuts(records, WIDE, [])[0]) == everything(state)
    assert state.metrics.counts == {"events": 2 * MAX_EVENTS + 1}


@pytest.mark.parametrize("known_before", [False, True])
def test_lists_are_of_the_items_of_before(known_before: bool) -> None:
    """A new item that needs another one's place: the lists that its event is scored on still name the other.

    Nor do they name the new one; and they stand as they are for the next event of that timestamp.
    """
    bounds = FoldSettings(history=FACTORS, evaluate_fraction=1.0, max_items=4)
    log = [record(n, f"v{n}", item_id) for n, item_id in enumerate("abcd")]
    log += [record(4, "u1", "b")] if known_before else []
    late = START_MS + HOUR_MS
    log += [record(5, "u1", "x", at_ms=late), record(6, "u1", "y", at_ms=late)]
    for sizes in ([], [5], [1] * 9):
        state, _ = in_cuts(log, bounds, sizes)
        user = state.users.get("u1")
        assert user is not None and user.waiting is not None
        expected = {hash64(item_id) for item_id in ("acd" if known_before else "abcd")}
        assert set(user.waiting.lists[POPULARITY]) == expected
        assert state.metrics.counts["items_evicted"] == 2 and not {"a", "c"} <= state.items.slots.keys()


def n_bytes(state: PartitionState) -> int:
    """Of every array of users and items, their pools and indexes included; the bytes of users not decoded yet."""
    owners: list[object] = [state.users, state.items, state.items.pairs.rows]
    owners += [each for owner in (state.users, state.items) for each in vars(owner).values()]
    arrays = [vars(owner).values() for owner in owners if hasattr(owner, "__dict__")]
    return sum(each.nbytes for values in arrays for each in values if isinstance(each, np.ndarray))


def test_memory_is_bounded() -> None:
    """Ten times the events, users and items take no more than a full state has: what is freed is used again."""
    bounds = FoldSettings(
        cooccurrence=CooccurrenceSettings(n_history=4, n_keep=5),
        history=FACTORS,
        max_seen=16,
        max_users=64,
        max_items=64,
        evaluate_fraction=0.1,
    )
    few, many = (in_cuts(made_log(12, n, n // 20, n // 20), bounds, [])[0] for n in (2_000, 20_000))

    assert many.metrics.counts["users_evicted"] > 1_000 and many.metrics.counts["items_evicted"] > 1_000
    assert n_bytes(many) < 1.5 * n_bytes(few)


def test_records_folded_before_are_passed_over() -> None:
    """In the middle of a slice as anywhere: nothing is said, nothing changes."""
    records = made_log(7, 50)
    state = folded(records)
    before = everything(state)

    assert fold_all(state, [*records[10:], *records]) == [None] * 90
    assert fold_all(state, []) == []
    assert everything(state) == before


def with_a_damaged_user(records: list[Record]) -> PartitionState:
    """A state after some records, in which the stored bytes of `u0` are those of another number of factors."""
    user, state = UserState(), PartitionState(0, 1, FoldSettings(history=FACTORS))
    user.factors, user.last_ms = np.ones(3), START_MS
    state.apply_user(b"u0", user.encode())
    state.finish_load()
    fold_all(state, records)
    return state


@pytest.mark.parametrize("at", [0, 1, 20])
def test_an_error_in_the_middle_leaves_a_state_that_gives_no_cut(at: int) -> None:
    """Neither at once nor later, whatever is folded after it; the message says which partition, and why."""
    state = with_a_damaged_user([])
    log = [record(n, f"v{n % 4}", f"i{n % 7}") for n in range(40)]
    log[at] = record(at, "u0", "i1")
    with pytest.raises(StateError, match="user 'u0' is damaged"):
        fold_all(state, log)
    for _ in range(2):
        with pytest.raises(StateError, match="partition 0 was left in the middle of a record: nothing of it is saved"):
            state.cut(-1)
        state.fold(*record(100 + at, "v9", "i1"))


def test_an_error_while_a_batch_runs_leaves_no_cut() -> None:
    """Whoever listens to the tests may fail as well, after all has been folded."""

    def fail(user_id: str, item_id: str, how: int) -> None:
        raise RuntimeError("the listener is broken")

    state = PartitionState(0, 1, WIDE)
    state.evaluator.on_test = fail
    with pytest.raises(RuntimeError, match="broken"):
        fold_all(state, made_log(3, 100))
    with pytest.raises(StateError, match="left in the middle"):
        state.begin_cut(-1)


def test_a_cut_begun_before_the_error_is_still_whole() -> None:
    """It holds what was when it began, not what the broken slice has changed since."""
    log = [record(n, f"v{n % 4}", f"i{n % 7}") for n in range(40)]
    state, expected = with_a_damaged_user(log), with_a_damaged_user(log).cut(-1)
    state.begin_cut(-1)
    with pytest.raises(StateError, match="user 'u0' is damaged"):
        fold_all(state, [*(record(100 + n, f"v{n % 3}", f"i{n % 9}") for n in range(20)), record(200, "u0", "i1")])
    cut = state.end_cut()

    assert (cut.marker, dict(cut.items)) == (expected.marker, dict(expected.items))
    assert dict(cut.users) == dict(expected.users)


def test_a_dead_letter_is_no_error_of_the_state() -> None:
    """It is told, and the state is cut as ever."""
    state = PartitionState(0, 1, WIDE)
    said = fold_all(state, [record(0, "u1", "a"), Record(1, 1, b"u1", b"?"), record(2, "u1", "b")])

    assert [type(each) for each in said] == [str, InvalidEvent, str]
    assert state.cut(-1).marker.next_offset == 3
