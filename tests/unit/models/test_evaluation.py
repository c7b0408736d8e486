"""The counters of prequential evaluation: what a rank is worth, how blocks are bounded, how partitions add up."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import evaluation
from models.evaluation import DEPTH, EVENTS_PER_BLOCK, Prequential, RatingErrors, merged_errors, merged_json

FROM_1_TO_20 = list(range(1, DEPTH + 1))


@pytest.mark.parametrize("rank", [1, 2, 9, 10, 11, 19, 20, 0])
def test_what_a_rank_is_worth(rank: int) -> None:
    """One target: a hit within k, 1 / log2(rank + 1) and 1 / rank within 10; nothing behind, or if it is not there."""
    counts = Prequential()
    counts.test(rank or 99, {"list": FROM_1_TO_20, "popularity": [], "near": FROM_1_TO_20[::-1]}, 0)

    within_10, within_20 = int(1 <= rank <= 10), int(rank > 0)
    assert counts.n == 1
    assert counts.hits == {
        "list": [within_10, within_20],
        "popularity": [0, 0],
        "near": [int(rank > 10), within_20],
    }
    assert counts.ndcg == (1 / math.log2(rank + 1) if within_10 else 0.0)
    assert counts.reciprocal == (1 / rank if within_10 else 0.0)
    assert counts.blocks == [[1, within_10, 0]]


def test_series_is_by_input_events() -> None:
    """A block is 1,000 events, however many of them are tests; list and popularity are counted apart."""
    counts = Prequential()
    for n_events, target in ((0, 1), (999, 2), (1000, 1), (3500, 9)):
        counts.test(target, {"list": [1], "popularity": [2]}, n_events)

    assert EVENTS_PER_BLOCK == 1000
    assert counts.blocks == [[2, 1, 1], [1, 1, 0], [0, 0, 0], [1, 0, 0]]
    assert [(each["n"], each["hr@10"], each["popularity_hr@10"]) for each in merged_json([counts])["series"]] == [
        (2, 0.5, 0.5),
        (1, 1.0, 0.0),
        (0, None, None),
        (1, 0.0, 0.0),
    ]


@given(gaps=st.lists(st.sampled_from((0, 1, 999, 1000, 1001, 2500, 9000)), max_size=60))
def test_blocks_are_bounded(gaps: list[int]) -> None:
    """The newest stay, each where its number says, also if many pass without a test; the totals forget nothing."""
    bound, counts, by_number = 5, Prequential(), dict[int, int]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "MAX_BLOCKS", bound)
        n_events = 0
        for gap in gaps:
            n_events += gap
            counts.test(1, {"list": [1]}, n_events)
            by_number[n_events // 1000] = by_number.get(n_events // 1000, 0) + 1
            assert len(counts.blocks) <= bound
    last = counts.first_block + len(counts.blocks) - 1

    assert counts.n == len(gaps) == counts.hits.get("list", [0])[0]
    assert last == max(by_number, default=-1)
    assert counts.first_block == max(0, last - bound + 1)
    for place, block in enumerate(counts.blocks, counts.first_block):
        assert block == [by_number.get(place, 0)] * 2 + [0]


def test_merged_counts_are_sums() -> None:
    """Rates are over the tests of all partitions, blocks by their numbers; a source of one partition counts, too."""
    one, two = Prequential(), Prequential()
    one.test(1, {"list": [1], "popularity": [1], "near": [1]}, 0)
    one.test(1, {"list": [2, 1], "popularity": [2]}, 1500)
    two.test(1, {"list": [3], "popularity": [1]}, 1999)
    two.first_block = 1
    two.blocks = two.blocks[1:]
    found = merged_json([one, two])

    assert (found["n"], found["hr@10"], found["hr@20"]) == (3, 0.66667, 0.66667)
    assert (found["ndcg@10"], found["mrr@10"]) == (round((1 + 1 / math.log2(3)) / 3, 5), 0.5)
    assert found["popularity"] == {"hr@10": 0.66667, "hr@20": 0.66667}
    assert found["sources"] == {"near": {"hr@10": 0.33333, "hr@20": 0.33333}}
    assert [each["n"] for each in found["series"]] == [1, 2]


def test_nothing_tested_is_no_rate() -> None:
    """None, not 0: a rate of nothing is not a bad one."""
    for parts in ([], [Prequential()]):
        found = merged_json(parts)
        assert (found["n"], found["hr@10"], found["ndcg@10"], found["series"]) == (0, None, None, [])
        assert found["popularity"] == {"hr@10": None, "hr@20": None}
    assert merged_errors([RatingErrors()]) == {"n": 0, "mae": None, "rmse": None}


def test_errors_of_ratings() -> None:
    """MAE and RMSE over all partitions, by the definition."""
    one, two = RatingErrors(2, 2.0 + 1.0, 4.0 + 1.0), RatingErrors(1)

    assert merged_errors([one, two]) == {"n": 3, "mae": 1.0, "rmse": round(math.sqrt(5 / 3), 5)}
