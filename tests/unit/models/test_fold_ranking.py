"""The small steps of ranking all sources at once; the whole is compared with plain sorting where the fold calls it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import fold_ranking
from models.ids import order_key
from tests.plain import plain_kernels

IDS = ("b", "a", "語", "aa", "c", "B", "an id of more than 16 bytes 1", "an id of more than 16 bytes 0")
FEW = st.lists(st.tuples(st.integers(0, len(IDS) - 1), st.sampled_from((0.5, 1.0, 1.0, 2.0))), max_size=8)


@given(few=FEW, k=st.integers(1, 10))
def test_few_slots_in_order(few: list[tuple[int, float]], k: int) -> None:
    """By (-score, first 16 bytes of the id); what begins alike stays in the order it came in; both twins agree."""
    scores = dict(few)
    keys = np.array([order_key(item_id) for item_id in IDS], np.uint64)
    expected = sorted(scores, key=lambda slot: (-scores[slot], IDS[slot].encode()[:16]))[:k]
    arguments = np.array([*scores], np.int32), np.array([*scores.values()], np.float64), keys, k
    found = np.zeros((2, k), np.int32)
    n = fold_ranking.in_order(*arguments, found[0])
    with plain_kernels():
        assert fold_ranking.in_order(*arguments, found[1]) == n

    assert n == len(expected)
    assert found[0, :n].tolist() == found[1, :n].tolist() == expected


@pytest.mark.parametrize(
    ("first", "behind", "k", "expected"),
    [
        ([5, 3], [1, 5, 2, 3, 4], 4, [5, 3, 1, 2]),
        ([5, 3], [3, 5], 4, [5, 3]),
        ([], [3, 5], 4, [3, 5]),
        ([5, 3], [1], 2, [5, 3]),
        ([5, 3], [], 4, [5, 3]),
    ],
)
def test_a_list_is_filled_from_behind(first: list[int], behind: list[int], k: int, expected: list[int]) -> None:
    """Up to k, each slot once, the order of both kept."""
    out = np.array([*first, *([-1] * k)], np.int32)[:k]
    n = fold_ranking.fill(len(first), np.array([*behind, 9, 9], np.int32), len(behind), k, out)

    assert out[:n].tolist() == expected
