"""The kernels of the history factors one by one; that whole streams agree with the plain twins is tested there."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import history_kernels as kernels


def test_mix_is_splitmix64() -> None:
    """The first number of the published generator with seed 0."""
    assert int(kernels.mix(np.uint64(0))) == 0xE220A8397B1DCDAF


@given(st.floats(-90.0, 0.0))
def test_exp_is_close_to_the_true_one(x: float) -> None:
    """Within 1e-8, relative, down to -80, and the same in both twins."""
    value = kernels.exp_of_negative(x)

    assert value == kernels.exp_of_negative.py_func(x)
    assert value == (pytest.approx(math.exp(x), rel=1e-8) if x > -80.0 else 0.0)


def test_exp_of_nan_is_nothing() -> None:
    """A NaN must not win the softmax."""
    assert kernels.exp_of_negative(math.nan) == 0.0


@given(
    n_items=st.integers(1, 40),
    dead=st.sets(st.integers(0, 39)),
    seen=st.sets(st.integers(0, 60)),
    key=st.integers(0, 2**64 - 1),
)
def test_draw_takes_live_unseen_others(n_items: int, dead: set[int], seen: set[int], key: int) -> None:
    """Every draw that hits the target, a free slot or a seen item is dropped, and none is repeated; twins agree."""
    live = np.array([slot not in dead for slot in range(40)])
    hashes = np.arange(1, 41, dtype=np.uint64) * np.uint64(64)  # some share a cell
    known = np.array([64 * slot + 64 for slot in seen], np.uint64)
    outcomes = []
    for draw in (kernels.draw, kernels.draw.py_func):
        draws = kernels.room_for_draws(30)
        with np.errstate(over="ignore"):
            n = draw(np.uint64(key), 30, n_items, live, hashes, known, 0, draws)
        assert not draws.heads.any()
        outcomes.append(draws.candidates[:n].tolist())
    with np.errstate(over="ignore"):
        hit = [(int(kernels.mix(np.uint64((key + n) % 2**64))) >> 32) * n_items >> 32 for n in range(30)]

    assert outcomes[0] == outcomes[1]
    assert outcomes[0] == [0, *(slot for slot in hit if slot != 0 and slot not in dead and slot not in seen)]


def test_rare_negatives_move_by_chance_in_proportion() -> None:
    """With 2 candidates of p = .05 and round_to = .2, the negative moves in a quarter of the events."""
    row = np.zeros((3, 8 + kernels.N_EXTRA), np.float32)
    row[:, 9:] = 1.0
    row[0, 8] = math.log(0.95 / 0.05)
    n_moved = 0
    for number in range(4_000):
        rows, key = row.copy(), np.uint64(kernels.mix(np.uint64(number)))
        user, scratch = np.zeros(8, np.float32), np.zeros(8, np.float32)
        odds, changed = np.zeros(2, np.float32), np.zeros(3, np.int32)
        arrays = (
            np.array([2], np.int32),
            np.ones(1, np.float32),
            user,
            np.array([0, 1], np.int32),
            2,
            key,
            1.0,
            0.1,
            0.2,
            odds,
            scratch,
            changed,
        )
        n = kernels.learn(rows, 8, *arrays)
        moved = 1 in changed[:n].tolist()
        assert moved == (rows[1, 8] != 0.0)
        n_moved += moved

    assert n_moved == pytest.approx(1_000, abs=100)
