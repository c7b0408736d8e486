"""The oracle against the fold: they agree on every log, and the verdict sees every way in which they could not."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.bench.oracle import GRACE_MS, WEIGHTS, Oracle
from app.bench.verdict import MAX_DIFFERENCES, Verdict
from models.cooccurrence import CooccurrenceSettings
from tables.fold_settings import FoldSettings
from tables.partition import PartitionState
from tables.user_state import UserState
from tests.learning import pair
from tests.users import put

NOW = 1_700_000_000_000
DAY = 86_400_000
FOLD = FoldSettings(cooccurrence=CooccurrenceSettings(n_keep=2000))

Record = tuple[bytes | None, bytes | None]

TIMES = st.one_of(
    st.integers(NOW - 12 * DAY, NOW),
    st.integers(NOW - 120_000, NOW),
    st.integers(NOW - GRACE_MS - 2, NOW - GRACE_MS + 2),
    st.sampled_from((NOW, NOW - 60_000, NOW - 55_000, NOW + 300_000, NOW + 300_001)),
)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """One record: mostly an event of few users and items, sometimes one that is no event."""
    user_id = draw(st.sampled_from("abcdef"))
    event: dict[str, object] = {
        "user_id": user_id,
        "item_id": draw(st.sampled_from(["i", "j", "k", "ü", *(f"i{n}" for n in range(30))])),
        "event_type": draw(st.sampled_from(sorted(WEIGHTS))),
        "timestamp": draw(TIMES),
        "event_id": draw(st.one_of(st.none(), st.integers(0, 40).map(str))),
        "value": draw(st.one_of(st.none(), st.sampled_from((0.5, 3.99, 4, 4.0, 5)))),
    }
    odd = draw(st.integers(0, 40))
    if odd == 0:
        return b"someone", json.dumps(event).encode()
    if odd == 1:
        return user_id.encode(), json.dumps(event).encode()[:-1]
    if odd == 2:
        del event[draw(st.sampled_from(sorted(event)))]
    return user_id.encode(), json.dumps(event).encode()


def empty() -> PartitionState:
    """The only partition, before its first record."""
    return PartitionState(0, 1, FOLD)


def folded(log: list[Record]) -> tuple[Oracle, PartitionState]:
    """Both after a log."""
    oracle, state = Oracle(), empty()
    for offset, (key, value) in enumerate(log):
        oracle.add(NOW, key, value)
        state.fold(offset, NOW, key, value)
    return oracle, state


def judged(oracle: Oracle, state: PartitionState) -> Verdict:
    """The verdict on one partition."""
    verdict = Verdict()
    verdict.judge(oracle, state)
    return verdict


def event(user_id: str, item_id: str, seconds: int = 0) -> Record:
    """A view."""
    fields = {
        "user_id": user_id,
        "item_id": item_id,
        "event_type": "view",
        "timestamp": NOW - 10 * DAY + 1000 * seconds,
    }
    return user_id.encode(), json.dumps(fields).encode()


@given(st.lists(records(), max_size=150))
@settings(max_examples=150, deadline=None)
def test_the_fold_does_what_the_oracle_says(log: list[Record]) -> None:
    """Counts, windows, histories, pairs and counters, whatever comes: repeated, late, out of order, malformed."""
    verdict = judged(*folded(log))

    assert verdict.differences == []
    assert verdict.exact and verdict.expected == verdict.counted


@given(st.lists(records(), max_size=120), st.lists(st.integers(1, 40), max_size=6))
@settings(max_examples=60, deadline=None)
def test_cuts_and_loads_in_between_change_nothing(log: list[Record], cuts: list[int]) -> None:
    """State saved by cuts of what changed, and loaded from the newest value of each key, is the oracle's still."""
    oracle, state = Oracle(), empty()
    users: dict[bytes, bytes | None] = {}
    items: dict[bytes, bytes | None] = {}
    offset = 0
    for size in [*cuts, len(log)]:
        for key, value in log[offset : offset + size]:
            oracle.add(NOW, key, value)
            state.fold(offset, NOW, key, value)
            offset += 1
        cut = state.cut(0)
        users.update(cut.users)
        items.update(cut.items)
        state = empty()
        for key, value in users.items():
            state.apply_user(key, value)
        for key, value in items.items():
            state.items.apply(key.decode(), value)
        state.finish_load()

    assert judged(oracle, state).differences == []
    assert state.next_offset == len(log)


@pytest.mark.parametrize("age_ms", [GRACE_MS, GRACE_MS + 1])
def test_they_draw_the_same_line_between_in_time_and_late(age_ms: int) -> None:
    """To the millisecond, with a clock that three users hold."""
    fields = {"item_id": "i", "event_type": "view", "timestamp": NOW}
    views: list[Record] = [(user_id.encode(), json.dumps(fields | {"user_id": user_id}).encode()) for user_id in "abc"]
    oracle, state = folded([*views, (b"d", json.dumps(fields | {"user_id": "d", "timestamp": NOW - age_ms}).encode())])

    assert judged(oracle, state).exact
    assert oracle.n_late == state.metrics.total("late") == (age_ms > GRACE_MS)


@pytest.mark.parametrize("n_between", [31, 32])
def test_they_remember_the_same_event_ids(n_between: int) -> None:
    """An id is known until 32 others have come."""
    fields = {"user_id": "a", "item_id": "i", "event_type": "view", "timestamp": NOW}
    ids = ["x", *map(str, range(n_between)), "x"]
    oracle, state = folded([(b"a", json.dumps(fields | {"event_id": event_id}).encode()) for event_id in ids])

    assert judged(oracle, state).exact
    assert oracle.n_duplicates == state.metrics.total("duplicates") == (n_between < 32)


def user_of(state: PartitionState, user_id: str) -> UserState:
    """A user that is there."""
    user = state.users.get(user_id)
    assert user is not None
    return user


def lose(state: PartitionState) -> None:
    """Two events of b are missing."""
    user = user_of(state, "b")
    user.n_events -= 2
    put(state.users, "b", user)


def double(state: PartitionState) -> None:
    """Two events of a are counted twice."""
    user = user_of(state, "a")
    user.n_events += 2
    put(state.users, "a", user)


def lose_and_double(state: PartitionState) -> None:
    """Both, so that the sum is right."""
    lose(state)
    double(state)


def forget_user(state: PartitionState) -> None:
    """All of b is missing."""
    state.users.remove("b")


def forget_item(state: PartitionState) -> None:
    """All of k, which has no pairs, is missing."""
    state.items.remove(["k"])


def change_pair(state: PartitionState) -> None:
    """One way of a pair weighs more."""
    state.items.pairs.row(state.items.slots["i"])[1][0] += 0.25


def invent_pair(state: PartitionState) -> None:
    """A pair nobody made, both ways."""
    others = np.array([state.items.slots["k"]], np.int32)
    pair(state.items.pairs, state.items.slots["i"], others, np.array([1.0]))


def drop_pair(state: PartitionState) -> None:
    """The pairs of i, one way, are missing."""
    state.items.pairs.set_row(state.items.slots["i"], np.zeros(0, np.int32), np.zeros(0))


def change_weight(state: PartitionState) -> None:
    """An item's summed weight is another."""
    state.items.weight[state.items.slots["i"]] += 1


def change_history(state: PartitionState) -> None:
    """The same history in another order."""
    user = user_of(state, "a")
    user.recent.reverse()
    put(state.users, "a", user)


def change_bucket(state: PartitionState) -> None:
    """One living bucket counts one more."""
    user = user_of(state, "a")
    user.windows.buckets[max(user.windows.buckets)] += 1
    put(state.users, "a", user)


def change_total(state: PartitionState) -> None:
    """A total counts one less."""
    slot = state.items.slots["i"]
    counts = state.items.windows_of(slot)
    counts.totals[next(iter(counts.totals))] -= 1
    state.items.set_windows(slot, counts)


def change_item_count(state: PartitionState) -> None:
    """An item's number of events is another."""
    state.items.n_events[state.items.slots["i"]] += 1


def change_counter(state: PartitionState) -> None:
    """The partition has counted a late event that was none."""
    state.metrics.add("late")


@pytest.mark.parametrize(
    ("damage", "counted", "lost", "double", "pairs_wrong", "windows_wrong"),
    [
        (lose, 4, 2, 0, 0, 0),
        (double, 8, 0, 2, 0, 0),
        (lose_and_double, 6, 2, 2, 0, 0),
        (forget_user, 4, 2, 0, 1, 5),  # its history; its total and one bucket of each window
        (
            forget_item,
            6,
            0,
            0,
            2,
            6,
        ),  # weight and people; number of events, total, one bucket of each window
        (change_pair, 6, 0, 0, 1, 0),
        (invent_pair, 6, 0, 0, 2, 0),
        (drop_pair, 6, 0, 0, 1, 0),
        (change_weight, 6, 0, 0, 1, 0),
        (change_history, 6, 0, 0, 1, 0),
        (change_bucket, 6, 0, 0, 0, 1),
        (change_total, 6, 0, 0, 0, 1),
        (change_item_count, 6, 0, 0, 0, 1),
        (change_counter, 6, 0, 0, 0, 1),
    ],
)
def test_every_damage_is_seen(
    damage: Callable[[PartitionState], None],
    counted: int,
    lost: int,
    double: int,
    pairs_wrong: int,
    windows_wrong: int,
) -> None:
    """Each kind counts where it belongs, nothing cancels, and the differing key is named."""
    views = [event("a", "i"), event("b", "j"), event("a", "j", 1), event("b", "i", 1), event("c", "k"), event("d", "k")]
    oracle, state = folded(views)
    assert judged(oracle, state).exact

    damage(state)
    verdict = judged(oracle, state)

    assert not verdict.exact
    assert (verdict.expected, verdict.counted) == (6, counted)
    assert (verdict.lost, verdict.double) == (lost, double)
    assert (verdict.pairs_wrong, verdict.windows_wrong) == (pairs_wrong, windows_wrong)
    assert verdict.differences and verdict.differences[0].startswith("partition 0, ")


def test_partitions_add_up_and_only_the_first_differences_are_kept() -> None:
    """A second partition's errors come on top; ten differences are enough to start looking."""
    oracle, state = folded([event(user_id, f"i{user_id}") for user_id in "abcdefghijkl"])
    verdict = Verdict()
    verdict.judge(oracle, empty())
    verdict.judge(oracle, state)
    verdict.judge(Oracle(), state)

    assert (verdict.expected, verdict.counted) == (24, 24)
    assert (verdict.lost, verdict.double) == (12, 12)
    assert len(verdict.differences) == MAX_DIFFERENCES


def test_buckets_dead_by_the_clock_are_not_compared() -> None:
    """What is stored but out of every window may or may not have been trimmed."""
    later = [event(user_id, "k", 8 * 86_400) for user_id in "cde"]
    oracle, state = folded([event("a", "i"), *later])
    user = user_of(state, "a")
    assert user.windows.buckets
    user.windows.buckets.clear()
    put(state.users, "a", user)
    assert not user_of(state, "a").windows.buckets

    assert judged(oracle, state).exact
