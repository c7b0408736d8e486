"""Prequential evaluation: every positive event is scored against the list of before it, then learned.

Strict: all events of one (user, timestamp) are scored on the list as it stood at the first of them (Gama et al.,
doi:10.1007/s10994-012-5320-9, with ties in time taken together). One target per test, so HR@k is Recall@k,
NDCG@k = 1 / log2(rank + 1) and MRR@k = 1 / rank within the first k, and 0 otherwise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log2, sqrt
from typing import Any

from models.source_names import CO_OCCURRENCE, HISTORY, POPULARITY

LIST = "list"
SOURCES = (LIST, CO_OCCURRENCE, HISTORY, POPULARITY)
DEPTH = 20
EVENTS_PER_BLOCK = 1000
MAX_BLOCKS = 2048

_GAIN = (0.0, *(1.0 / log2(rank + 1) for rank in range(1, DEPTH + 1)))


@dataclass(slots=True)
class Prequential:
    """Counters of one partition; all of it is state.

    Parameters
    ----------
    n
        Tests.
    hits
        Per source, `list` and `popularity` among them: hits within 10 and within 20.
    ndcg, reciprocal
        Sums of NDCG@10 and MRR@10 of the list.
    blocks
        Per 1,000 input events: tests, hits of the list and of popularity within 10; the newest 2,048.
    """

    n: int = 0
    hits: dict[str, list[int]] = field(default_factory=dict)
    ndcg: float = 0.0
    reciprocal: float = 0.0
    blocks: list[list[int]] = field(default_factory=list)
    first_block: int = 0

    def test(self, target: int, lists: Mapping[str, Sequence[int]], n_events: int) -> None:
        """Score one positive event.

        Parameters
        ----------
        target
            The item, as the lists name it.
        lists
            Up to 20 items per source, best first.
        n_events
            Input events before this one: which block it counts in.
        """
        self.add({source: _rank(target, items) for source, items in lists.items()}, n_events)

    def add(self, ranks: Mapping[str, int], n_events: int) -> None:
        """Count one test by the item's rank in the list of each source; 0: it is not there."""
        self.n += 1
        block = self._block(n_events // EVENTS_PER_BLOCK)
        block[0] += 1
        for source, rank in ranks.items():
            hits = self.hits.setdefault(source, [0, 0])
            if not rank:
                continue
            hits[1] += 1
            if rank > 10:
                continue
            hits[0] += 1
            if source == LIST:
                self.ndcg += _GAIN[rank]
                self.reciprocal += 1.0 / rank
                block[1] += 1
            elif source == POPULARITY:
                block[2] += 1

    def _block(self, number: int) -> list[int]:
        while len(self.blocks) <= number - self.first_block:
            self.blocks.append([0, 0, 0])
        excess = len(self.blocks) - MAX_BLOCKS
        if excess > 0:
            del self.blocks[:excess]
            self.first_block += excess
        return self.blocks[number - self.first_block]


@dataclass(slots=True)
class RatingErrors:
    """Progressive errors of rating predictions: each rating is predicted, then learned."""

    n: int = 0
    absolute: float = 0.0
    squared: float = 0.0


def merged_errors(parts: Sequence[RatingErrors]) -> dict[str, Any]:
    """MAE and RMSE over several partitions."""
    n = sum(part.n for part in parts)
    squared = sum(part.squared for part in parts)
    return {
        "n": n,
        "mae": _rate(sum(part.absolute for part in parts), n),
        "rmse": round(sqrt(squared / n), 5) if n else None,
    }


def merged_json(parts: Sequence[Prequential]) -> dict[str, Any]:
    """Rates over several partitions; blocks are added up by their place in each partition's own stream."""
    n = sum(part.n for part in parts)
    sources = sorted({source for part in parts for source in part.hits})
    rates = {
        source: {
            f"hr@{k}": _rate(sum(part.hits.get(source, [0, 0])[place] for part in parts), n)
            for place, k in enumerate((10, 20))
        }
        for source in sources
    }
    of_list, popularity = rates.pop(LIST, _NONE), rates.pop(POPULARITY, _NONE)
    return {
        "n": n,
        **of_list,
        "ndcg@10": _rate(sum(part.ndcg for part in parts), n),
        "mrr@10": _rate(sum(part.reciprocal for part in parts), n),
        "sources": rates,
        "popularity": popularity,
        "series": _series(parts),
    }


def _series(parts: Sequence[Prequential]) -> list[dict[str, Any]]:
    total: dict[int, list[int]] = {}
    for part in parts:
        for place, block in enumerate(part.blocks, part.first_block):
            added = total.setdefault(place, [0, 0, 0])
            for column in range(3):
                added[column] += block[column]
    return [
        {"n": n, "hr@10": _rate(hits, n), "popularity_hr@10": _rate(popular, n)}
        for _, (n, hits, popular) in sorted(total.items())
    ]


_NONE: dict[str, float | None] = {"hr@10": None, "hr@20": None}


def _rate(part: float, n: int) -> float | None:
    return round(part / n, 5) if n else None


def _rank(target: int, items: Sequence[int]) -> int:
    """1 for the first place; 0 if it is not there."""
    return items.index(target) + 1 if target in items else 0
