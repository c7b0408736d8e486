"""Counts by type and window: which bucket an event falls into, when it leaves, what is late."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.window_kernels import TRIM_EVERY
from models.windows import WINDOWS
from tables.windows import WindowCounts
from tests.logs import DAY_MS, HOUR_MS, MINUTE_MS
from tests.window_counts import Counted

START_MS = 1000 * 7 * DAY_MS  # a bucket edge of every window
MINUTE = 0
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from((0, 0, 1, 4_999, 5_000, MINUTE_MS, HOUR_MS, 7 * HOUR_MS, 3 * DAY_MS)),
        st.sampled_from((0, 0, 0, 1, 5_000, HOUR_MS, DAY_MS)),
        st.booleans(),
    ),
    max_size=30,
)


def counted(*times_ms: int, as_of_ms: int | None = None) -> WindowCounts:
    """Events of type 0; as of the greatest time so far, or of a fixed one."""
    rows, now_ms = Counted(), 0
    for time_ms in times_ms:
        now_ms = max(now_ms, time_ms)
        rows.add(0, 0, time_ms, as_of_ms or now_ms)
    return rows.of(0)


def windows(counts: WindowCounts, as_of_ms: int) -> list[int]:
    """Counts of type 0 in 1m, 1h, 1d, 7d."""
    found = dict(counts.features({0: "view"}, as_of_ms))
    return [found[f"view_{window.name}"] for window in WINDOWS]


@pytest.mark.parametrize(
    ("later_ms", "expected"),
    [
        #  event x, as of |:      1m  |----x----|
        (0, [1, 1, 1, 1]),  # x|
        (59_999, [1, 1, 1, 1]),  # x-----------|    12 buckets of 5 s are alive
        (60_000, [0, 1, 1, 1]),  # x------------|   the 13th is not
        (HOUR_MS - 1, [0, 1, 1, 1]),
        (HOUR_MS, [0, 0, 1, 1]),
        (DAY_MS - 1, [0, 0, 1, 1]),
        (DAY_MS, [0, 0, 0, 1]),
        (7 * DAY_MS - 1, [0, 0, 0, 1]),
        (7 * DAY_MS, [0, 0, 0, 0]),
    ],
)
def test_an_event_leaves_each_window_when_its_bucket_does(later_ms: int, expected: list[int]) -> None:
    """Read at the bucket's edge and one millisecond before it."""
    assert windows(counted(START_MS), START_MS + later_ms) == expected


@pytest.mark.parametrize(
    ("time_ms", "in_minute"),
    [
        #  |s0...|s1...|                     |s12..|   as of: the first ms of s12
        (START_MS, False),  # x in s0
        (START_MS + 4_999, False),  # the last ms of s0: its whole bucket is out
        (START_MS + 5_000, True),  # the first of s1
        (START_MS + 60_000, True),
    ],
)
def test_buckets_leave_as_a_whole(time_ms: int, in_minute: bool) -> None:
    """A window is as wide as it says to the precision of one step."""
    assert windows(counted(time_ms), START_MS + 60_000)[MINUTE] == in_minute


def test_equal_times_count_each() -> None:
    """Three events of one millisecond are three."""
    assert windows(counted(START_MS, START_MS, START_MS), START_MS) == [3, 3, 3, 3]


def test_out_of_order_events_land_in_their_own_bucket() -> None:
    """The second event is 50 s older than the first, and leaves the minute first.

    |..b.........a|        both alive
       |.........a...|     b has left
    """
    counts = counted(START_MS + 50_000, START_MS)

    assert windows(counts, START_MS + 50_000)[MINUTE] == 2
    assert windows(counts, START_MS + 60_000)[MINUTE] == 1


def test_an_event_out_of_a_window_still_counts_in_the_wider_ones() -> None:
    """Two hours out of order: not in the minute and the hour, but in day, week and total."""
    counts = counted(START_MS, START_MS - 2 * HOUR_MS)

    assert windows(counts, START_MS) == [1, 1, 2, 2]
    assert counts.totals == {0: 2}


def test_an_event_out_of_a_window_makes_no_bucket_there() -> None:
    """Exactly a minute behind: three buckets, not four; state does not grow by what nobody can read."""
    assert len(counted(START_MS, as_of_ms=START_MS + MINUTE_MS).buckets) == 3
    assert len(counted(START_MS, as_of_ms=START_MS + MINUTE_MS - 1).buckets) == 4


def test_late_events_count_in_the_total_only() -> None:
    """`late` says that the partition's grace is over."""
    rows = Counted()
    rows.add(0, 0, START_MS, START_MS)
    rows.add(0, 0, START_MS - HOUR_MS, START_MS, late=True)

    assert windows(rows.of(0), START_MS) == [1, 1, 1, 1]
    assert rows.of(0).totals == {0: 2}


def test_what_is_out_of_every_window_goes_when_buckets_have_grown() -> None:
    """Event by event a week apart: the eighth fills bucket 32, and all but its own four go; totals stay."""
    times = [START_MS + 7 * DAY_MS * number for number in range(TRIM_EVERY // len(WINDOWS))]
    assert len(counted(*times[:-1]).buckets) == TRIM_EVERY - len(WINDOWS)

    counts = counted(*times)
    assert len(counts.buckets) == len(WINDOWS)
    assert counts.totals == {0: len(times)}
    assert windows(counts, times[-1]) == [1, 1, 1, 1]


def test_a_late_event_leaves_every_bucket_alone() -> None:
    """It makes none and drops none."""
    rows = Counted()
    rows.add(0, 0, START_MS, START_MS)
    before = rows.of(0).buckets
    rows.add(0, 0, START_MS, START_MS + 8 * DAY_MS, late=True)

    assert rows.of(0).buckets == before


def test_buckets_are_bounded() -> None:
    """A year of events with many types and out-of-order times: never more than are alive, and 32 to spare."""
    rng, rows, n_alive = random.Random(1), Counted(), 3 * sum(window.n_buckets for window in WINDOWS)
    for number in range(20_000):
        now_ms = START_MS + 26 * MINUTE_MS * number
        rows.add(0, number % 3, now_ms - rng.choice((0, 0, HOUR_MS, DAY_MS)), now_ms)
        assert rows.buckets.length[0] < n_alive + TRIM_EVERY


def test_types_are_apart() -> None:
    """Each type has its own buckets and totals, the greatest number too."""
    rows = Counted()
    rows.add(0, 0, START_MS, START_MS)
    rows.add(0, 65_535, START_MS, START_MS)
    decoded, _ = WindowCounts.decode(memoryview(rows.of(0).encode()))
    found = dict(decoded.features({0: "view", 1: "click", 65_535: "like"}, START_MS))

    assert {name: n for name, n in found.items() if name.endswith("_1d")} == {"view_1d": 1, "like_1d": 1}


def test_features_name_every_window_of_the_types_ever_seen() -> None:
    """In the order of the types' numbers; what is out of a window is 0, what was never seen is not there."""
    rows = Counted()
    rows.add(0, 2, START_MS, START_MS)
    rows.add(0, 0, START_MS, START_MS + 2 * DAY_MS)
    found = dict(rows.of(0).features(dict(enumerate(("view", "click", "like"))), START_MS + 2 * DAY_MS))

    assert found == {
        "view_1m": 0,
        "view_1h": 0,
        "view_1d": 0,
        "view_7d": 1,
        "view_all": 1,
        "like_1m": 0,
        "like_1h": 0,
        "like_1d": 0,
        "like_7d": 1,
        "like_all": 1,
    }
    assert next(iter(found)) == "view_1m"


@given(events=EVENTS, reload_at=st.integers(0, 30))
def test_counts_against_the_list_of_events(events: list[tuple[int, int, int, bool]], reload_at: int) -> None:
    """With a clock that never falls, every window holds exactly the events whose bucket is alive, loaded or not."""
    rows, plain, now_ms = Counted(), Counted(), START_MS
    kept: list[tuple[int, int]] = []
    for number, (event_type, step_ms, lag_ms, late) in enumerate(events):
        now_ms += step_ms
        if number == reload_at:
            again, _ = WindowCounts.decode(memoryview(rows.of(0).encode()))
            rows = Counted()
            rows.put(0, again)
        for each in (rows, plain):
            each.add(0, event_type, now_ms - lag_ms, now_ms, late)
        if not late:
            kept.append((event_type, now_ms - lag_ms))
    counts, names = rows.of(0), ("a", "b", "c", "d")
    features = dict(counts.features(dict(enumerate(names)), now_ms))
    for window in WINDOWS:
        floor = now_ms // window.step_ms - window.n_buckets
        for event_type in range(4):
            alive = sum(t == event_type and time_ms // window.step_ms > floor for t, time_ms in kept)
            assert features.get(f"{names[event_type]}_{window.name}", 0) == alive
    assert sum(counts.totals.values()) == len(events)
    assert counts.encode() == plain.of(0).encode()
    assert counts.canonical() == plain.of(0).canonical()


@given(events=EVENTS)
def test_round_trip(events: list[tuple[int, int, int, bool]]) -> None:
    """What is read is what was written, in the same order, and the length is told; what follows is left alone."""
    rows, now_ms = Counted(), START_MS
    rows.put(0, WindowCounts())
    for event_type, step_ms, lag_ms, late in events:
        now_ms += step_ms
        rows.add(0, event_type, now_ms - lag_ms, now_ms, late)
    counts = rows.of(0)
    data = counts.encode()
    decoded, size = WindowCounts.decode(memoryview(data + b"more"))

    assert size == len(data)
    assert decoded.encode() == data
    assert (decoded.totals, decoded.buckets) == (counts.totals, counts.buckets)
