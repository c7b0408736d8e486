"""Rows of (key, value) pairs, each as long as it needs to be, in two flat pools that compiled code can grow rows in.

    start[r] ──► keys   [ k k k k . . . . | k k ...        room: 8, 16, 32 ... cells, length of them in use
                 values [ v v v v . . . . | v v ...        a row that is full moves to one twice as long

What rows leave behind is used again by rows of the same size. Where a row lies is no state: only its contents are.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.arrays import longer
from models.compiled import lean

Array = Any  # numpy arrays; numba's signatures say the dtypes

FIRST = 8
N_SIZES = 40


class RowArrays(NamedTuple):
    """What compiled code needs of a pool: `heads` and `links` chain the free places of each size, `used` is (1,)."""

    keys: Array
    values: Array
    start: Array
    length: Array
    room: Array
    heads: Array
    links: Array
    used: Array


@lean(cache=True, nogil=True)
def size_class(n: int) -> int:
    """The least c with `FIRST << c` at least n."""
    size = 0
    while (FIRST << size) < n:
        size += 1
    return size


@lean(cache=True, nogil=True)
def release(rows: RowArrays, row: int) -> None:
    """Give a row's place back; the row is empty then."""
    if rows.room[row] > 0:
        size, first = size_class(rows.room[row]), rows.start[row]
        rows.links[first // FIRST] = rows.heads[size]
        rows.heads[size] = first
    rows.room[row] = 0
    rows.length[row] = 0


@lean(cache=True, nogil=True)
def make_room(rows: RowArrays, row: int, more: int) -> None:
    """Let a row take `more` pairs; the pool must have `FIRST << size_class(length + more)` cells left."""
    length = rows.length[row]
    if length + more <= rows.room[row]:
        return
    size, before = size_class(length + more), rows.start[row]
    first = rows.heads[size]
    if first >= 0:
        rows.heads[size] = rows.links[first // FIRST]
    else:
        first = rows.used[0]
        rows.used[0] = first + (FIRST << size)
    for position in range(length):
        rows.keys[first + position] = rows.keys[before + position]
        rows.values[first + position] = rows.values[before + position]
    release(rows, row)
    rows.start[row], rows.room[row], rows.length[row] = first, FIRST << size, length


@lean(cache=True, nogil=True)
def count_up(rows: RowArrays, row: int, key: np.uint64) -> bool:
    """Add 1 to the value of a key, a new one at the row's end if need be; whether it is new."""
    keys, first = rows.keys, rows.start[row]
    for position in range(first + rows.length[row] - 1, first - 1, -1):
        if keys[position] == key:
            rows.values[position] += 1
            return False
    make_room(rows, row, 1)
    end = rows.start[row] + rows.length[row]
    keys[end] = key
    rows.values[end] = 1
    rows.length[row] += 1
    return True


@lean(cache=True, nogil=True)
def copy_rows(rows: RowArrays, which: Array, ends: Array, keys: Array, values: Array) -> None:
    """The rows `which`, one behind the other; `ends[i]` is where row `which[i]` ends."""
    at = 0
    for place in range(which.shape[0]):
        first = rows.start[which[place]]
        for position in range(first, first + rows.length[which[place]]):
            keys[at] = rows.keys[position]
            values[at] = rows.values[position]
            at += 1
        ends[place] = at


class RowPool:
    """Rows by number.

    Parameters
    ----------
    key_type, value_type
        Of numpy.
    """

    def __init__(self, key_type: type[np.generic], value_type: type[np.generic]) -> None:
        self.keys: npt.NDArray[Any] = np.zeros(1024, key_type)
        self.values: npt.NDArray[Any] = np.zeros(1024, value_type)
        self.start: npt.NDArray[np.int64] = np.zeros(64, np.int64)
        self.length: npt.NDArray[np.int32] = np.zeros(64, np.int32)
        self.room: npt.NDArray[np.int32] = np.zeros(64, np.int32)
        self._heads: npt.NDArray[np.int64] = np.full(N_SIZES, -1, np.int64)
        self._links: npt.NDArray[np.int64] = np.zeros(1024 // FIRST, np.int64)
        self._used: npt.NDArray[np.int64] = np.zeros(1, np.int64)

    def arrays(self) -> RowArrays:
        """For compiled code; taken anew after whatever may grow an array."""
        return RowArrays(
            self.keys, self.values, self.start, self.length, self.room, self._heads, self._links, self._used
        )

    def row(self, number: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Keys and values of a row, as views; empty for a row that was never made."""
        if number >= len(self.start):
            return self.keys[:0], self.values[:0]
        first = int(self.start[number])
        last = first + int(self.length[number])
        return self.keys[first:last], self.values[first:last]

    def set_row(self, number: int, keys: npt.NDArray[Any], values: npt.NDArray[Any]) -> None:
        """Replace a row."""
        self.grow(number + 1)
        self.clear(number)
        if len(keys):
            self.spare(2 * len(keys) + FIRST)
            make_room(self.arrays(), number, len(keys))
            first = int(self.start[number])
            self.keys[first : first + len(keys)] = keys
            self.values[first : first + len(keys)] = values
            self.length[number] = len(keys)

    def clear(self, number: int) -> None:
        """Empty a row."""
        if number < len(self.room) and self.room[number]:
            release(self.arrays(), number)

    def copied(self, which: npt.NDArray[np.int64]) -> tuple[npt.NDArray[Any], npt.NDArray[Any], list[int]]:
        """Keys and values of some rows, one behind the other, and where each of them ends."""
        n = int(self.length[which].sum())
        ends, keys, values = (
            np.zeros(len(which), np.int64),
            np.empty(n, self.keys.dtype),
            np.empty(n, self.values.dtype),
        )
        copy_rows(self.arrays(), which, ends, keys, values)
        return keys, values, ends.tolist()

    def grow(self, n_rows: int) -> None:
        """Make rows up to `n_rows`."""
        if n_rows > len(self.start):
            size = max(n_rows, 2 * len(self.start))
            self.start = longer(self.start, size)
            self.length = longer(self.length, size)
            self.room = longer(self.room, size)

    def spare(self, n_cells: int) -> None:
        """Have at least so many cells left that no row has ever used."""
        needed = int(self._used[0]) + n_cells
        if needed > len(self.keys):
            size = max(needed, 2 * len(self.keys)) // FIRST * FIRST + FIRST
            self.keys = longer(self.keys, size)
            self.values = longer(self.values, size)
            self._links = longer(self._links, size // FIRST)
