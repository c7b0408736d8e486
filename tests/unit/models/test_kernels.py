"""The compiled kernels: bit for bit their plain twins, and each keeps its own promise."""

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from models import kernels
from tests.plain import plain_kernels

WEIGHTS = st.sampled_from((0.25, 0.5, 1.0, 1.0, 3.0, 0.1 + 0.2)) | st.floats(1e-300, 1e300)
ROWS = st.lists(st.tuples(st.integers(0, 30), WEIGHTS), max_size=30, unique_by=lambda pair: pair[0])


def both(name: str, *arguments: Any) -> tuple[list[Any], list[Any]]:
    """What a kernel returns, and its arguments afterwards: compiled, and plain."""
    outcomes = []
    compiled = [each.copy() if isinstance(each, np.ndarray) else each for each in arguments]
    outcomes.append([getattr(kernels, name)(*compiled), *compiled])
    plain = [each.copy() if isinstance(each, np.ndarray) else each for each in arguments]
    with plain_kernels():
        outcomes.append([getattr(kernels, name)(*plain), *plain])
    return outcomes[0], outcomes[1]


def bits(outcome: list[Any]) -> list[Any]:
    """Values as bytes, so that -0.0 is not 0.0 and a NaN equals itself."""
    flat: list[Any] = []
    for each in outcome:
        flat.extend(each if isinstance(each, tuple) else [each])
    return [each.tobytes() if isinstance(each, np.ndarray) else np.asarray(each).item() for each in flat]


def row_arrays(pairs: list[tuple[int, float]]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """A row's neighbours and weights."""
    return np.array([slot for slot, _ in pairs], np.int32), np.array([weight for _, weight in pairs], np.float64)


@given(pairs=ROWS, n_keep=st.integers(1, 12))
def test_cut_row_keeps_the_heaviest_ties_by_the_lower_slot(pairs: list[tuple[int, float]], n_keep: int) -> None:
    """Exactly `n_keep` stay if there are more; they stay in the order they had."""
    neighbours, weights = row_arrays(pairs)
    compiled, plain = both("cut_row", neighbours, weights, 0, len(pairs), n_keep)
    best = sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:n_keep]
    size = compiled[0]

    assert list(zip(compiled[1][:size].tolist(), compiled[2][:size].tolist(), strict=True)) == [
        pair for pair in pairs if pair in best
    ]
    assert bits(compiled) == bits(plain)


def test_cut_row_leaves_the_rest_of_the_pool_alone() -> None:
    """A row in the middle of the pool is cut; its neighbours in memory stay."""
    neighbours, weights = row_arrays([(9, 9.0), (3, 1.0), (2, 1.0), (1, 1.0), (8, 8.0)])

    assert kernels.cut_row(neighbours, weights, 1, 3, 2) == 2
    assert neighbours[[0, 1, 2, 4]].tolist() == [9, 2, 1, 8]
    assert weights[[0, 4]].tolist() == [9.0, 8.0]


@given(
    events=st.lists(
        st.tuples(st.integers(0, 9), st.lists(st.tuples(st.integers(0, 9), WEIGHTS), max_size=5)), max_size=20
    ),
    n_keep=st.integers(1, 4),
)
def test_add_pairs_twins(events: list[tuple[int, list[tuple[int, float]]]], n_keep: int) -> None:
    """Pools, starts and lengths are the same after any events; no row ever holds 2 `n_keep` pairs."""
    full = 2 * n_keep
    start, length = np.arange(10, dtype=np.int64) * full, np.zeros(10, np.int32)
    neighbours, weights = np.zeros(10 * full, np.int32), np.zeros(10 * full, np.float64)
    for slot, pairs in events:
        others = {other: weight for other, weight in pairs if other != slot}
        arrays = row_arrays(list(others.items()))
        compiled, plain = both("add_pairs", neighbours, weights, start, length, slot, *arrays, n_keep)
        assert bits(compiled) == bits(plain)
        neighbours, weights, _, length = compiled[1:5]
        assert length.max() < full


@given(row=st.lists(st.integers(0, 99), max_size=70, unique=True), slot=st.integers(0, 99))
def test_find_in_tells_the_position(row: list[int], slot: int) -> None:
    """Wherever the slot stands, in a full run of sixteen or behind the last of them; -1 if it is not there."""
    compiled, plain = both("find_in", np.array(row, np.int32), slot)

    assert compiled[0] == plain[0] == (row.index(slot) if slot in row else -1)


@given(pairs=ROWS, slot=st.integers(31, 40), weight=WEIGHTS, n_keep=st.integers(1, 20))
def test_append_adds_one_pair_and_cuts_a_full_row(
    pairs: list[tuple[int, float]], slot: int, weight: float, n_keep: int
) -> None:
    """At its end; with 2 `n_keep` pairs the heaviest `n_keep` stay. The rows before and behind are left alone."""
    pairs = pairs[: 2 * n_keep - 1]
    neighbours, weights = row_arrays([(7, 7.0), *pairs, (0, 0.0), (8, 8.0)])
    start, length = np.array([0, 1, len(pairs) + 2]), np.array([1, len(pairs), 1], np.int32)
    compiled, plain = both("append", neighbours, weights, start, length, 1, slot, weight, n_keep)
    expected = [*pairs, (slot, weight)]
    if len(expected) == 2 * n_keep:
        best = sorted(expected, key=lambda pair: (-pair[1], pair[0]))[:n_keep]
        expected = [pair for pair in expected if pair in best]
    size = int(compiled[4][1])

    assert bits(compiled) == bits(plain)
    assert list(zip(compiled[1][1:].tolist(), compiled[2][1:].tolist(), strict=True))[:size] == expected
    assert compiled[4].tolist() == [1, len(expected), 1]
    assert compiled[1][[0, -1]].tolist() == [7, 8] and compiled[2][[0, -1]].tolist() == [7.0, 8.0]


@given(rows=st.lists(ROWS, min_size=1, max_size=6), gone=st.sets(st.integers(0, 30)))
def test_drop_slots_removes_every_mention(rows: list[list[tuple[int, float]]], gone: set[int]) -> None:
    """What stays keeps its order; the mask names exactly the rows that lost something."""
    neighbours, weights = row_arrays([pair for row in rows for pair in row])
    length = np.array([len(row) for row in rows], np.int32)
    start = np.concatenate(([0], np.cumsum(length)[:-1])).astype(np.int64)
    mask = np.zeros(31, np.bool_)
    mask[list(gone)] = True
    compiled, plain = both("drop_slots", neighbours, weights, start, length, len(rows), mask)

    assert bits(compiled) == bits(plain)
    changed, neighbours, weights, _, length = compiled[:5]
    for number, row in enumerate(rows):
        kept = [pair for pair in row if pair[0] not in gone]
        span = slice(int(start[number]), int(start[number]) + int(length[number]))
        assert list(zip(neighbours[span].tolist(), weights[span].tolist(), strict=True)) == kept
        assert bool(changed[number]) == (kept != row)


@given(values=st.lists(st.sampled_from((1, 2, 3, 5, 8, 2**63, 2**64 - 1)), max_size=40), max_seen=st.integers(1, 9))
def test_remember_keeps_the_newest_in_order(values: list[int], max_seen: int) -> None:
    """Like a dict whose entry moves to the end when touched, and whose oldest goes when it is full; words go along."""
    seen, words, n_seen = np.zeros(max_seen, np.uint64), np.zeros(max_seen, np.uint64), 0
    model: dict[int, int] = {}
    for value in values:
        compiled, plain = both("remember", seen, words, n_seen, max_seen, np.uint64(value))
        assert bits(compiled) == bits(plain)
        (n_seen, word), seen, words = compiled[0], compiled[1], compiled[2]
        assert word == model.pop(value, 0)
        model[value] = words[n_seen - 1] = len(model) + 1
        if len(model) > max_seen:
            del model[next(iter(model))]
        assert seen[:n_seen].tolist() == list(model)
        assert words[:n_seen].tolist() == list(model.values())
