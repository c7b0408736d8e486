"""A user's state and the order of all users."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import UnknownVersion
from models.ids import hash64
from tables.user_state import MAX_EVENT_IDS, UserState
from tables.users import Users
from tables.waiting import WaitingLists
from tests.logs import START_MS

IDS = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="{}"), min_size=1, max_size=64) | (
    st.sampled_from(("ü" * 128, "語" * 85 + "x", "x" * 256))
)
HASHES = st.integers(1, 2**64 - 1)


@st.composite
def user_states(draw: st.DrawFn) -> UserState:
    """Any user: some with nothing at all."""
    user = UserState()
    for event_id in draw(st.lists(HASHES, max_size=40)):
        user.is_duplicate(event_id)
    for item_hash in draw(st.lists(HASHES, max_size=40)):
        user.mark_seen(item_hash, 16)
    for item_id, weight in draw(st.lists(st.tuples(IDS, st.floats(0, 1e300)), max_size=8)):
        user.add_recent(item_id, weight, 5)
    for event_type in draw(st.lists(st.integers(0, 9), max_size=8)):
        user.windows.add(event_type, START_MS, START_MS)
    if draw(st.booleans()):
        user.factors = np.array(draw(st.lists(st.floats(-100, 100), min_size=11, max_size=11)))
    if draw(st.booleans()):
        lists = st.dictionaries(st.sampled_from(("list", "history", "popularity")), st.lists(HASHES, max_size=20))
        user.waiting = WaitingLists(draw(st.integers(0, 2**62)), draw(lists))
    user.n_events = draw(st.integers(0, 2**62))
    user.last_offset = draw(st.integers(-1, 2**62))
    user.last_ms = draw(st.integers(0, 2**62))
    return user


def user_at(offset: int, last_ms: int = 0) -> UserState:
    """A user whose last event had this offset."""
    user = UserState()
    user.last_offset, user.last_ms = offset, last_ms
    return user


@given(user=user_states())
def test_round_trip(user: UserState) -> None:
    """A stored user reads as it was, byte for byte and for the digest."""
    decoded = UserState.decode(user.encode())

    assert decoded.encode() == user.encode()
    assert decoded.canonical() == user.canonical()
    assert (decoded.last_offset, decoded.waiting) == (user.last_offset, user.waiting)
    rows = [None if each.factors is None else each.factors.tolist() for each in (decoded, user)]
    assert rows[0] == rows[1]


@given(user=user_states(), event_id=HASHES, item_hash=HASHES, item_id=IDS)
def test_a_read_user_goes_on_as_the_written_one(user: UserState, event_id: int, item_hash: int, item_id: str) -> None:
    """The next event does the same to both: nothing that matters stays behind in memory."""
    decoded = UserState.decode(user.encode())
    for each in (user, decoded):
        each.is_duplicate(event_id)
        each.mark_seen(item_hash, 16)
        each.add_recent(item_id, 1.0, 5)
        each.windows.add(1, START_MS + 5_000, START_MS + 5_000)

    assert decoded.encode() == user.encode()


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x01" + UserState().encode()[1:], b"{}"])
def test_an_unknown_version_is_refused(data: bytes) -> None:
    """The message says what was found, what is known, and what to do."""
    with pytest.raises(UnknownVersion, match=r"user.*version.*knows version 2.*freshet reset"):
        UserState.decode(data)
    with pytest.raises(UnknownVersion, match=r"user 'u7'.*freshet reset"):
        Users().apply("u7", data)


def test_event_ids_are_known_for_the_last_32() -> None:
    """The 33rd new id pushes out the first, and a repeat does not make its id younger."""
    user = UserState()
    assert [user.is_duplicate(number) for number in range(1, MAX_EVENT_IDS + 1)] == [False] * 32
    assert user.is_duplicate(1)

    assert not user.is_duplicate(33)

    assert not user.is_duplicate(1)
    assert [user.is_duplicate(number) for number in (3, 33, 1)] == [True, True, True]
    assert len(user.event_ids) == MAX_EVENT_IDS


@pytest.mark.parametrize("max_seen", [1, 2, 7, 8, 9, 16, 100])
def test_seen_items_up_to_the_bound(max_seen: int) -> None:
    """The newest `max_seen` stay, in the order they were last seen."""
    user = UserState()
    assert all(user.mark_seen(number, max_seen) for number in range(1, 301))
    assert not user.mark_seen(301 - max_seen, max_seen)

    newest = list(range(301 - max_seen, 301))
    assert user.seen[: user.n_seen].tolist() == [*newest[1:], newest[0]]


@pytest.mark.parametrize(("stored", "bound"), [(40, 16), (9, 8), (40, 39), (8, 1)])
def test_a_lowered_bound_cuts_the_seen_items_of_a_loaded_user(stored: int, bound: int) -> None:
    """A user written with a greater `max_seen` is cut to the newest; no byte outside of its array is touched."""
    user = UserState()
    for number in range(1, stored + 1):
        user.mark_seen(number, stored)
    loaded = UserState.decode(user.encode())
    loaded.seen = np.concatenate((loaded.seen, np.full(64, 7, np.uint64)))[: len(loaded.seen)]  # a view: 7s behind it
    behind = loaded.seen.base
    assert behind is not None
    loaded.mark_seen(1_000, bound)

    assert np.asarray(behind)[max(8, stored) :].tolist() == [7] * 64, "written behind the end of the array"
    assert loaded.n_seen <= bound
    assert loaded.seen[: loaded.n_seen].tolist() == [*range(stored - bound + 2, stored + 1), 1_000]


def test_recent_items_are_distinct_and_bounded() -> None:
    """An item that comes again moves to the end with its new weight; the history before it leaves it out."""
    user = UserState()
    for item_id in "abcd":
        user.add_recent(item_id, 1.0, 3)
    assert user.recent == [("b", 1.0), ("c", 1.0), ("d", 1.0)]

    assert user.add_recent("b", 0.5, 3) == [("c", 1.0), ("d", 1.0)]

    assert user.recent == [("c", 1.0), ("d", 1.0), ("b", 0.5)]
    assert user.newest_items() == ["b", "d", "c"]
    assert user.add_recent("e", 1.0, 3) == [("c", 1.0), ("d", 1.0), ("b", 0.5)]


def test_users_stand_in_the_order_of_their_last_touch() -> None:
    """Touching and putting move a user behind all others; reading does not."""
    users = Users()
    for offset, user_id in enumerate("abc"):
        users.put(user_id, user_at(offset, 10 * offset))
    users.put("a", user_at(3, 30))
    users.get("b")
    users.slot("b")

    assert list(users) == ["b", "c", "a"]
    assert users.oldest() == ("b", 1, 10)
    assert (len(users), "b" in users, "x" in users, users.get("x")) == (3, True, False, None)
    users.touch("b")
    assert (list(users), users.oldest()) == (["c", "a", "b"], ("c", 2, 20))


def test_loaded_users_come_back_into_order() -> None:
    """Stored users are put in order by their last offset, whether they were read already or not; null means gone."""
    users = Users()
    for user_id, offset in (("c", 30), ("a", 10), ("gone", 5), ("b", 20)):
        users.apply(user_id, user_at(offset, offset + 1).encode())
    users.get("c")
    users.apply("gone", None)
    users.apply("never there", None)
    users.apply("a", user_at(25, 26).encode())
    users.sort()

    assert list(users) == ["b", "a", "c"]
    assert users.oldest() == ("b", 20, 21)
    assert [users.last_offset(user_id) for user_id in users] == [20, 25, 30]


def user_of(users: Users, user_id: str) -> UserState:
    """A user that is there."""
    user = users.get(user_id)
    assert user is not None
    return user


def test_remove_forgets() -> None:
    """A removed user is unknown, and a new one under its name starts at nothing."""
    users = Users()
    users.put("a", user_at(1))
    users.remove("a")
    assert len(users) == 0
    assert users.get("a") is None

    users.add("a")

    assert user_of(users, "a").encode() == UserState().encode()


def test_hashes_never_mark_an_empty_cell() -> None:
    """0 stands for an empty cell in the seen filter, so no id hashes to it; stored hashes must never change."""
    assert hash64("i1") == 0xACF11BAFF1E2AAE
    assert hash64("i1") == 0x5DA0C2AD6AD1F3F0 or hash64("i1") > 0
    assert len({hash64(f"i{number}") for number in range(10_000)} | {0}) == 10_001
