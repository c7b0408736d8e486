"""What hypothesis makes logs of."""

import random

from hypothesis import strategies as st

from tests.logs import SPAN


def numbers(least: int, most: int) -> st.SearchStrategy[list[int]]:
    """Numbers for `tests.logs.log_of`: one by one, mostly small, which shrink well; or evenly drawn, which vary."""
    one_by_one = st.integers(least, most).flatmap(lambda n: st.lists(st.integers(0, SPAN - 1), min_size=n, max_size=n))
    return one_by_one | st.builds(_evenly, st.integers(0, 2**32), st.integers(least, most))


def _evenly(seed: int, n: int) -> list[int]:
    rng = random.Random(seed)
    return [rng.randrange(SPAN) for _ in range(n)]
