"""Ranking over slots, against plain sorting; compiled and plain."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import ranking
from models.ids import hash64, order_key
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
    hashes=st.lists(st.sampled_from([0, *(1 + 64 * n for n in range(30))]), max_size=20),
    seen=st.lists(st.sampled_from([1 + 64 * n for n in range(80)]), max_size=70, unique=True),
    mode=st.sampled_from(list(MODES)),
)
def test_free_slots_and_seen_items_are_blocked(hashes: list[int], seen: list[int], mode: str) -> None:
    """Whatever stood in the arrays before; every hash here falls into the same cell; behind n_seen nothing counts."""
    blocked = np.array([True, False] * 15)
    table = ranking.table_for(len(seen), np.full(64, 77, np.uint64))
    with MODES[mode]():
        behind = np.array([*seen, hash64("a"), *hashes], np.uint64)
        ranking.block(np.array(hashes, np.uint64), len(hashes), behind, len(seen), table, blocked)

    assert blocked[: len(hashes)].tolist() == [each == 0 or each in seen for each in hashes]
    assert blocked[len(hashes) :].tolist() == [True, False] * 15 if not hashes else True


@pytest.mark.parametrize("n_seen", [0, 1, 31, 32, 33, 100, 4096])
def test_the_table_is_large_enough(n_seen: int) -> None:
    """A power of two, at least twice what goes in: a search always meets an empty cell."""
    for given_table in (np.zeros(64, np.uint64), np.zeros(16_384, np.uint64)):
        table = ranking.table_for(n_seen, given_table)
        assert len(table) >= max(64, 2 * n_seen)
        assert len(table) & (len(table) - 1) == 0


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
