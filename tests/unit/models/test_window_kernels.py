"""Counting in windows over rows, against the counts of one user in plain Python; compiled and plain."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import window_kernels
from models.window_kernels import TRIM_EVERY
from models.windows import WINDOWS
from tables.windows import WindowCounts
from tests.logs import DAY_MS, HOUR_MS, MINUTE_MS
from tests.plain import plain_kernels
from tests.window_counts import Counted, count

START_MS = 1000 * 7 * DAY_MS  # a bucket edge of every window
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 2),  # whose
        st.sampled_from((0, 1, 3, 65_535)),
        st.sampled_from((0, 0, 1, 4_999, 5_000, MINUTE_MS, HOUR_MS, 7 * HOUR_MS, 3 * DAY_MS, 8 * DAY_MS)),
        st.sampled_from((0, 0, 0, 1, 5_000, MINUTE_MS, HOUR_MS, DAY_MS, 9 * DAY_MS)),
        st.booleans() | st.just(False),
    ),
    max_size=60,
)


@contextmanager
def compiled_kernels() -> Iterator[None]:
    """As they are."""
    yield


MODES = {"compiled": compiled_kernels, "plain": plain_kernels}


@given(events=EVENTS, mode=st.sampled_from(list(MODES)))
def test_rows_count_what_plain_counts_do(events: list[tuple[int, int, int, int, bool]], mode: str) -> None:
    """After every event the same bytes, in the same order, for each of three rows; late ones count in the total."""
    counted, plain, now_ms = Counted(), [WindowCounts() for _ in range(3)], START_MS
    with MODES[mode]():
        for row, kind, step_ms, lag_ms, late in events:
            now_ms += step_ms
            counted.add(row, kind, now_ms - lag_ms, now_ms, late)
            count(plain[row], kind, now_ms - lag_ms, now_ms, late)
            assert counted.of(row).encode() == plain[row].encode()
    assert [counted.of(row).encode() for row in range(3)] == [each.encode() for each in plain]


@pytest.mark.parametrize("mode", MODES)
def test_a_long_log_is_trimmed_alike(mode: str) -> None:
    """Thousands of buckets come and go, some in front of their clock; rows that are trimmed stay apart."""
    rng, counted, plain, now_ms = random.Random(4), Counted(), [WindowCounts() for _ in range(3)], START_MS
    n_trimmed = 0
    with MODES[mode]():
        for _ in range(2_000):
            row, kind, lag_ms = rng.randrange(3), rng.randrange(3), rng.choice((0, 0, HOUR_MS, DAY_MS, -MINUTE_MS))
            now_ms += rng.choice((0, 5_000, 26 * MINUTE_MS))
            before = len(plain[row].buckets)
            as_of_ms = max(now_ms, now_ms - lag_ms)
            counted.add(row, kind, now_ms - lag_ms, as_of_ms)
            count(plain[row], kind, now_ms - lag_ms, as_of_ms)
            n_trimmed += len(plain[row].buckets) < before

    assert n_trimmed > 20
    assert [counted.of(row).encode() for row in range(3)] == [each.encode() for each in plain]


@pytest.mark.parametrize("mode", MODES)
def test_what_is_out_of_every_window_goes_when_buckets_have_grown(mode: str) -> None:
    """A week apart: the eighth event fills bucket 32, and all but its own four go."""
    counted, sizes = Counted(), []
    with MODES[mode]():
        for number in range(TRIM_EVERY // len(WINDOWS)):
            counted.add(0, 1, START_MS + 7 * DAY_MS * number, START_MS + 7 * DAY_MS * number)
            sizes.append(len(counted.of(0).buckets))

    assert sizes == [4, 8, 12, 16, 20, 24, 28, 4]
    assert counted.of(0).totals == {1: 8}


@pytest.mark.parametrize("mode", MODES)
def test_trimming_keeps_the_order_and_leaves_other_rows_alone(mode: str) -> None:
    """What is alive stays in the order it came in; a window is over at the edge of a bucket."""
    counted = Counted()
    with MODES[mode]():
        for row in (0, 1):
            for minutes in (0, 90, 30, 100):
                counted.add(row, 2, START_MS + minutes * MINUTE_MS, START_MS)
        before = list(counted.of(0).buckets.items())
        as_of_ms = START_MS + 101 * MINUTE_MS
        window_kernels.trim(counted.buckets.arrays(), 0, as_of_ms)
    alive = []
    for code, n in before:
        window = WINDOWS[code >> window_kernels.BUCKET_BITS & 3]
        if (code & window_kernels.BUCKET_MASK) > as_of_ms // window.step_ms - window.n_buckets:
            alive.append((code, n))

    assert list(counted.of(0).buckets.items()) == alive
    assert 0 < len(alive) < len(before)
    assert list(counted.of(1).buckets.items()) == before


@pytest.mark.parametrize("mode", MODES)
def test_a_late_event_leaves_every_bucket_alone(mode: str) -> None:
    """It makes none and drops none."""
    counted = Counted()
    with MODES[mode]():
        counted.add(0, 1, START_MS, START_MS)
        before = counted.of(0).buckets
        counted.add(0, 1, START_MS, START_MS + 30 * DAY_MS, late=True)

    assert counted.of(0).buckets == before
    assert counted.of(0).totals == {1: 2}
