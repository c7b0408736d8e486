"""Decayed counts: halved every half window, nothing after a whole one, and late events decayed as they come."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.trending import Trending, decay_factors
from models.windows import TRENDING_WINDOWS
from tests.learning import trend
from tests.logs import DAY_MS, HOUR_MS, MINUTE_MS

HOUR, DAY, WEEK = range(3)
START_MS = 1000 * 7 * DAY_MS  # a bucket edge of every window


def one(*events: tuple[int, float]) -> Trending:
    """Slot 0 after events of (time, weight)."""
    model = Trending()
    for time_ms, weight in events:
        trend(model, 0, weight, time_ms)
    return model


@pytest.mark.parametrize("index", [HOUR, DAY, WEEK])
def test_a_count_halves_every_half_window(index: int) -> None:
    """1 at once, 1/2 after half a window, and 0 after a whole one, falling all the way."""
    window = TRENDING_WINDOWS[index]
    factors = decay_factors(window)

    assert factors[0] == 1.0
    assert factors[window.n_buckets // 2] == pytest.approx(0.5)
    assert factors[-1] == 0.0
    assert (np.diff(factors) < 0).all()
    assert len(factors) == window.n_buckets + 1


@pytest.mark.parametrize(
    ("later_ms", "expected"),
    [
        #  |.........x.........|
        (0, 1.0),
        (MINUTE_MS - 1, 1.0),  # the same bucket
        (MINUTE_MS, 0.5 ** (1 / 30)),  # the next one
        (30 * MINUTE_MS, 0.5),
        (59 * MINUTE_MS + 59_999, 0.5 ** (59 / 30)),  # the last moment of the window
        (HOUR_MS, 0.0),  # a whole window
        (10 * DAY_MS, 0.0),
    ],
)
def test_an_event_ages_in_steps_of_its_bucket(later_ms: int, expected: float) -> None:
    """The hour's score of one event, some time later."""
    model = one((START_MS, 1.0))

    assert model.scores(HOUR, START_MS + later_ms, 1).tolist() == pytest.approx([expected])


def test_equal_times_add_up() -> None:
    """Three events of one moment count their weights."""
    assert one((START_MS, 1.0), (START_MS, 0.5), (START_MS, 1.0)).scores(WEEK, START_MS, 1).tolist() == [2.5]


def test_out_of_order_events_give_the_score_of_the_order() -> None:
    """An event half an hour late is decayed on arrival, as if it had come in time."""
    late = one((START_MS + 30 * MINUTE_MS, 1.0), (START_MS, 1.0))
    ordered = one((START_MS, 1.0), (START_MS + 30 * MINUTE_MS, 1.0))

    assert late.scores(HOUR, START_MS + 30 * MINUTE_MS, 1).tolist() == pytest.approx([1.5])
    assert late.scores(HOUR, START_MS + HOUR_MS, 1) == pytest.approx(ordered.scores(HOUR, START_MS + HOUR_MS, 1))


def test_an_event_older_than_the_window_adds_nothing_to_it() -> None:
    """A day late: nothing in the hour and in the day, something in the week."""
    model = one((START_MS + DAY_MS, 1.0), (START_MS, 1.0))

    assert [model.scores(window, START_MS + DAY_MS, 1)[0] for window in (HOUR, DAY)] == [1.0, 1.0]
    assert model.scores(WEEK, START_MS + DAY_MS, 1)[0] == pytest.approx(1.0 + 0.5 ** (1 / 3.5))


def test_a_time_before_the_last_event_reads_the_undecayed_count() -> None:
    """As of a moment in the past the score is not more than what was counted."""
    assert one((START_MS, 2.0)).scores(HOUR, START_MS - DAY_MS, 1).tolist() == [2.0]


@given(events=st.lists(st.tuples(st.integers(0, 200), st.sampled_from((0.5, 1.0, 2.0))), max_size=30))
def test_scores_against_every_single_event(events: list[tuple[int, float]]) -> None:
    """In time order, a score is the sum of every event's weight times the factor of its age, while none is too old."""
    events.sort()
    model = one(*((START_MS + minute * MINUTE_MS // 4, weight) for minute, weight in events))
    as_of_ms = START_MS + 50 * MINUTE_MS
    factors = decay_factors(TRENDING_WINDOWS[HOUR])
    expected = sum(weight * factors[50 - minute // 4] for minute, weight in events)

    assert model.scores(HOUR, as_of_ms, 1)[0] == pytest.approx(expected)


def test_clear_forgets_one_slot_only() -> None:
    """A slot that changes hands starts at nothing."""
    model = Trending()
    trend(model, 3, 1.0, START_MS)
    trend(model, 4, 1.0, START_MS)
    model.clear(3)

    assert model.scores(WEEK, START_MS, 6).tolist() == [0, 0, 0, 0, 1, 0]


def test_slots_beyond_the_first_arrays() -> None:
    """Growing keeps what was counted."""
    model = one((START_MS, 1.0))
    trend(model, 1_000, 1.0, START_MS)

    assert np.flatnonzero(model.scores(DAY, START_MS, 1_001)).tolist() == [0, 1_000]
