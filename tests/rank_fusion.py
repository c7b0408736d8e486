"""Weighted rank fusion in plain Python, the reference of the blend `ranks`.

score(item) = sum over sources s of weight_s * (depth - rank_s) / depth,   rank 0, 1 .. depth - 1
"""

from collections.abc import Sequence
from typing import NamedTuple


class RankFusion(NamedTuple):
    """Ranks of each source that count, and what the two learned sources weigh."""

    depth: int = 30
    cooccurrence_weight: float = 0.4
    history_weight: float = 0.6


def fuse(ranked: Sequence[Sequence[str]], weights: Sequence[float], depth: int, k: int) -> list[tuple[str, float]]:
    """The best `k` items of all lists by (-score, item_id); no item may stand in one list twice.

    >>> fuse([["a", "b", "c"], ["c", "d"]], [0.5, 0.5], depth=3, k=3)
    [('c', 0.6666666666666666), ('a', 0.5), ('b', 0.3333333333333333)]
    """
    scores: dict[str, float] = {}
    for items, weight in zip(ranked, weights, strict=True):
        if weight > 0.0:
            for rank, item_id in enumerate(items[:depth]):
                scores[item_id] = scores.get(item_id, 0.0) + weight * ((depth - rank) / depth)
    return sorted(scores.items(), key=lambda entry: (-entry[1], entry[0]))[:k]
