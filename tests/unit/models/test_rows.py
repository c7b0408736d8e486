"""Rows in two flat pools, against plain lists: they grow, are freed and used again, and never overlap."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import rows
from models.rows import FIRST, RowPool
from tests.plain import plain_kernels

Pairs = list[tuple[int, int]]

NUMBERS = st.integers(0, 90)  # more than a pool has at first
KEYS = st.integers(0, 5) | st.integers(0, 2**64 - 1)
STEPS = st.lists(
    st.tuples(st.just("count"), NUMBERS, st.lists(KEYS, max_size=20))
    | st.tuples(st.just("set"), NUMBERS, st.lists(KEYS, max_size=70, unique=True))
    | st.tuples(st.just("clear"), NUMBERS | st.just(10_000), st.just([]))
    | st.tuples(st.just("make room"), NUMBERS, st.lists(st.just(0), max_size=40)),
    max_size=40,
)


@contextmanager
def compiled_kernels() -> Iterator[None]:
    """As they are."""
    yield


MODES = {"compiled": compiled_kernels, "plain": plain_kernels}


def read(pool: RowPool, number: int) -> Pairs:
    """A row, in its order."""
    keys, values = pool.row(number)
    return list(zip(keys.tolist(), values.tolist(), strict=True))


def count(pool: RowPool, number: int, key: int) -> bool:
    """Count a key up, with room for it."""
    pool.grow(number + 1)
    pool.spare(4 * int(pool.length.max()) + 64)
    return bool(rows.count_up(pool.arrays(), number, np.uint64(key)))


def counted(n: int) -> Pairs:
    """A row of `n` pairs that `count_up` makes."""
    return [(key, 1) for key in range(n)]


def filled(pool: RowPool, number: int, n: int) -> None:
    """Count `n` keys into a row."""
    for key in range(n):
        count(pool, number, key)


def pool_of(*sizes: int) -> RowPool:
    """Rows 0, 1 ... of these lengths."""
    pool = RowPool(np.uint64, np.uint32)
    for number, n in enumerate(sizes):
        filled(pool, number, n)
    return pool


def apart(pool: RowPool) -> None:
    """No cell belongs to two rows, or to a row and a free place; all lie within what is used."""
    places = [(int(pool.start[number]), int(pool.room[number])) for number in np.flatnonzero(pool.room).tolist()]
    for size, first in enumerate(pool.arrays().heads.tolist()):
        while first >= 0:
            places.append((first, FIRST << size))
            first = int(pool.arrays().links[first // FIRST])
    ends = [0, *(first + room for first, room in sorted(places))]
    assert all(before <= first for before, (first, _) in zip(ends, sorted(places), strict=False))
    assert ends[-1] <= int(pool.arrays().used[0]) <= len(pool.keys) == len(pool.values)
    assert (pool.length <= pool.room).all()


@given(steps=STEPS, mode=st.sampled_from(list(MODES)))
def test_rows_are_those_of_plain_lists(steps: list[tuple[str, int, list[int]]], mode: str) -> None:
    """Whatever is counted, replaced, given room and cleared: each row holds its own pairs, in the order they came."""
    pool, plain = RowPool(np.uint64, np.uint32), dict[int, dict[int, int]]()
    with MODES[mode]():
        for step, number, keys in steps:
            if step == "count":
                for key in keys:
                    row = plain.setdefault(number, {})
                    assert count(pool, number, key) == (key not in row)
                    row[key] = row.get(key, 0) + 1
            elif step == "set":
                plain[number] = {key: place + 5 for place, key in enumerate(keys)}
                pool.set_row(number, np.array(keys, np.uint64), np.arange(5, 5 + len(keys), dtype=np.uint32))
            elif step == "clear":
                plain.pop(number, None)
                pool.clear(number)
            else:
                pool.grow(number + 1)
                pool.spare(4 * (len(keys) + int(pool.length[number])) + 64)
                rows.make_room(pool.arrays(), number, len(keys))
                assert pool.room[number] >= pool.length[number] + len(keys)
            apart(pool)
        which = np.array([number for number in reversed(range(len(pool.start))) if number % 3], np.int64)
        keys_of, values_of, ends = pool.copied(which)
    for number in range(len(pool.start) + 5):
        assert read(pool, number) == list(plain.get(number, {}).items())
    first = 0
    for number, end in zip(which.tolist(), ends, strict=True):
        copied = list(zip(keys_of[first:end].tolist(), values_of[first:end].tolist(), strict=True))
        assert copied == list(plain.get(number, {}).items())
        first = end
    assert first == len(keys_of) == len(values_of)


@given(steps=STEPS)
def test_compiled_and_plain_kernels_lay_rows_out_alike(steps: list[tuple[str, int, list[int]]]) -> None:
    """Pools, places and free lists agree to the byte."""
    pools = []
    for mode in MODES.values():
        pool = RowPool(np.uint64, np.uint32)
        with mode():
            for step, number, keys in steps:
                if step == "set":
                    pool.set_row(number, np.array(keys, np.uint64), np.arange(len(keys), dtype=np.uint32))
                elif step == "clear":
                    pool.clear(number)
                else:
                    for key in keys:
                        count(pool, number, key)
        pools.append([each.tobytes() for each in pool.arrays()])

    assert pools[0] == pools[1]


@pytest.mark.parametrize(("n", "size"), [(0, 0), (1, 0), (8, 0), (9, 1), (16, 1), (17, 2), (4096, 9), (4097, 10)])
def test_sizes_are_powers_of_two(n: int, size: int) -> None:
    """The least that is large enough."""
    assert rows.size_class(n) == rows.size_class.py_func(n) == size


def test_a_full_row_moves_to_one_twice_as_long() -> None:
    """Its pairs come with it; the row behind it stays where it is, and so do its pairs."""
    pool = pool_of(8, 8)
    before = pool.start[:2].tolist()
    count(pool, 0, 8)

    assert pool.room[:2].tolist() == [16, 8]
    assert pool.start[0] != before[0] and pool.start[1] == before[1]
    assert (read(pool, 0), read(pool, 1)) == (counted(9), counted(8))


def test_what_a_row_leaves_is_used_again() -> None:
    """The next row of that size lies there, the one left last first; another size takes new cells."""
    pool = pool_of(8, 20, 8)
    left = pool.start[:3].tolist()
    used = int(pool.arrays().used[0])
    pool.clear(0)
    pool.clear(2)
    filled(pool, 3, 8)
    filled(pool, 4, 3)
    assert (pool.start[3], pool.start[4]) == (left[2], left[0])
    assert int(pool.arrays().used[0]) == used

    filled(pool, 5, 1)

    assert pool.start[5] == used
    assert [read(pool, number) for number in range(6)] == [[], counted(20), [], counted(8), counted(3), counted(1)]


def test_rows_come_and_go_for_ever_in_the_same_memory() -> None:
    """Growing and clearing the same rows takes nothing new after the first round."""
    pool, sizes = RowPool(np.uint64, np.uint32), []
    for _ in range(20):
        for number in range(10):
            filled(pool, number, 40)
        for number in range(10):
            pool.clear(number)
        sizes.append(int(pool.arrays().used[0]))

    assert sizes[-1] == sizes[0]


def test_clearing_twice_frees_once() -> None:
    """Two rows must not be given one place."""
    pool = pool_of(5)
    pool.clear(0)
    pool.clear(0)
    filled(pool, 1, 5)
    filled(pool, 2, 5)

    assert pool.start[1] != pool.start[2]
    assert (read(pool, 1), read(pool, 2)) == (counted(5), counted(5))


def test_replacing_a_row_by_an_empty_one_frees_it() -> None:
    """As clearing does."""
    pool = pool_of(5)
    pool.set_row(0, np.zeros(0, np.uint64), np.zeros(0, np.uint32))
    filled(pool, 1, 5)

    assert (read(pool, 0), int(pool.room[0]), int(pool.start[1])) == ([], 0, 0)


@pytest.mark.parametrize("n_cells", [0, 1, 1_000, 1_024, 1_025, 5_000, 100_000])
def test_spare_keeps_what_was_there(n_cells: int) -> None:
    """Afterwards so many cells are left that no row has used; rows, free places and lengths are as before."""
    pool = pool_of(8, 100, 8, 30)
    pool.clear(2)
    before = [read(pool, number) for number in range(6)]
    pool.spare(n_cells)
    arrays = pool.arrays()

    assert len(pool.keys) == len(pool.values) >= int(arrays.used[0]) + n_cells
    assert len(arrays.links) >= len(pool.keys) // FIRST
    assert [read(pool, number) for number in range(6)] == before
    apart(pool)
    filled(pool, 4, 8)
    assert int(arrays.used[0]) == int(pool.arrays().used[0]), "what row 2 left is used first"


def test_spare_does_not_grow_what_is_large_enough() -> None:
    """Asked over and over, the pool stays; asked for a little more than there is, it doubles."""
    pool = pool_of(8)
    for _ in range(100):
        pool.spare(500)
    assert len(pool.keys) == 1_024

    pool.spare(1_020)

    assert 2_048 <= len(pool.keys) <= 2_048 + FIRST


def test_reading_a_row_that_was_never_made() -> None:
    """It is empty, and asking makes no room."""
    pool = pool_of(3)

    assert read(pool, 1_000_000) == []
    assert len(pool.start) == 64


def test_counting_up_counts_in_the_pool_type() -> None:
    """Up to where uint32 ends, with keys of all 64 bits."""
    pool, key = RowPool(np.uint64, np.uint32), 2**64 - 1
    pool.set_row(0, np.array([1, key], np.uint64), np.array([0, 2**32 - 2], np.uint32))

    assert not count(pool, 0, key)
    assert read(pool, 0) == [(1, 0), (key, 2**32 - 1)]
