"""Ranking over slots, against plain sorting; compiled and plain."""

import math
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models import ranking
from tests.plain import plain_kernels


@contextmanager
def compiled_kernels() -> Iterator[None]:
    """As they are."""
    yield


MODES = {"compiled": compiled_kernels, "plain": plain_kernels}
MAGNITUDES = st.sampled_from((1e-308, 5e-324, 1e-9, 0.1, 1.0, 1.0 + 2**-52, 7.0, 1e9, 1e300, 1.7e308))
ANY_VALUES = st.builds(lambda value, sign: value * sign, MAGNITUDES | st.floats(0, 1e308), st.sampled_from((-1, 1)))


@st.composite
def many_values(draw: st.DrawFn) -> list[float]:
    """Up to 400 values: of a few, so that many are equal, or of all magnitudes; some sorted, some with rare peaks."""
    few = draw(st.lists(ANY_VALUES, min_size=1, max_size=draw(st.sampled_from((1, 3, 40)))))
    n, rng = draw(st.integers(1, 400)), random.Random(draw(st.integers(0, 2**32)))
    share_of_peaks = draw(st.sampled_from((1.0, 0.1, 0.05)))
    values = [rng.choice(few) if rng.random() < share_of_peaks else min(few) for _ in range(n)]
    return sorted(values, reverse=draw(st.booleans())) if draw(st.booleans()) else values


@given(values=many_values(), k=st.integers(1, 30), mode=st.sampled_from(list(MODES)))
def test_the_best_are_inserted_in_order(values: list[float], k: int, mode: str) -> None:
    """By (-value, key, number), whatever the order they come in; nothing is written behind k."""
    rng = random.Random(len(values))
    keys = np.array([[rng.randrange(3), rng.randrange(3)] for _ in values], np.uint64)
    coming = rng.sample(range(len(values)), len(values))
    out, best, n = np.full(k + 1, -7, np.int32), np.full(k + 1, -7.0), 0
    with MODES[mode]():
        for entry in coming:
            n = ranking.insert(entry, values[entry], n, keys, k, out, best)
    expected = sorted(coming, key=lambda entry: (-values[entry], *keys[entry].tolist(), entry))[:k]

    assert out[:n].tolist() == expected
    assert best[:n].tolist() == [values[entry] for entry in expected]
    assert (out[k], best[k]) == (-7, -7.0)


@given(values=many_values(), k=st.integers(1, 30), mode=st.sampled_from(list(MODES)))
def test_a_hundred_are_placed_as_if_inserted(values: list[float], k: int, mode: str) -> None:
    """By (-value, key, number), all at once; nothing is written behind k."""
    rng, values = random.Random(len(values)), values[: ranking.SOME]
    keys = np.array([[rng.randrange(3), rng.randrange(3)] for _ in values], np.uint64)
    coming = rng.sample(range(len(values)), len(values))
    out, best = np.full(k + 1, -7, np.int32), np.full(k + 1, -7.0)
    with MODES[mode]():
        n = ranking.place_all(np.array(coming, np.int32), np.array(values)[coming], keys, k, out, best)
    expected = sorted(coming, key=lambda entry: (-values[entry], *keys[entry].tolist(), entry))[:k]

    assert out[:n].tolist() == expected
    assert best[:n].tolist() == [values[entry] for entry in expected]
    assert (out[k], best[k]) == (-7, -7.0)


@given(values=many_values(), k=st.integers(1, 30), mode=st.sampled_from(list(MODES)))
def test_the_bound_is_reached_by_the_best(values: list[float], k: int, mode: str) -> None:
    """At least `k` values reach it, blocked ones (-inf) not among them; if it cannot say, it bounds nothing."""
    array = np.array([value if number % 3 else -math.inf for number, value in enumerate(values)])
    with MODES[mode]():
        bound = ranking.least_of_best(array, k)

    assert bound == -math.inf or int((array >= bound).sum()) >= k
