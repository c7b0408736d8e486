"""Lists that wait: their bytes, and what damaged ones lead to."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import StateError
from tables.user_codec import stamps
from tables.user_state import UserState
from tables.users import Users
from tables.waiting import WaitingLists
from tests.users import add_recent

HASHES = st.integers(1, 2**64 - 1)
LISTS = st.builds(
    WaitingLists,
    timestamp_ms=st.integers(0, 2**62),
    lists=st.dictionaries(st.text(max_size=30), st.lists(HASHES, max_size=20), max_size=4),
)


@given(waiting=LISTS)
def test_round_trip(waiting: WaitingLists) -> None:
    """Equal after reading, sources without an item too, in the order they were written in."""
    decoded = WaitingLists.decode(waiting.encode())

    assert decoded == waiting
    assert list(decoded.lists) == list(waiting.lists)
    assert decoded.encode() == waiting.encode()
    assert decoded.canonical() == waiting.canonical()


@given(waiting=LISTS)
def test_the_digest_is_blind_to_the_order_of_sources(waiting: WaitingLists) -> None:
    """But not to time, or to the order within a list."""
    reverse = WaitingLists(waiting.timestamp_ms, dict(reversed(list(waiting.lists.items()))))
    later = WaitingLists(waiting.timestamp_ms + 1, waiting.lists)
    turned = WaitingLists(
        waiting.timestamp_ms, {name: [*items[1:], *items[:1]] for name, items in waiting.lists.items()}
    )

    assert reverse.canonical() == waiting.canonical() != later.canonical()
    assert (turned.canonical() == waiting.canonical()) == (turned == waiting)


@given(waiting=LISTS)
def test_bytes_that_end_too_early_are_an_error(waiting: WaitingLists) -> None:
    """No shorter bytes read as lists."""
    data = waiting.encode()
    for size in range(len(data)):
        with pytest.raises((ValueError, IndexError, struct.error)):
            WaitingLists.decode(data[:size])


def user_with(waiting: WaitingLists | None) -> UserState:
    """A user whose lists wait."""
    user = UserState()
    user.last_offset, user.last_ms, user.waiting = 7, 9, waiting
    add_recent(user, "i1", 1.0, 5)
    return user


@given(waiting=st.none() | LISTS)
def test_whose_lists_wait_is_seen_without_decoding(waiting: WaitingLists | None) -> None:
    """In the flags of the value; a user without lists stores not a byte for them."""
    data = user_with(waiting).encode()

    assert stamps(data) == (7, 9, waiting is not None)
    assert UserState.decode(data).waiting == waiting
    assert len(data) == len(user_with(None).encode()) + (len(waiting.encode()) if waiting else 0)


def test_users_with_lists_are_told_in_the_order_of_their_last_event() -> None:
    """Read already or not; it is the order in which they make room."""
    users = Users()
    for number, user_id in enumerate("dbcae"):
        user = user_with(WaitingLists(1, {"list": [5]}) if user_id in "bce" else None)
        user.last_offset = {"e": 3, "b": 8, "c": 5}.get(user_id, number)
        users.apply(user_id, user.encode())
    users.get("c")
    users.sort()

    assert users.waiting() == ["e", "c", "b"]


@pytest.mark.parametrize("at", [8, 9, 14])
def test_damaged_lists_of_a_user_are_a_clear_error(at: int) -> None:
    """Number of sources, length of a name, number of items: one more than there are, one fewer than there are."""
    waiting = WaitingLists(1, {"list": [5, 6], "near": [7]})
    data = bytearray(user_with(waiting).encode())
    start = bytes(data).index(waiting.encode())
    for change in (1, -1):
        damaged = data.copy()
        damaged[start + at] += change
        with pytest.raises(StateError, match="damaged"):
            UserState.decode(bytes(damaged))
