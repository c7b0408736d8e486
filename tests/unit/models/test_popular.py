"""The most popular slots: kept in order while people come and go, as sorting says."""

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from models import popular
from models.popular import Popular, fall, rise

N_SLOTS = 40
Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]


@given(
    events=st.lists(st.integers(0, N_SLOTS - 1), max_size=150),
    bound=st.sampled_from((1, 3, 10, 100)),
    seed=st.integers(0, 9),
)
def test_risen_is_sorted(events: list[int], bound: int, seed: int) -> None:
    """After every event: by (-events, key, slot), the first `bound`; made anew it is the same; twins agree."""
    keys = np.random.default_rng(seed).integers(0, 3, (N_SLOTS, 2)).astype(np.uint64)
    twins: tuple[Any, ...] = rise, rise.py_func
    counts, found = np.zeros(N_SLOTS, np.int64), [made(bound), made(bound)]
    for slot in events:
        counts[slot] += 1
        for each, move in zip(found, twins, strict=True):
            move(each.top, each.place, each.n, counts, keys, slot)
        for each in found:
            assert_sorted(each, counts, keys, bound)


@given(
    moves=st.lists(st.tuples(st.integers(0, N_SLOTS - 1), st.sampled_from((1, 1, 1, -1, -1))), max_size=150),
    bound=st.sampled_from((1, 3, 10, 100)),
    seed=st.integers(0, 9),
)
def test_people_who_go_leave_the_first_sorted(moves: list[tuple[int, int]], bound: int, seed: int) -> None:
    """Also where one that was not among the first takes the last place; twins agree."""
    keys = np.random.default_rng(seed).integers(0, 3, (N_SLOTS, 2)).astype(np.uint64)
    twins: tuple[Any, ...] = (rise, fall), (rise.py_func, fall.py_func)
    counts, found = np.zeros(N_SLOTS, np.int64), [made(bound), made(bound)]
    for slot, step in moves:
        if counts[slot] + step < 0:
            continue
        counts[slot] += step
        for each, (up, down) in zip(found, twins, strict=True):
            if step > 0:
                up(each.top, each.place, each.n, counts, keys, slot)
            else:
                down(each.top, each.place, each.n, counts, keys, slot, N_SLOTS)
        for each in found:
            assert_sorted(each, counts, keys, bound)


@given(counts=st.lists(st.integers(0, 3), max_size=2 * popular.MAX_POPULAR), seed=st.integers(0, 9))
def test_made_anew(counts: list[int], seed: int) -> None:
    """Slots without an event are left out, whatever stood there before."""
    numbers = np.array(counts, np.int64)
    keys = np.random.default_rng(seed).integers(0, 3, (len(counts), 2)).astype(np.uint64)
    found = Popular()
    found.grow(len(counts))
    found.place[:] = 5
    found.rebuild(numbers, keys)
    known = [slot for slot in range(len(counts)) if counts[slot]]
    expected = sorted(known, key=lambda slot: (-counts[slot], *keys[slot].tolist(), slot))[: popular.MAX_POPULAR]

    assert found.top[: found.n[0]].tolist() == expected
    assert found.place[expected].tolist() == list(range(len(expected)))
    assert int((found.place >= 0).sum()) == len(expected)


def assert_sorted(found: Popular, counts: Ints, keys: Keys, bound: int) -> None:
    """The first are those that sorting finds, and every place is known."""
    known = [slot for slot in range(N_SLOTS) if counts[slot]]
    expected = sorted(known, key=lambda slot: (-counts[slot], *keys[slot].tolist(), slot))[:bound]
    assert found.top[: found.n[0]].tolist() == expected
    assert {slot: found.place[slot] for slot in range(N_SLOTS) if found.place[slot] >= 0} == {
        slot: place for place, slot in enumerate(expected)
    }


def made(bound: int) -> Popular:
    """Of another length."""
    small = Popular()
    small.top = np.zeros(bound, np.int32)
    small.grow(N_SLOTS)
    return small
