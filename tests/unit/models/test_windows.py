"""Windows in event time and the partition's clock."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.windows import TRENDING_WINDOWS, WINDOWS, EventClock

SIGHTINGS = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 20)), max_size=40)


def clock_of(*sightings: tuple[str, int]) -> EventClock:
    """A clock that saw users' last times (which never fall) in this order."""
    clock = EventClock()
    last: dict[str, int] = {}
    for user_id, time_ms in sightings:
        last[user_id] = max(time_ms, last.get(user_id, 0))
        clock.observe(user_id, last[user_id])
    return clock


def test_windows_are_whole_numbers_of_buckets() -> None:
    """Every width divides into its step; the three widest trend."""
    assert [(window.name, window.n_buckets) for window in WINDOWS] == [("1m", 12), ("1h", 60), ("1d", 48), ("7d", 56)]
    for window in WINDOWS:
        assert window.width_ms % window.step_ms == 0
    assert [window.name for window in TRENDING_WINDOWS] == ["1h", "1d", "7d"]


def test_clock_before_the_first_event() -> None:
    """No user, no time."""
    assert EventClock().now_ms == 0


@pytest.mark.parametrize(
    ("sightings", "now_ms"),
    [
        #   a           |--------*              one user: its own last time
        ([("a", 80)], 80),
        ([("a", 80), ("a", 90)], 90),
        #   a           |--------*
        #   b           |---*                   two users: the lower
        ([("a", 80), ("b", 30)], 30),
        ([("b", 30), ("a", 80)], 30),
        #   c           |-*                     three users: the lowest is the third-greatest
        ([("a", 80), ("b", 30), ("c", 10)], 10),
        #   d           |-----*                 four users: 80 50 [30] 10
        ([("a", 80), ("b", 30), ("c", 10), ("d", 50)], 30),
        ([("d", 50), ("c", 10), ("b", 30), ("a", 80)], 30),
        #   three users at one time
        ([("a", 80), ("b", 80), ("c", 80), ("d", 1)], 80),
    ],
)
def test_clock_is_the_third_greatest_last_time(sightings: list[tuple[str, int]], now_ms: int) -> None:
    """Below three users the lowest known, from then on the third from above."""
    assert clock_of(*sightings).now_ms == now_ms


def test_one_wrong_stamp_or_two_do_not_move_the_clock() -> None:
    """With three users known, two users may be a year ahead: the clock stays among the others."""
    clock = clock_of(("a", 80), ("b", 90), ("c", 70), ("d", 75))
    assert clock.now_ms == 75

    clock.observe("a", 31_536_000_000)
    assert clock.now_ms == 75
    clock.observe("e", 31_536_000_000)

    assert clock.now_ms == 90


def test_one_user_cannot_move_the_clock_alone() -> None:
    """However often one user's time leaps, the clock keeps to the others."""
    clock = clock_of(("a", 80), ("b", 90), ("c", 70))
    for time_ms in (10**6, 10**9, 10**12):
        clock.observe("a", time_ms)

    assert clock.now_ms == 70


@given(sightings=SIGHTINGS, cut=st.integers(0, 40))
def test_clock_against_all_last_times(sightings: list[tuple[str, int]], cut: int) -> None:
    """Three entries are enough to know the third-greatest of all; a clock made from `latest` goes on unchanged."""
    clock = EventClock()
    last: dict[str, int] = {}
    for number, (user_id, time_ms) in enumerate(sightings):
        if number == cut:
            clock = EventClock(clock.latest)
        last[user_id] = max(time_ms, last.get(user_id, 0))
        clock.observe(user_id, last[user_id])
        greatest = sorted(last.values(), reverse=True)[:3]
        assert clock.now_ms == greatest[-1]
        assert [time_ms for time_ms, _ in clock.latest] == greatest


def test_order_of_arrival_does_not_matter_to_the_time() -> None:
    """Any order of the same last times tells the same time."""
    rng = random.Random(5)
    sightings = [(f"u{number}", rng.randrange(1, 50)) for number in range(20)]
    expected = clock_of(*sightings).now_ms
    for _ in range(50):
        rng.shuffle(sightings)
        assert clock_of(*sightings).now_ms == expected
