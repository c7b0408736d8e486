"""The small steps of ranking all sources at once; the whole is compared with plain sorting where the fold calls it."""

import numpy as np
import pytest

from models import fold_ranking


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
