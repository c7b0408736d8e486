"""Intervals of paired differences over users."""

import numpy as np
import pytest

from models.bootstrap import paired_differences


def test_users_of_one_test_each_give_the_textbook_error() -> None:
    """The standard error of a mean, and an interval about twice as wide to each side."""
    random = np.random.default_rng(1)
    values = random.integers(0, 2, (2000, 2)).astype(float)
    paired = values[:, 0] - values[:, 1]

    (found,) = paired_differences(np.arange(2000), values)

    error = paired.std(ddof=1) / np.sqrt(2000)
    assert found.mean == pytest.approx(paired.mean(), abs=1e-12)
    assert found.standard_error == pytest.approx(error, rel=0.1)
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.15)
    assert found.low < found.mean < found.high


def test_events_of_one_user_count_as_one_observation() -> None:
    """Ten equal tests of each user are no more certain than one of each."""
    random = np.random.default_rng(2)
    once = random.integers(0, 2, (300, 2)).astype(float)

    (of_one,) = paired_differences(np.arange(300), once)
    (of_ten,) = paired_differences(np.repeat(np.arange(300), 10), np.repeat(once, 10, axis=0))

    assert of_ten.mean == pytest.approx(of_one.mean)
    assert of_ten.standard_error == pytest.approx(of_one.standard_error)


def test_the_same_list_twice_differs_by_nothing() -> None:
    """Pairing takes away what both have in common; the same seed gives the same numbers, another one others."""
    random = np.random.default_rng(3)
    users, one = random.integers(0, 40, 500), random.random(500)
    values = np.stack([one, one, random.random(500)], axis=1)

    same, other = paired_differences(users, values)

    assert (same.mean, same.low, same.high, same.standard_error) == (0.0, 0.0, 0.0, 0.0)
    assert paired_differences(users, values)[1] == other
    assert paired_differences(users, values, seed=1)[1].low != other.low


def test_without_tests_there_is_no_difference() -> None:
    """Nothing to draw from, nothing said."""
    assert paired_differences(np.zeros(0, np.int64), np.zeros((0, 3))) == []
