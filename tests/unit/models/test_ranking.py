"""Ranking over slots, against plain sorting; compiled and plain."""

import math
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import ranking
from models.hash_index import HashIndex
from models.ids import order_key
from tests.plain import plain_kernels

LONG = "an id of more than 16 bytes "
IDS = st.sampled_from([*"abcdefgh", "語", "ü", "A", "aa", *(f"{LONG}{n}" for n in range(6)), "an id of more th"])
VALUES = st.sampled_from((0.0, -0.0, 1.0, 1.0, 1.0, 2.0, -1.0, 0.5, 1e-300))
SLOTS = st.lists(st.tuples(IDS, VALUES, st.sampled_from((0.0, 1.0, 1.0, 2.0)), st.booleans()), max_size=16)


@contextmanager
def compiled_kernels() -> Iterator[None]:
    """As they are."""
    yield


MODES = {"compiled": compiled_kernels, "plain": plain_kernels}


def top(
    slots: list[tuple[str, float, float, bool]], floor: float, k: int, mode: str = "compiled"
) -> list[tuple[int, float]]:
    """What the kernel takes, from arrays that are longer than they need be."""
    n_slots = len(slots)
    scores, norms, blocked = np.full(20, 99.0), np.full(20, 99.0), np.zeros(20, np.bool_)
    keys = np.zeros((20, 2), np.uint64)
    for slot, (item_id, score, norm, is_blocked) in enumerate(slots):
        scores[slot], norms[slot], blocked[slot], keys[slot] = score, norm, is_blocked, order_key(item_id)
    out, best = np.full(k, -7, np.int32), np.full(k, -7.0)
    with MODES[mode]():
        n = ranking.top_slots(scores, norms, floor, blocked, n_slots, keys, k, out, best)
    return list(zip(out[:n].tolist(), best[:n].tolist(), strict=True))


@given(
    slots=SLOTS, floor=st.sampled_from((0.0, -math.inf, 0.75)), k=st.integers(1, 20), mode=st.sampled_from(list(MODES))
)
def test_the_best_slots(slots: list[tuple[str, float, float, bool]], floor: float, k: int, mode: str) -> None:
    """By (-value, first 16 bytes of the id, slot), blocked ones and what is not above the floor left out."""
    values = {slot: score * norm for slot, (_, score, norm, _) in enumerate(slots)}
    offered = [slot for slot, each in enumerate(slots) if not each[3] and values[slot] > floor]
    offered.sort(key=lambda slot: (-values[slot], slots[slot][0].encode()[:16], slot))

    assert top(slots, floor, k, mode) == [(slot, values[slot]) for slot in offered[:k]]


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


@given(
    values=many_values(),
    k=st.integers(1, 60) | st.integers(-2, 2),
    floor=st.sampled_from((-math.inf, 0.0, 1.0)),
    share_blocked=st.sampled_from((0.0, 0.3, 0.95)),
    mode=st.sampled_from(list(MODES)),
)
def test_the_best_of_many_slots(values: list[float], k: int, floor: float, share_blocked: float, mode: str) -> None:
    """Many equal values, values of all magnitudes, nearly all of them asked for: as sorting says, and nothing behind k.

    Where more are offered than asked for a bound is guessed first; it must never cut off one of the best.
    """
    n, rng = len(values), random.Random(len(values))
    k = k if k > 2 else max(1, n + k)  # all, or a few more or less
    keys = np.array([[rng.randrange(3), rng.randrange(3)] for _ in values], np.uint64)
    blocked = np.array([rng.random() < share_blocked for _ in values])
    scores, out, best = np.array(values), np.full(k + 1, -7, np.int32), np.full(k + 1, -7.0)
    offered = [slot for slot in range(n) if not blocked[slot] and values[slot] > floor]
    offered.sort(key=lambda slot: (-values[slot], *keys[slot].tolist(), slot))
    with MODES[mode]():
        n_found = ranking.top_slots(scores, np.ones(n), floor, blocked, n, keys, k, out, best)

    assert out[:n_found].tolist() == offered[:k]
    assert best[:n_found].tolist() == [values[slot] for slot in offered[:k]]
    assert (out[k], best[k]) == (-7, -7.0)
    assert scores.tolist() == [-math.inf if blocked[slot] else values[slot] for slot in range(n)]


@pytest.mark.parametrize("peaks", [(2.0, 3.0), (2.0, 2.0 + 2**-40, 1e300), (0.5, -1.0, 1.0 - 2**-52)])
@pytest.mark.parametrize("n", [33, 160, 400])
def test_every_k_over_rare_peaks(n: int, peaks: tuple[float, ...]) -> None:
    """Also where the bound would have to fall between values that are equal, or closer than it can see."""
    rng, keys = random.Random(n), np.zeros((n, 2), np.uint64)
    values = [rng.choice(peaks) if rng.random() < 0.06 else 1.0 for _ in range(n)]
    expected = sorted(range(n), key=lambda slot: (-values[slot], slot))
    for k in range(1, n + 2):
        out, best = np.zeros(k, np.int32), np.zeros(k)
        scores, blocked = np.array(values), np.zeros(n, np.bool_)
        n_found = ranking.top_slots(scores, np.ones(n), -math.inf, blocked, n, keys, k, out, best)
        assert out[:n_found].tolist() == expected[:k]


@given(values=many_values(), k=st.integers(1, 30), mode=st.sampled_from(list(MODES)))
def test_the_bound_is_reached_by_the_best(values: list[float], k: int, mode: str) -> None:
    """At least `k` values reach it, blocked ones (-inf) not among them; if it cannot say, it bounds nothing."""
    array = np.array([value if number % 3 else -math.inf for number, value in enumerate(values)])
    with MODES[mode]():
        bound = ranking.least_of_best(array, k)

    assert bound == -math.inf or int((array >= bound).sum()) >= k


def test_ids_that_begin_alike_stand_by_slot() -> None:
    """Ties are broken by 16 bytes; behind them the lower slot wins, which is the same in every run of a log."""
    slots = [(f"{LONG}{n}", 1.0, 1.0, False) for n in (2, 0, 1)]
    assert [
        slot for slot, _ in top([*slots, ("an id of more th", 1.0, 1.0, False), ("a", 1.0, 1.0, False)], 0.0, 9)
    ] == [
        4,
        0,
        1,
        2,
        3,
    ]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("k", [1, 3, 10])
@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", range(5))
def test_a_value_that_is_not_finite_leaves_no_list(place: int, wrong: float, k: int, mode: str) -> None:
    """Wherever it stands, before or behind better ones; of a blocked slot it is no matter."""
    slots = [(item_id, float(n), 1.0, False) for n, item_id in enumerate("abcde")]
    slots[place] = ("x", wrong, 1.0, False)
    assert top(slots, -math.inf, k, mode) == []

    slots[place] = ("x", wrong, 1.0, True)
    assert len(top(slots, -math.inf, k, mode)) == min(k, 4)


def test_a_product_that_overflows_leaves_no_list() -> None:
    """Score and norm may be finite and their product not."""
    assert top([("a", 1.0, 1.0, False), ("b", 1e308, 1e10, False)], 0.0, 5) == []


@given(
    hashes=st.lists(st.sampled_from([1 + 128 * n for n in range(30)]), max_size=20, unique=True),
    dead=st.sets(st.integers(0, 19)),
    free=st.sets(st.integers(0, 19)),
    seen=st.lists(st.sampled_from([1 + 128 * n for n in range(80)]), max_size=70, unique=True),
    n_left_out=st.integers(0, 3),
    mode=st.sampled_from(list(MODES)),
)
def test_free_slots_and_seen_items_are_blocked(
    hashes: list[int], dead: set[int], free: set[int], seen: list[int], n_left_out: int, mode: str
) -> None:
    """Whatever stood in the mask before; every hash here falls into the same cell; behind n_slots nothing is written.

    Blocked are slots without an item, those whose item waits for its first event, and those of seen hashes.
    """
    hashes = [0 if slot in free else each for slot, each in enumerate(hashes)]
    live = np.array([each != 0 and slot not in dead for slot, each in enumerate(hashes)], np.bool_)
    n_slots = max(0, len(hashes) - n_left_out)
    blocked = np.array([True, False] * 15)
    with MODES[mode]():
        index = HashIndex()
        index.rebuild(np.array(hashes, np.uint64), len(hashes))
        ranking.block(live, n_slots, index.cells, index.slots, np.array(seen, np.uint64), blocked)

    expected = [not live[slot] or hashes[slot] in seen for slot in range(n_slots)]
    assert blocked.tolist() == [*expected, *([True, False] * 15)[n_slots:]]


@pytest.mark.parametrize("mode", MODES)
def test_rows_are_added_in_order(mode: str) -> None:
    """Each row times its factor; the order is the rounding."""
    neighbours = np.array([0, 1, 2, 2, 1], np.int32)
    weights = np.array([1.0, 0.1, 1e16, 1.0, 0.2])
    start, length = np.array([0, 3, 4]), np.array([3, 1, 1], np.int32)
    scores = np.zeros(3)
    with MODES[mode]():
        rows, factors = np.array([0, 1, 2], np.int32), np.array([1.0, 1.0, 3.0])
        ranking.add_rows(neighbours, weights, start, length, rows, factors, scores)

    assert scores.tolist() == [1.0, 0.1 + 3.0 * 0.2, 1e16 + 1.0]
