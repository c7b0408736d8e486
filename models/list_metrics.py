"""How good ranked lists are: metrics out of the ranks that the right items had in them.

A *test* is one event whose item the list should have named; its rank is 1 for the first place, 0 for a miss. Hit rate,
NDCG and MRR are means over tests, each with its one right item. Several tests may be scored on one list (events of one
user with the same timestamp): precision, recall, F1 and MAP are means over lists, each with all its right items.
"""

from collections.abc import Sequence
from math import isfinite

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def usable(items: Sequence[int], scores: Sequence[float]) -> Sequence[int]:
    """The items of a list, or none if any score is not finite: a diverged model has no list, which is a miss.

    >>> usable([4, 2], [0.5, 0.1]), usable([4, 2], [0.5, float("nan")])
    ([4, 2], [])
    """
    return items if all(map(isfinite, scores)) else []


def hits(ranks: Ints, k: int) -> Floats:
    """1 for each test with a rank of at most `k`, else 0."""
    return ((ranks > 0) & (ranks <= k)).astype(np.float64)


def ndcg(ranks: Ints, k: int) -> Floats:
    """1 / log2(rank + 1) of each test with a rank of at most `k`, else 0."""
    return hits(ranks, k) / np.log2(np.maximum(ranks, 1) + 1.0)


def reciprocal(ranks: Ints, k: int) -> Floats:
    """1 / rank of each test with a rank of at most `k`, else 0."""
    return hits(ranks, k) / np.maximum(ranks, 1)


def precision_recall(ranks: Ints, list_of: Ints, k: int) -> tuple[Floats, Floats]:
    """Of each list: its hits within `k` over `k`, and over its right items.

    Parameters
    ----------
    list_of
        Of each test the number of its list, 0, 1, 2 ...; none without a test.
    """
    n_hits = np.bincount(list_of, hits(ranks, k))
    return n_hits / k, n_hits / np.bincount(list_of)


def f1(precision: Floats, recall: Floats) -> Floats:
    """2 p r / (p + r) of each list; 0 without a hit."""
    total = precision + recall
    return np.divide(2.0 * precision * recall, total, out=np.zeros_like(total), where=total > 0.0)


def average_precision(ranks: Ints, list_of: Ints, k: int) -> Floats:
    """Of each list the sum over its hits of (hits up to there / rank), over the lesser of `k` and its right items."""
    n_lists = int(list_of.max(initial=-1)) + 1
    hit = np.flatnonzero(hits(ranks, k))
    order = hit[np.lexsort((ranks[hit], list_of[hit]))]
    of = list_of[order]
    first = np.searchsorted(of, of)  # where the hits of each one's list begin
    upto = np.arange(len(order)) - first + 1
    sums = np.bincount(of, upto / ranks[order], n_lists)
    return sums / np.minimum(np.bincount(list_of, minlength=n_lists), k)


def quality(ranks: Ints, list_of: Ints, k: int) -> dict[str, float]:
    """Every metric at `k`, by name; empty without tests.

    >>> quality(np.array([1, 0]), np.array([0, 0]), 2)["map@2"]
    0.5
    """
    if not len(ranks):
        return {}
    precision, recall = precision_recall(ranks, list_of, k)
    of_tests = {"hr": hits(ranks, k), "ndcg": ndcg(ranks, k), "mrr": reciprocal(ranks, k)}
    of_lists = {
        "precision": precision,
        "recall": recall,
        "f1": f1(precision, recall),
        "map": average_precision(ranks, list_of, k),
    }
    return {f"{name}@{k}": float(values.mean()) for name, values in (of_tests | of_lists).items()}


def gini(exposures: npt.NDArray[np.int64]) -> float:
    """How unequally places are spread over items: 0 all alike, towards 1 all to one; 0 without places.

    >>> gini(np.array([2, 2, 2])), gini(np.array([0, 0, 0, 8]))
    (0.0, 0.75)
    """
    total, n = int(exposures.sum()), len(exposures)
    if not total:
        return 0.0
    places = np.arange(1, n + 1) @ np.sort(exposures).astype(np.float64)
    return float(2.0 * places / (n * total) - (n + 1) / n)


def coverage(exposures: npt.NDArray[np.int64]) -> float:
    """The share of items that were shown at all; 0 without items."""
    return float((exposures > 0).mean()) if len(exposures) else 0.0


def self_information(n_events: npt.NDArray[np.int64], total: int) -> Floats:
    """-log2 of each item's share of all events, in bits: what is rare is new to more people.

    >>> self_information(np.array([1, 4]), 4).tolist()
    [2.0, 0.0]
    """
    result: Floats = np.log2(max(total, 1)) - np.log2(np.maximum(n_events, 1))
    return result
