"""Weighted fusion of scores in plain Python, the reference of the blend `scores`.

score(item) = sum over sources s of  weight_s * score_s(item) / greatest of s's scores,   0 for what s did not propose
"""

from collections.abc import Mapping, Sequence


def fuse_scores(scored: Sequence[Mapping[str, float]], weights: Sequence[float], k: int) -> list[tuple[str, float]]:
    """The best `k` items of all sources with a weight, by (-score, item_id).

    >>> fuse_scores([{"a": 50.0, "b": 25.0}, {"b": 0.2, "c": 0.1}], [0.6, 0.4], k=3)
    [('b', 0.7), ('a', 0.6), ('c', 0.2)]
    """
    fused: dict[str, float] = {}
    for amounts, weight in zip(scored, weights, strict=True):
        if weight > 0.0:
            for item_id, amount in amounts.items():
                fused[item_id] = fused.get(item_id, 0.0) + weight * (amount / max(amounts.values()))
    return sorted(fused.items(), key=lambda entry: (-entry[1], entry[0]))[:k]
