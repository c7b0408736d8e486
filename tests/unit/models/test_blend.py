"""Blends as they are shipped: each against its formula in plain Python, and what every blend keeps."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.blend import BLENDS, MISSING
from models.proposals import Proposals, Ranked, space_for
from tests.plain import plain_kernels
from tests.rank_fusion import fuse
from tests.score_fusion import fuse_scores

DEPTH, N_ITEMS = 6, 14
SEEDS = st.integers(0, 2**32 - 1)
WEIGHTS = st.sampled_from(((0.4, 0.6, 0.0), (0.5, 0.5, 0.5), (1.0, 0.0, 0.2), (0.0, 0.0, 0.0)))
KEYS = np.array([[0, number // 2, number] for number in range(N_ITEMS)], np.uint64)


def proposals(seed: int, n_sources: int = 3) -> Proposals:
    """Rows of any length, with ties in their scores."""
    rng, table = np.random.default_rng(seed), space_for(n_sources, DEPTH)
    for source in range(n_sources):
        n = table.counts[source] = rng.integers(0, DEPTH + 1)
        table.items[source] = rng.permutation(N_ITEMS)[:DEPTH]
        table.scores[source, :n] = np.sort(rng.choice([0.25, 0.5, 1.0, 8.0], n))[::-1]
    return table


def rank(name: str, table: Proposals, weights: Any, k: int = 10) -> Ranked:
    """By one blend; the scratch must be left as it was."""
    place_of = np.full(N_ITEMS, -1, np.int32)
    ranked = BLENDS[name].rank(table, np.array(weights), KEYS, place_of, k)
    assert (place_of == -1).all()
    return ranked


def as_lists(table: Proposals) -> list[dict[int, float]]:
    """What each source proposes, best first."""
    return [
        dict(zip(items[:n].tolist(), scores[:n].tolist(), strict=True))
        for items, scores, n in zip(*table[:2], table.counts.tolist(), strict=True)
    ]


@given(seed=SEEDS, weights=WEIGHTS, k=st.integers(1, 40))
def test_ranks(seed: int, weights: tuple[float, ...], k: int) -> None:
    """The formula of `tests.rank_fusion`, and its order."""
    table = proposals(seed)
    names = [[f"{item:02}" for item in row] for row in as_lists(table)]
    expected = fuse(names, weights, DEPTH, k)
    ranked = rank("ranks", table, weights, k)
    assert [(f"{item:02}", score) for item, score in zip(ranked.items, ranked.scores, strict=True)] == expected


@given(seed=SEEDS, weights=WEIGHTS)
def test_log_shares(seed: int, weights: tuple[float, ...]) -> None:
    """Weighted logs of shares, a part of the least for what was not proposed; published as a softmax."""
    table = proposals(seed)
    rows, scores = as_lists(table), {}
    for item in {item for row, weight in zip(rows, weights, strict=True) if weight for item in row}:
        scores[item] = sum(
            weight * math.log(row.get(item, MISSING * min(row.values())) / sum(row.values()))
            for row, weight in zip(rows, weights, strict=True)
            if row
        )
    total = sum(math.exp(score) for score in scores.values())
    ranked = rank("log_shares", table, weights, 40)
    assert dict(zip(ranked.items.tolist(), ranked.scores.tolist(), strict=True)) == pytest.approx(
        {item: math.exp(score) / total for item, score in scores.items()}
    )


@given(seed=SEEDS, weights=WEIGHTS, k=st.integers(1, 40))
def test_scores(seed: int, weights: tuple[float, ...], k: int) -> None:
    """The formula of `tests.score_fusion`, and its order."""
    table = proposals(seed)
    amounts = [{f"{item:02}": score for item, score in row.items()} for row in as_lists(table)]
    ranked = rank("scores", table, weights, k)
    found = [(f"{item:02}", score) for item, score in zip(ranked.items, ranked.scores, strict=True)]
    assert found == fuse_scores(amounts, weights, k)


def test_scores_of_any_unit_count_alike() -> None:
    """A source in other units makes the same list; what one names alone stands by its part of that one's greatest."""
    table = space_for(2, 3)
    table.items[:], table.counts[:] = [[1, 2, 3], [3, 4, 5]], (3, 2)
    table.scores[:] = [[8.0, 4.0, 2.0], [0.5, 0.25, 9.0]]
    ranked = rank("scores", table, (0.6, 0.4))
    assert ranked.items.tolist() == [1, 3, 2, 4]
    assert ranked.scores.tolist() == pytest.approx([0.6, 0.6 / 4 + 0.4, 0.3, 0.2])
    assert ranked.sources.tolist() == [0, 1, 0, 1]
    table.scores[1] *= 1024.0
    assert rank("scores", table, (0.6, 0.4)).scores.tolist() == ranked.scores.tolist()


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0])
def test_what_gets_nothing_from_any_score_is_left_out(bad: float) -> None:
    """Items that only a source proposes that has no good scores, or weighs nothing."""
    table = space_for(3, 2)
    table.items[:], table.counts[:] = [[1, 2], [2, 3], [3, 4]], 2
    table.scores[:] = [[2.0, 1.0], [bad, bad], [1.0, 1.0]]
    ranked = rank("scores", table, (0.5, 0.5, 0.0))
    assert (ranked.items.tolist(), ranked.scores.tolist(), ranked.sources.tolist()) == ([1, 2], [0.5, 0.25], [0, 0])
    with plain_kernels():
        plain = rank("scores", table, (0.5, 0.5, 0.0))
    assert plain.scores.tolist() == ranked.scores.tolist()


@pytest.mark.parametrize("name", BLENDS)
@given(seed=SEEDS, weights=WEIGHTS, k=st.integers(0, 40))
def test_every_blend(name: str, seed: int, weights: tuple[float, ...], k: int) -> None:
    """Each proposal once, positive scores that fall, equals by key, true ranks and sources; plain as compiled."""
    table = proposals(seed)
    ranked = rank(name, table, weights, k)
    rows = as_lists(table)
    wanted = {item for row, weight in zip(rows, weights, strict=True) if weight for item in row}
    items, scores = ranked.items.tolist(), ranked.scores.tolist()
    assert len(items) == len(set(items)) == ranked.n == min(k, len(wanted))
    assert set(items) <= wanted
    assert all(0.0 < score < math.inf for score in scores)
    assert list(zip((-score for score in scores), items, strict=True)) == sorted(
        zip((-score for score in scores), items, strict=True)
    )
    for item, source, places in zip(items, ranked.sources.tolist(), ranked.places.tolist(), strict=True):
        assert places == [list(row).index(item) if item in row else -1 for row in rows]
        assert item in rows[source]
    with plain_kernels():
        plain = BLENDS[name].rank(table, np.array(weights), KEYS, np.full(N_ITEMS, -1, np.int32), k)
    assert [np.asarray(each).tobytes() for each in plain] == [np.asarray(each).tobytes() for each in ranked]


@pytest.mark.parametrize("name", BLENDS)
@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0])
def test_a_source_without_good_scores(name: str, bad: float) -> None:
    """What the others propose is ranked all the same, with finite scores."""
    table = proposals(4)
    table.counts[:] = DEPTH
    table.scores[:] = 1.0
    table.scores[1] = bad
    ranked = rank(name, table, (0.5, 0.5, 0.5), 40)
    assert {*table.items[0].tolist(), *table.items[2].tolist()} <= set(ranked.items.tolist())
    assert np.isfinite(ranked.scores).all() and (ranked.scores > 0).all()


@pytest.mark.parametrize("name", BLENDS)
def test_no_sources(name: str) -> None:
    """Nothing is proposed, nothing is ranked."""
    assert rank(name, space_for(0, DEPTH), np.empty(0), 10).n == 0
