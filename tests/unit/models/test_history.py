"""A user's history: in the order of event times, each item once, the oldest leave."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.history import put_in_order, take_out
from tables.user_state import UserBounds
from tables.users import Users

SIZE = 4
MOVES = st.lists(st.tuples(st.integers(1, 7), st.integers(1, 12), st.booleans()), max_size=40)


@given(MOVES)
def test_a_history_is_sorted_by_time(moves: list[tuple[int, int, bool]]) -> None:
    """As sorting says, behind those of the same time; an item older than all of a full history does not enter."""
    twins: tuple[Any, ...] = (put_in_order, take_out), (put_in_order.py_func, take_out.py_func)
    for put, take in twins:
        users = Users(UserBounds(max_recent=SIZE))
        slot, expected = users.add("u"), list[tuple[int, int]]()
        arrays = users.arrays()
        for item, time_ms, enters in moves:
            before, expected = expected, [entry for entry in expected if entry[1] != item]
            if enters:
                has_room = len(expected) < SIZE or time_ms >= expected[0][0]
                assert put(arrays, slot, np.uint64(item), float(item), time_ms, SIZE) == has_room
                place = sum(each <= time_ms for each, _ in expected)
                expected = [*expected[:place], (time_ms, item), *expected[place:]][-SIZE:]
            else:
                had = item in [each for _, each in before]
                assert take(arrays, slot, np.uint64(item)) == (float(item) if had else 0.0)
            n = users.n_recent[slot]
            columns = users.recent_ms, users.recent, users.recent_weights
            assert list(zip(*(column[slot, :n].tolist() for column in columns), strict=True)) == [
                (each_ms, each, float(each)) for each_ms, each in expected
            ]
