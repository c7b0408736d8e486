"""Distances of items, against sets in plain Python."""

import random
from itertools import combinations
from math import isnan, nan, sqrt

import numpy as np
import pytest

from models.ids import hash64
from models.item_distances import DistancesByCategories, DistancesByUsers, ItemDistances


def test_categories_are_compared_by_jaccard() -> None:
    """To the digit, with more categories than fit into one word, and items that have none or are not known."""
    rng = random.Random(4)
    names = [f"c{n}" for n in range(200)]
    ids = [f"i{n}" for n in range(60)]
    categories = {item_id: rng.sample(names, rng.choice([0, 1, 3, 90])) for item_id in ids[:50]}

    lists = [rng.sample(range(60), 8) for _ in range(50)]
    found = DistancesByCategories(categories, ids).between(np.array(lists))

    for items, distances in zip(lists, found.tolist(), strict=True):
        sets = [set(categories.get(ids[item], ())) for item in items]
        expected = [1 - len(a & b) / len(a | b) if a and b else nan for a, b in combinations(sets, 2)]
        assert distances == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert 0.1 < np.isnan(found).mean() < 0.7


def test_users_are_compared_by_the_cosine_of_their_sets() -> None:
    """One pair roughly, the mean of many closely; sets from one user to hundreds."""
    rng = random.Random(5)
    distances = DistancesByUsers()
    sets = [set(rng.sample(range(600), min(600, int(rng.paretovariate(0.6))))) for _ in range(300)]
    for item, users in enumerate(sets):
        for user in users:
            distances.took(item, hash64(f"u{user}"))
    popular = sorted(range(300), key=lambda item: -len(sets[item]))[:40]
    lists = [rng.sample(popular if n % 2 else range(300), 10) for n in range(400)]

    found = distances.between(np.array(lists))

    for half in (0, 1):
        exact = [
            1 - len(sets[a] & sets[b]) / sqrt(len(sets[a]) * len(sets[b]))
            for items in lists[half::2]
            for a, b in combinations(items, 2)
        ]
        estimated = found[half::2].ravel()
        assert estimated.mean() == pytest.approx(np.mean(exact), abs=0.015)
        assert np.abs(estimated - exact).mean() < 0.06
    assert np.mean(exact) < 0.9


def by_users() -> ItemDistances:
    """Two items with users in common, one apart, one without any."""
    distances = DistancesByUsers()
    for item, user in [(0, "a"), (0, "b"), (1, "b"), (1, "a"), (2, "c")]:
        distances.took(item, hash64(user))
    return distances


def by_categories() -> ItemDistances:
    """The same by categories."""
    return DistancesByCategories({"p": ["a", "b"], "q": ["b", "a"], "r": ["c"]}, ["p", "q", "r", "s"])


@pytest.mark.parametrize("distances", [by_users(), by_categories()], ids=["users", "categories"])
def test_pairs_are_0_if_alike_1_if_apart_and_unknown_with_an_unknown_item(distances: ItemDistances) -> None:
    """In both orders; the empty places of a short list are unknown, too; a list of one item has no pair."""
    far = 90 if distances.by == "users" else 3
    for items, expected in (
        ([0, 1], 0.0),
        ([2, 0], 1.0),
        ([0, 2], 1.0),
        ([0, 3], nan),
        ([far, 2], nan),
        ([2, -1], nan),
        ([-1, -1], nan),
    ):
        (found,) = distances.between(np.array([items]))[0].tolist()
        assert found == expected or (isnan(found) and isnan(expected)), items
    assert distances.between(np.array([[0]])).shape == (1, 0)
    assert distances.between(np.zeros((0, 10), np.int64)).shape == (0, 45)


def test_the_order_of_users_does_not_matter() -> None:
    """The same sets, the same distances, whoever came first."""
    rng = random.Random(6)
    taken = [(rng.randrange(20), f"u{n}") for n in range(500)]
    lists = np.array([list(range(20))])
    found = []
    for order in (taken, taken[::-1]):
        distances = DistancesByUsers()
        for item, user in order:
            distances.took(item, hash64(user))
        found.append(distances.between(lists).tolist())

    assert found[0] == found[1]
