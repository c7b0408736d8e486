"""Slots by hash, against a dict; compiled and plain."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import hash_index
from models.hash_index import HashIndex
from tests.plain import plain_kernels

COLLIDING = st.sampled_from([1 + 1024 * n for n in range(200)])  # of one cell, in any index that these tests make
HASHES = COLLIDING | st.integers(1, 40) | st.integers(1, 2**64 - 1) | st.integers(2**64 - 40, 2**64 - 1)
SLOTS = st.lists(st.just(0) | HASHES, max_size=90)


def first_slots(hashes: list[int]) -> dict[int, int]:
    """The first slot of each hash; 0 is a free slot."""
    return {each: slot for slot, each in reversed(list(enumerate(hashes))) if each}


def found(index: HashIndex, keys: list[int]) -> list[int]:
    """What the index says of each hash."""
    return [int(hash_index.find(index.cells, index.slots, np.uint64(key))) for key in keys]


def added(hashes: list[int]) -> HashIndex:
    """Slots added one by one, as items come."""
    index, array = HashIndex(), np.zeros(len(hashes) + 3, np.uint64)
    for slot, each in enumerate(hashes):
        array[slot] = each
        if each:
            index.add(each, slot, array, slot + 1)
    return index


def rebuilt(hashes: list[int]) -> HashIndex:
    """All slots at once; what stands behind them is not taken."""
    index = HashIndex()
    index.rebuild(np.array([*hashes, 77, 78], np.uint64), len(hashes))
    return index


def cells_of(index: HashIndex) -> tuple[bytes, bytes]:
    """All that there is."""
    return index.cells.tobytes(), index.slots.tobytes()


@given(hashes=SLOTS, others=st.lists(HASHES, max_size=20))
def test_every_hash_is_found_in_its_slot(hashes: list[int], others: list[int]) -> None:
    """Added one by one or all at once, however they collide; of equal hashes the first slot stays; unknown ones: -1."""
    expected = first_slots(hashes)
    keys = [*expected, *others]
    for make in (added, rebuilt):
        index = make(hashes)
        with plain_kernels():
            plain = make(hashes)
            assert cells_of(plain) == cells_of(index)
            assert found(plain, keys) == [expected.get(key, -1) for key in keys]
        assert found(index, keys) == [expected.get(key, -1) for key in keys]


@given(hashes=SLOTS, gone=st.sets(st.integers(0, 89)))
def test_an_index_made_anew_forgets_what_was_cleared(hashes: list[int], gone: set[int]) -> None:
    """Also where a cleared hash stood between others in one run of cells; of two equal ones the second shows up."""
    index, left = added(hashes), [0 if slot in gone else each for slot, each in enumerate(hashes)]
    index.rebuild(np.array(left, np.uint64), len(left))

    assert found(index, [each for each in hashes if each]) == [
        first_slots(left).get(each, -1) for each in hashes if each
    ]


@pytest.mark.parametrize("n", [0, 1, 31, 32, 33, 63, 64, 65, 100, 4096])
def test_the_index_is_large_enough(n: int) -> None:
    """A power of two, and never more than half full: a search always meets an empty cell."""
    hashes = [1 + 128 * number for number in range(n)]
    for index in (added(hashes), rebuilt(hashes)):
        assert len(index.cells) == len(index.slots) >= max(128, 2 * n)
        assert len(index.cells) & (len(index.cells) - 1) == 0
        assert np.count_nonzero(index.cells) == n


def test_equal_hashes_over_and_over_do_not_fill_it() -> None:
    """Two items of one hash take one cell; the size stays in proportion to the slots."""
    hashes: npt.NDArray[np.uint64] = np.full(1_000, 5, np.uint64)
    index = HashIndex()
    for slot in range(1_000):
        index.add(5, slot, hashes, slot + 1)

    assert np.count_nonzero(index.cells) == 1
    assert found(index, [5, 6]) == [0, -1]
    assert len(index.cells) <= 8_192


def test_a_smaller_share_makes_a_smaller_index() -> None:
    """Made anew, it is as large as what is left asks for."""
    hashes: npt.NDArray[np.uint64] = np.arange(1, 4_097, dtype=np.uint64)
    index = HashIndex()
    index.rebuild(hashes, 4_096)
    large = len(index.cells)
    hashes[10:] = 0
    index.rebuild(hashes, 4_096)

    assert (large, len(index.cells)) == (32_768, 128)
    assert found(index, [1, 10, 11]) == [0, 9, -1]
