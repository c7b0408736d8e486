"""A bounded history of weights: where its points stand, what a full one keeps, what comes back of a stored one."""

from typing import Any

import numpy as np
import pytest

from models.weight_history import MAX_POINTS, WeightHistory


def history(last: int, first: int = 0) -> WeightHistory:
    """Of the weights `a` = n and `b` = -n after n outcomes, put down wherever a point is due."""
    made = WeightHistory("ab", ("0",))
    for n in range(first, last + 1):
        if n % made.every == 0:
            made.add(n, np.array([[float(n), -float(n)]]))
    return made


@pytest.mark.parametrize(
    ("last", "every", "n_points"),
    [(0, 1, 1), (63, 1, 64), (64, 2, 33), (126, 2, 64), (127, 2, 64), (128, 4, 33), (100_000, 2048, 49)],
)
def test_points_cover_the_whole_life(last: int, every: int, n_points: int) -> None:
    """From the first outcome to the last, evenly; half of them go, and twice as far apart, when there are 64."""
    told = history(last).as_json()

    assert told["every"] == every
    assert told["n"] == [*range(0, last + 1, every)]
    assert len(told["n"]) == n_points <= MAX_POINTS
    assert told["weights"] == {"a": {"0": told["n"]}, "b": {"0": [-n for n in told["n"]]}}


def test_a_history_that_begins_late_stands_at_the_same_numbers() -> None:
    """At multiples of what lies between two points, wherever its first one was."""
    assert history(5_064, first=5_001).as_json()["n"] == [*range(5_001, 5_065)]
    late = history(5_066, first=5_001).as_json()

    assert (late["every"], late["n"]) == (2, [*range(5_002, 5_067, 2)])


def test_weights_are_rounded_and_what_was_told_is_never_changed() -> None:
    """Four digits; who was told once holds the same, and nothing is made anew while no point comes."""
    made = WeightHistory("a", ("0", "5"))
    made.add(0, np.array([[0.123456], [2 / 3]]))
    told = made.as_json()
    assert made.as_json() is told

    made.add(1, np.array([[1.0], [0.00004]]))

    assert told == {"every": 1, "n": [0], "weights": {"a": {"0": [0.1235], "5": [0.6667]}}}
    assert made.as_json()["weights"] == {"a": {"0": [0.1235, 1.0], "5": [0.6667, 0.0]}}


def test_a_stored_history_goes_on() -> None:
    """With other columns beside: those have a past of nothing."""
    found = WeightHistory("cb", ("0",)).restored(history(200).as_json(), {"b"})
    assert found.as_json()["weights"]["c"]["0"] == [None] * len(found.as_json()["n"])
    for n in range(201, 301):
        if n % found.every == 0:
            found.add(n, np.array([[0.5, -float(n)]]))

    assert found.as_json()["weights"]["b"] == history(300).as_json()["weights"]["b"]
    assert found.as_json()["weights"]["c"]["0"][-2:] == [0.5, 0.5]


@pytest.mark.parametrize(
    "damage",
    [
        {"every": 0},
        {"every": 2},
        {"every": None},
        {"n": [0, 1, 1]},
        {"n": [0, 1]},
        {"n": [*range(65)]},
        {"weights": {"a": {"0": [1, 2, 3]}}},
        {"weights": {"a": {"0": [1, 2, 3]}, "b": {"0": [1, 2, "x"]}}},
    ],
    ids=["never", "not at multiples", "no number", "twice", "too few", "too many", "a column less", "no weight"],
)
def test_a_history_of_another_shape_is_refused(damage: dict[str, Any]) -> None:
    """Whichever part of it is wrong."""
    made = WeightHistory("ab", ("0",))

    with pytest.raises((KeyError, TypeError, ValueError)):
        made.restored({**history(2).as_json(), **damage}, {"a", "b"})
    assert made.restored(history(2).as_json(), {"a", "b"}).as_json() == history(2).as_json()
