"""Metrics of ranked lists against trec_eval's, by ir-measures.

What it defines in another way:

- It sorts what it is given by score, as a 32-bit float, and equal scores by id: the greater first, but for RR at k the
  lesser. A list's order is ours to say, so runs get the scores n, n - 1, ..., 1.
- Its average precision at k is over all right items of a list, also when there are more than k: a perfect list then
  has less than 1. Ours is over the lesser of k and the right items, so it is theirs times (right items / k).
- It knows no F1 at k: the harmonic mean of its precision and recall of each list stands for it.
- A test is one event: hit rate, NDCG and MRR are those of queries with one right item each, precision, recall, F1 and
  MAP of queries with all right items of a list.
"""

import random

import ir_measures
import numpy as np
import numpy.typing as npt
import pytest
from ir_measures import AP, RR, P, R, Success, nDCG

from models.list_metrics import quality

Floats = npt.NDArray[np.float64]
Made = tuple[list[list[str]], list[list[str]]]


def made_lists(seed: int, n_lists: int, most_right: int) -> Made:
    """Lists of up to 30 items of 60, and for each the right items, some of which stand nowhere in it."""
    rng = random.Random(seed)
    items = [f"i{n}" for n in range(60)]
    lists = [rng.sample(items, rng.randrange(0, 31)) for _ in range(n_lists)]
    right = [rng.sample(items, rng.randrange(1, most_right + 1)) for _ in range(n_lists)]
    return lists, right


def ours(made: Made, k: int) -> dict[str, float]:
    """By `quality`: a test for each right item."""
    lists, right = made
    tests = [(number, item) for number, items in enumerate(right) for item in items]
    ranks = [lists[number].index(item) + 1 if item in lists[number] else 0 for number, item in tests]
    return quality(np.array(ranks), np.array([number for number, _ in tests]), k)


def by_query(measure: ir_measures.Measure, lists: list[list[str]], right: list[list[str]]) -> Floats:
    """A metric of each list by the library; 0 where the library has no line."""
    run = {f"q{n}": {item: float(len(one) - place) for place, item in enumerate(one)} for n, one in enumerate(lists)}
    judged = {f"q{n}": dict.fromkeys(items, 1) for n, items in enumerate(right)}
    found = np.zeros(len(lists))
    for each in ir_measures.iter_calc([measure], judged, run):
        found[int(each.query_id[1:])] = each.value
    return found


@pytest.mark.parametrize("k", [10, 20])
@pytest.mark.parametrize(("seed", "most_right"), [(1, 1), (2, 8), (3, 40)])
def test_a_foreign_library_finds_the_same(seed: int, most_right: int, k: int) -> None:
    """Every metric of tests and of lists at 10 and 20, lists of one right item and of more than k among them."""
    lists, right = made = made_lists(seed, 200, most_right)
    single = [(one, [item]) for one, items in zip(lists, right, strict=True) for item in items]
    alone, tested = [one for one, _ in single], [items for _, items in single]
    n_right = np.array([len(items) for items in right])
    precision, recall = by_query(P @ k, lists, right), by_query(R @ k, lists, right)
    total = precision + recall

    expected = {
        "hr": by_query(Success @ k, alone, tested),
        "ndcg": by_query(nDCG @ k, alone, tested),
        "mrr": by_query(RR @ k, alone, tested),
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / np.where(total > 0, total, 1.0),
        "map": by_query(AP @ k, lists, right) * n_right / np.minimum(n_right, k),
    }
    found = ours(made, k)
    assert found.keys() == {f"{name}@{k}" for name in expected}
    for name, values in expected.items():
        assert found[f"{name}@{k}"] == pytest.approx(values.mean(), abs=1e-9), name
        assert 0.0 < values.mean() < 1.0
    assert found[f"hr@{k}"] == pytest.approx(by_query(R @ k, alone, tested).mean(), abs=1e-9)


def test_the_library_orders_what_scores_leave_open() -> None:
    """Equal scores, and scores that differ as 64-bit floats alone, say nothing to it: why it gets ranks as scores."""
    for scores in ({"a": 1.0, "b": 1.0}, {"a": 1.0 + 1e-12, "b": 1.0}):
        found = [next(iter(ir_measures.iter_calc([each], {"q": {"a": 1}}, {"q": scores}))) for each in (RR, RR @ 10)]
        assert [each.value for each in found] == [0.5, 1.0]
