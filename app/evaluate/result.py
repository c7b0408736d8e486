"""What an evaluation has found, as numbers by name."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from app.evaluate.baselines import POPULARITY
from app.evaluate.lists import ALONE, SERVED
from app.evaluate.run import Evaluation
from app.evaluate.scored import DEPTHS, Shown, Tests
from models.bootstrap import paired_differences
from models.evaluation import merged_errors
from models.list_metrics import coverage, gini, hits, ndcg, quality

DIGITS: Final = 5
FEW_EVENTS: Final = 5
HEAD: Final = 0.2
HISTORY: Final = (5, 20, 60)
COMPARED: Final = (("hr@10", hits, 10), ("hr@20", hits, 20), ("ndcg@10", ndcg, 10))

Mask = npt.NDArray[np.bool_]


def result_of(evaluation: Evaluation) -> dict[str, Any]:
    """The fields of the command's JSON line."""
    tests, states = evaluation.tests, evaluation.states
    n_tests, n_again = len(tests), int(tests.column("repeat").sum())
    n_repeats, n_positive = evaluation.left_out["repeat"] + n_again, evaluation.left_out["repeat"] + n_tests
    best_alone = _best_alone(evaluation)
    return {
        "records": evaluation.n_records,
        "items": len(evaluation.baselines.ids),
        "partitions": len(states),
        "shares_every": evaluation.settings.shares_every,
        "sample": evaluation.settings.sample,
        "fingerprint": evaluation.fingerprint,
        "protocol": "strict prequential, published lists",
        "tests": n_tests,
        "lists_tested": tests.n_lists,
        "users_tested": len(evaluation.users),
        "left_out": dict(evaluation.left_out),
        "dead_letters": dict(evaluation.dead_letters),
        "first_dead_letter": evaluation.first_dead_letter,
        "repeat_share": _rounded(n_repeats / n_positive) if n_positive else None,
        "repeats_tested": n_again,
        "lists": {name: _of_list(evaluation, name) for name in tests.names} if n_tests else {},
        "blend": evaluation.lists.weights(),
        "differences": (differences := _differences(tests)),
        "delays": _freshness(evaluation, differences) if n_tests else [],
        "segments": {name: _of_segment(tests, mask) for name, mask in _segments(evaluation).items()},
        "ratings": merged_errors([state.evaluator.ratings for state in states]),
        "diversity": _diversity(evaluation),
        "best_alone": best_alone,
        "series": _series(tests, best_alone),
    }


def _of_list(evaluation: Evaluation, name: str) -> dict[str, float | None]:
    tests = evaluation.tests
    ranks, list_of = tests.ranks(name), tests.column("list")
    found: dict[str, float] = {}
    for place, k in enumerate(DEPTHS):
        found |= quality(ranks, list_of, k) | _shown(tests.shown[name], place, k, len(evaluation.baselines.ids))
    diversity = tests.spread.diversity(name)
    rounded: dict[str, float | None] = {metric: _rounded(value) for metric, value in found.items()}
    return rounded | {"diversity@10": None if diversity is None else _rounded(diversity)}


def _diversity(evaluation: Evaluation) -> dict[str, Any]:
    """What items are compared by, and how many pairs of the served lists' first 10 could not be."""
    n_pairs, n_left_out = evaluation.tests.spread.pairs(SERVED)
    return {"by": evaluation.distances.by, "pairs": n_pairs, "pairs_left_out": n_left_out}


def _shown(shown: Shown, place: int, k: int, n_items: int) -> dict[str, float]:
    exposures = np.zeros(n_items, np.int64)
    known = shown.exposures[place, :n_items]
    exposures[: len(known)] = known
    novelty = shown.bits[place] / max(1, int(exposures.sum()))
    return {f"coverage@{k}": coverage(exposures), f"gini@{k}": gini(exposures), f"novelty@{k}": novelty}


def _differences(tests: Tests) -> dict[str, dict[str, dict[str, float]]]:
    """The served list less each other one, with intervals."""
    others = [name for name in tests.names if name != SERVED]
    found: dict[str, dict[str, dict[str, float]]] = {name: {} for name in others}
    for metric, of, k in COMPARED:
        columns = [of(tests.ranks(name), k) for name in (SERVED, *others)]
        differences = paired_differences(tests.column("user"), np.stack(columns, axis=1))
        for name, difference in zip(others, differences, strict=False):  # none without tests
            found[name][metric] = {field: _rounded(value) for field, value in asdict(difference).items()}
    return {name: metrics for name, metrics in found.items() if metrics}


def _freshness(evaluation: Evaluation, differences: dict[str, dict[str, dict[str, float]]]) -> list[dict[str, Any]]:
    """What the list finds by how late it is served, at once first, and what that is less, with intervals."""
    if not evaluation.settings.delays:
        return []
    tests = evaluation.tests

    def found(name: str) -> dict[str, float]:
        return {metric: _rounded(float(of(tests.ranks(name), k).mean())) for metric, of, k in COMPARED}

    return [
        {"delay": "0", "seconds": 0.0, "records": 0, **found(SERVED)},
        *(
            {**delay.as_json(), **found(delay.list_name), "lost": differences[delay.list_name]}
            for delay in evaluation.settings.delays
        ),
    ]


def _segments(evaluation: Evaluation) -> dict[str, Mask]:
    """Which tests belong to each segment."""
    tests = evaluation.tests
    user_events, item_events, n_seen = map(tests.column, ("user_events", "item_events", "n_seen"))
    in_head = _head(np.array(evaluation.baselines.n_events, np.int64))[tests.column("item")]
    repeats = tests.column("repeat") > 0
    segments = {"items new to their user": ~repeats, "items had before": repeats} if repeats.any() else {}
    segments |= {
        "cold users": user_events < FEW_EVENTS,
        "warm users": user_events >= FEW_EVENTS,
        "new items": item_events < FEW_EVENTS,
        "old items": item_events >= FEW_EVENTS,
        "head items": in_head,
        "tail items": ~in_head,
    }
    edges = (0, *HISTORY)
    for low, high in zip(edges, HISTORY, strict=False):
        segments[f"history {low}-{high - 1}"] = (n_seen >= low) & (n_seen < high)
    segments[f"history {HISTORY[-1]}+"] = n_seen >= HISTORY[-1]
    return segments


def _head(n_events: npt.NDArray[np.int64]) -> Mask:
    """The fifth of the items with the most events in the whole log; of equals those that came first."""
    head = np.zeros(len(n_events), np.bool_)
    head[np.argsort(-n_events, kind="stable")[: round(HEAD * len(n_events))]] = True
    return head


def _of_segment(tests: Tests, mask: Mask) -> dict[str, Any]:
    n = int(mask.sum())
    return {"tests": n} | {name: _rates(tests, name, lambda values: values[mask]) if n else {} for name in tests.names}


def _rates(
    tests: Tests, name: str, among: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]]
) -> dict[str, float]:
    ranks = among(tests.ranks(name))
    return {f"hr@{k}": _rounded(float(hits(ranks, k).mean())) for k in DEPTHS}


def _best_alone(evaluation: Evaluation) -> str | None:
    """The source that finds the most by itself; None without one, or without tests."""
    tests = evaluation.tests
    alone = [name for name in evaluation.lists.names if name.endswith(ALONE)]
    return max(alone, key=lambda name: float(hits(tests.ranks(name), 10).sum()), default=None) if len(tests) else None


def _series(tests: Tests, best_alone: str | None) -> list[dict[str, Any]]:
    """Hit rates along the log, per 1,000 records."""
    blocks = tests.column("block")
    n = np.bincount(blocks)
    lists = {"hr@10": SERVED, "popularity_hr@10": POPULARITY} | ({"best_alone_hr@10": best_alone} if best_alone else {})
    found = {rate: np.bincount(blocks, hits(tests.ranks(name), 10)) for rate, name in lists.items()}
    return [
        {"block": block, "tests": int(n[block]), **{rate: _rounded(of[block] / n[block]) for rate, of in found.items()}}
        for block in np.flatnonzero(n).tolist()
    ]


def _rounded(value: float) -> float:
    return round(float(value), DIGITS)
