"""A user's state and the order of all users."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.cooccurrence import CooccurrenceSettings
from models.errors import UnknownVersion
from models.ids import hash64
from tables.fold_settings import FoldSettings
from tables.partition import PartitionState
from tables.user_state import UserState
from tables.users import Users
from tables.waiting import WaitingLists
from tests.logs import START_MS, Record, record
from tests.saved import Topics, folded
from tests.users import add_recent, is_duplicate, mark_seen, put
from tests.window_counts import count

IDS = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="{}"), min_size=1, max_size=64) | (
    st.sampled_from(("ü" * 128, "語" * 85 + "x", "x" * 256))
)
HASHES = st.integers(1, 2**64 - 1)


@st.composite
def user_states(draw: st.DrawFn) -> UserState:
    """Any user: some with nothing at all."""
    user = UserState()
    for event_id in draw(st.lists(HASHES, max_size=40)):
        is_duplicate(user, event_id)
    for item_hash in draw(st.lists(HASHES, max_size=40)):
        mark_seen(user, item_hash, 16)
    for item_id, weight in draw(st.lists(st.tuples(IDS, st.floats(0, 1e300)), max_size=8)):
        add_recent(user, item_id, weight, 5)
    for event_type in draw(st.lists(st.integers(0, 9), max_size=8)):
        count(user.windows, event_type, START_MS, START_MS)
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


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x01" + UserState().encode()[1:], b"{}"])
def test_an_unknown_version_is_refused(data: bytes) -> None:
    """The message says what was found, what is known, and what to do."""
    with pytest.raises(UnknownVersion, match=r"user.*version.*knows version 3.*freshet reset"):
        UserState.decode(data)
    with pytest.raises(UnknownVersion, match=r"user 'u7'.*freshet reset"):
        Users().apply("u7", data)


def views(first: int, last: int) -> list[Record]:
    """One user views items `first` to `last`, one after the other."""
    return [record(number, "u", f"i{number}") for number in range(first, last + 1)]


def seen_by(state: PartitionState) -> list[int]:
    """What the user has seen, the item seen longest ago first."""
    user = user_of(state.users, "u")
    return list(user.seen[: user.n_seen].tolist())


@pytest.mark.parametrize("max_seen", [1, 2, 7, 8, 9, 16, 100])
def test_seen_items_up_to_the_bound(max_seen: int) -> None:
    """The newest `max_seen` stay, in the order they were last seen."""
    state = folded([*views(1, 300), record(301, "u", f"i{301 - max_seen}")], FoldSettings(max_seen=max_seen))
    newest = [hash64(f"i{number}") for number in range(301 - max_seen, 301)]

    assert seen_by(state) == [*newest[1:], newest[0]]


@pytest.mark.parametrize(("stored", "bound"), [(40, 16), (9, 8), (40, 39), (8, 1)])
def test_a_lowered_bound_cuts_the_seen_items_of_a_loaded_user(stored: int, bound: int) -> None:
    """At the next item a user written with a greater `max_seen` is cut to the newest; others have what they had."""
    topics = Topics()
    log = [*views(1, stored), *(record(100 + number, "other", f"i{number}") for number in range(stored))]
    topics.save(folded(log, FoldSettings(max_seen=stored)).cut(-1))
    state = Topics.load(PartitionState(0, 1, FoldSettings(max_seen=bound)), topics.history)
    before = user_of(state.users, "other").encode()
    state.fold(*record(1_000, "u", "new"))

    newest = [f"i{number}" for number in range(stored - bound + 2, stored + 1)]
    assert seen_by(state) == [hash64(item_id) for item_id in (*newest, "new")]
    assert user_of(state.users, "other").encode() == before


def test_recent_items_are_distinct_and_bounded() -> None:
    """An item that comes again moves to the end with its new weight, and one that is disliked leaves."""
    state = folded(views(1, 4), FoldSettings(cooccurrence=CooccurrenceSettings(n_history=3)))
    assert user_of(state.users, "u").recent == [("i2", 1.0), ("i3", 1.0), ("i4", 1.0)]

    state.fold(*record(5, "u", "i2", "rating", value=3))

    user = user_of(state.users, "u")
    assert user.recent == [("i3", 1.0), ("i4", 1.0), ("i2", 0.5)]
    assert user.newest_items() == ["i2", "i4", "i3"]

    state.fold(*record(6, "u", "i4", "dislike"))
    assert user_of(state.users, "u").recent == [("i3", 1.0), ("i2", 0.5)]


def test_users_stand_in_the_order_of_their_last_touch() -> None:
    """Touching and putting move a user behind all others; reading does not."""
    users = Users()
    for offset, user_id in enumerate("abc"):
        put(users, user_id, user_at(offset, 10 * offset))
    put(users, "a", user_at(3, 30))
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
    put(users, "a", user_at(1))
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
