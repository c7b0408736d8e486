"""Metrics of ranked lists, by hand and against their definitions in plain Python."""

import random
from math import inf, log2, nan

import numpy as np
import pytest

from models.list_metrics import coverage, gini, quality, self_information, usable


def by_definition(lists: list[list[int]], k: int) -> dict[str, float]:
    """Every metric out of the ranks of each list's right items, without numpy."""
    ranks = [rank for one in lists for rank in one]
    found = {
        "hr": [float(0 < rank <= k) for rank in ranks],
        "ndcg": [1 / log2(rank + 1) if 0 < rank <= k else 0.0 for rank in ranks],
        "mrr": [1 / rank if 0 < rank <= k else 0.0 for rank in ranks],
        "precision": [],
        "recall": [],
        "f1": [],
        "map": [],
    }
    for one in lists:
        relevant = {rank for rank in one if rank}
        places = [place in relevant for place in range(1, k + 1)]
        precision, recall = sum(places) / k, sum(places) / len(one)
        found["precision"].append(precision)
        found["recall"].append(recall)
        found["f1"].append(2 * precision * recall / (precision + recall) if precision + recall else 0.0)
        gains = [sum(places[: place + 1]) / (place + 1) for place in range(k) if places[place]]
        found["map"].append(sum(gains) / min(k, len(one)))
    return {f"{name}@{k}": sum(values) / len(values) for name, values in found.items()}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", [1, 10, 20])
def test_metrics_are_those_of_their_definitions(seed: int, k: int) -> None:
    """Means over tests and over lists, lists of one and of many right items, tests of a list apart from one another."""
    rng = random.Random(seed)
    lists = [
        [rank if rng.random() < 0.6 else 0 for rank in rng.sample(range(1, 31), rng.randrange(1, 25))]
        for _ in range(40)
    ]
    tests = [(number, rank) for number, one in enumerate(lists) for rank in one]
    rng.shuffle(tests)

    found = quality(np.array([rank for _, rank in tests]), np.array([number for number, _ in tests]), k)

    assert found == pytest.approx(by_definition(lists, k), abs=1e-12)


def test_three_tests_of_one_list_counted_by_hand() -> None:
    """Right items in places 1 and 3, and one that is not there."""
    found = quality(np.array([3, 0, 1]), np.array([0, 0, 0]), 10)

    assert found["hr@10"] == found["recall@10"] == pytest.approx(2 / 3)
    assert found["precision@10"] == pytest.approx(0.2)
    assert found["f1@10"] == pytest.approx(4 / 13)
    assert found["map@10"] == pytest.approx((1 / 1 + 2 / 3) / 3)
    assert found["ndcg@10"] == pytest.approx((1 + 1 / 2) / 3)
    assert found["mrr@10"] == pytest.approx((1 + 1 / 3) / 3)


def test_the_last_place_counts_and_the_next_does_not() -> None:
    """Of ranks 10 and 11 one is a hit within 10, both within 20."""
    ranks, list_of = np.array([10, 11]), np.array([0, 1])

    assert quality(ranks, list_of, 10)["hr@10"] == 0.5
    assert quality(ranks, list_of, 20)["hr@20"] == 1.0


def test_nothing_tested_gives_nothing() -> None:
    """No tests, no rates; no items, no coverage; only misses, zeros and no NaN."""
    nothing = np.zeros(0, np.int64)

    assert quality(nothing, nothing, 10) == {}
    assert (coverage(nothing), gini(nothing), gini(np.zeros(4, np.int64))) == (0.0, 0.0, 0.0)
    assert set(quality(np.array([0, 0]), np.array([0, 1]), 10).values()) == {0.0}


@pytest.mark.parametrize("score", [nan, inf, -inf])
def test_a_list_with_a_score_that_is_not_finite_is_no_list(score: float) -> None:
    """One such score, in any place, takes the whole list away."""
    assert usable([1, 2, 3], [0.5, score, 0.1]) == []
    assert usable([1, 2, 3], [0.5, 0.5, 0.1]) == [1, 2, 3]


@pytest.mark.parametrize("seed", range(5))
def test_gini_is_the_mean_difference_of_two_items(seed: int) -> None:
    """Over twice the mean."""
    rng = random.Random(seed)
    shown = [rng.choice([0, 0, 1, 5, 5, 40]) for _ in range(30)] + [1]
    differences = sum(abs(one - other) for one in shown for other in shown)

    expected = differences / (2 * len(shown) * sum(shown))
    assert gini(np.array(shown)) == pytest.approx(expected, abs=1e-12)


def test_what_is_rare_tells_more() -> None:
    """Half of all events 1 bit, an eighth 3; an item without events as much as one with one."""
    assert self_information(np.array([4, 1, 0]), 8).tolist() == [1.0, 3.0, 3.0]
    assert coverage(np.array([0, 3, 0, 1])) == 0.5
