"""Users in slots of arrays: what is put in comes out, nothing is left to the next one, damaged ones are named."""

import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import kernels
from models.errors import StateError
from models.evaluation import DEPTH, SOURCES
from models.ids import hash64
from tables.fold_settings import FoldSettings
from tables.partition import PartitionState
from tables.user_state import MAX_EVENT_IDS, UserBounds, UserState
from tables.users import Users
from tables.waiting import WaitingLists
from tests.logs import DAY_MS, START_MS, made_log, record
from tests.plain import plain_kernels
from tests.saved import folded, in_bytes
from tests.users import add_recent, is_duplicate, mark_seen, put
from tests.window_counts import count

BOUNDS = UserBounds(max_recent=5, max_seen=16)
HASHES = st.integers(1, 2**64 - 1)


@st.composite
def user_states(draw: st.DrawFn) -> UserState:
    """Any user within the bounds: some with nothing at all, most with all there is; made from a seed."""
    user, rng = UserState(), random.Random(draw(st.integers(0, 2**32)))
    full = draw(st.sampled_from((0.0, 0.5, 1.0)))
    for _ in range(round(full * rng.randrange(40))):
        is_duplicate(user, rng.randrange(1, 2**64))
        mark_seen(user, rng.randrange(1, 2**64), BOUNDS.max_seen)
        add_recent(user, f"i{rng.randrange(30)}", rng.choice((0.5, 1.0, 1e-300, 1e300)), BOUNDS.max_recent)
        count(user.windows, rng.randrange(9), START_MS + rng.randrange(DAY_MS), START_MS)
    if rng.random() < full:
        user.factors = np.array([rng.uniform(-100, 100) for _ in range(11)])
    if rng.random() < full:
        sizes = [rng.choice((0, 1, DEPTH)) for _ in SOURCES]
        lists = {name: [rng.randrange(1, 2**64) for _ in range(n)] for name, n in zip(SOURCES, sizes, strict=True)}
        user.waiting = WaitingLists(rng.randrange(2**62), lists)
    user.n_events, user.last_ms = draw(st.integers(0, 2**62)), draw(st.integers(0, 2**62))
    user.last_offset = draw(st.integers(-1, 2**62))
    return user


def users_of(*states: UserState) -> Users:
    """Users u0, u1 ... with these states."""
    users = Users(BOUNDS)
    for number, state in enumerate(states):
        put(users, f"u{number}", state)
    return users


def read(users: Users, user_id: str) -> UserState:
    """A user that is there."""
    user = users.get(user_id)
    assert user is not None
    return user


@given(states=st.lists(user_states(), max_size=8), slots_first=st.booleans())
def test_what_was_put_comes_out(states: list[UserState], slots_first: bool) -> None:
    """Byte for byte, put or read from their stored bytes, of many users at once and of one after another."""
    users, loaded = users_of(*states), Users(BOUNDS)
    for number, state in enumerate(states):
        loaded.apply(f"u{number}", state.encode())
    for number, state in enumerate(states):
        if slots_first:
            loaded.slot(f"u{number}")
        for each in (users, loaded):
            assert read(each, f"u{number}").encode() == state.encode()
            assert read(each, f"u{number}").canonical() == state.canonical()
            assert each.last_offset(f"u{number}") == state.last_offset
    with_lists = [f"u{number}" for number, state in enumerate(states) if state.waiting is not None]
    assert users.waiting() == loaded.waiting() == with_lists


@given(first=user_states(), second=user_states(), third=user_states())
def test_a_slot_used_again_leaves_nothing_behind(first: UserState, second: UserState, third: UserState) -> None:
    """Of the former user, whether it went or was replaced; a new user in its slot is as new as any."""
    users = users_of(first, second)
    slot = users.slot("u0")
    users.remove("u0")
    assert users.add("fresh") == slot
    assert read(users, "fresh").encode() == UserState().encode()

    users.remove("fresh")
    put(users, "next", third)
    assert users.slot("next") == slot
    put(users, "u1", third)

    assert read(users, "next").encode() == read(users, "u1").encode() == third.encode()
    assert list(users) == ["next", "u1"]


@given(state=user_states())
def test_a_user_is_given_out_as_a_copy(state: UserState) -> None:
    """Whatever is done to it, the partition's user stays; and the copy stays when the user changes."""
    users = users_of(state)
    copy = read(users, "u0")
    for change in (copy.seen, copy.factors):
        if change is not None:
            change[:] = 7
    copy.recent.append(("x", 1.0))
    count(copy.windows, 1, START_MS, START_MS)
    copy.event_ids[5] = None
    assert read(users, "u0").encode() == state.encode()

    before, copy = read(users, "u0").encode(), read(users, "u0")
    put(users, "u0", UserState())

    assert copy.encode() == before


@given(n=st.integers(0, 300), seed=st.integers(0, 2**32))
def test_slots_of_users_who_come_and_go(n: int, seed: int) -> None:
    """More than the first arrays hold, some gone in between: every slot belongs to one user, and holds its state."""
    rng, users, expected = random.Random(seed), Users(BOUNDS), dict[str, bytes]()
    for number in range(n):
        state = UserState()
        state.n_events = number
        for each in range(rng.randrange(12)):
            mark_seen(state, 1 + 1_000 * number + each, BOUNDS.max_seen)
        put(users, f"u{number}", state)
        expected[f"u{number}"] = state.encode()
        if rng.random() < 0.4:
            gone = rng.choice(list(expected))
            users.remove(gone)
            del expected[gone]
    slots = [users.slot(user_id) for user_id in users]

    assert {user_id: read(users, user_id).encode() for user_id in users} == expected
    assert len(set(slots)) == len(slots)
    hashes = [int(users.arrays().hashes[slot]) for slot in slots]
    assert hashes == [hash64(user_id) for user_id in users]


@pytest.mark.parametrize("is_plain", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_event_ids_are_remembered_as_one_user_does(seed: int, is_plain: bool) -> None:
    """The newest 32, the oldest pushed out first, a repeat not made younger; another user's are no matter."""
    rng, users, plain = random.Random(seed), Users(BOUNDS), UserState()
    one, other = users.add("one"), users.add("other")

    def said() -> None:
        for _ in range(600):
            event_id = rng.choice((rng.randrange(1, 50), 2**64 - rng.randrange(1, 5)))
            assert users.is_duplicate(one, event_id) == is_duplicate(plain, event_id)
            users.is_duplicate(other, rng.randrange(1, 10))

    if is_plain:
        with plain_kernels():
            said()
    else:
        said()
    assert list(read(users, "one").event_ids) == list(plain.event_ids)
    assert len(plain.event_ids) == MAX_EVENT_IDS
    assert len(read(users, "other").event_ids) == 9


def test_an_id_is_known_until_32_others_have_come() -> None:
    """The kernel by itself: the first is there after 31 others, and gone after 32."""
    ids, n_ids = np.zeros((2, MAX_EVENT_IDS), np.uint64), np.zeros(2, np.int64)
    said = [kernels.remember_id(ids, n_ids, 1, np.uint64(number)) for number in range(1, 33)]
    assert not any(said)
    assert kernels.remember_id(ids, n_ids, 1, np.uint64(1))

    assert not kernels.remember_id(ids, n_ids, 1, np.uint64(33))

    assert ids[1].tolist() == list(range(2, 34))
    assert n_ids.tolist() == [0, 32] and not ids[0].any()


def test_a_lowered_bound_cuts_a_loaded_user() -> None:
    """A history longer than it may be now is cut to its newest; nobody else's is touched."""
    user = UserState()
    for number in range(9):
        add_recent(user, f"i{number}", float(number + 1), 9)
    users = users_of(user, user)

    assert read(users, "u0").recent == read(users, "u1").recent == user.recent[-BOUNDS.max_recent :]


def waiting(lists: dict[str, list[int]]) -> UserState:
    """A user whose lists wait."""
    user = UserState()
    user.waiting = WaitingLists(START_MS, lists)
    return user


def with_factors(n: int) -> UserState:
    """A user with so many numbers of the rating model."""
    user = UserState()
    user.factors = np.ones(n)
    return user


DAMAGED: dict[str, tuple[UserState, str]] = {
    "too few factors": (with_factors(9), "9 rating factors, not 11"),
    "too many factors": (with_factors(12), "12 rating factors, not 11"),
    "lists of an unknown source": (waiting({"list": [1], "oracle": [2]}), "oracle"),
    "lists that are too long": (waiting({"list": list(range(1, DEPTH + 2))}), str(DEPTH + 1)),
}


@pytest.mark.parametrize(("state", "told"), DAMAGED.values(), ids=DAMAGED)
def test_a_stored_user_that_cannot_be_is_an_error_when_touched(state: UserState, told: str) -> None:
    """It names the user, what is wrong and what to do; the event is not to blame, and nothing is saved any more."""
    partition = PartitionState(0, 1, FoldSettings())
    partition.apply_user(b"u1", state.encode())
    partition.finish_load()
    with pytest.raises(StateError, match=rf"state of user 'u1' is damaged.*{told}.*freshet reset"):
        partition.fold(*record(0, "u1", "a"))

    assert partition.metrics.total("dead_letters.") == 0
    with pytest.raises(StateError, match="partition 0 was left in the middle of a record"):
        partition.begin_cut(-1)


def test_the_longest_lists_of_every_source_are_taken() -> None:
    """Twenty items each: the most that may wait."""
    state = waiting({name: list(range(1, DEPTH + 1)) for name in SOURCES})
    users = users_of(state)

    assert DEPTH == 20
    assert read(users, "u0").encode() == state.encode()


def touch_all(state: PartitionState) -> None:
    """Decode everybody."""
    for user_id in state.users:
        state.users.slot(user_id)


def put_all_back(state: PartitionState) -> None:
    """Take everybody out and in again, in their order."""
    for user_id in list(state.users):
        put(state.users, user_id, read(state.users, user_id))


@pytest.mark.parametrize("change", [touch_all, put_all_back])
def test_folded_users_go_through_slots_unchanged(change: Callable[[PartitionState], object]) -> None:
    """A state is the same after its users have been decoded, or taken out and put back in their order."""
    state = folded(made_log(8, 300))
    loaded = PartitionState(0, 1, state.settings)
    cut = folded(made_log(8, 300)).cut(-1)
    for key, value in cut.users:
        loaded.apply_user(key, value)
    for key, value in cut.items:
        loaded.items.apply(key.decode(), value)
    loaded.finish_load()
    for each in (state, loaded):
        change(each)

    assert in_bytes(state) == in_bytes(loaded) == in_bytes(folded(made_log(8, 300)))


def test_a_reader_knows_all_that_lists_are_made_from() -> None:
    """Recent and seen items and their times, factors, number of events, last offset and time: as in the whole state."""
    users = folded(made_log(3, 300)).users
    assert len(users) > 3
    for user_id in users:
        found, whole = users.reader(user_id), users.get(user_id)
        assert found is not None and whole is not None
        assert (found.recent, found.seen.tolist(), found.n_seen) == (whole.recent, whole.seen.tolist(), whole.n_seen)
        assert (found.n_events, found.last_offset) == (whole.n_events, whole.last_offset) > (0, -1)
        assert (found.last_ms, found.recent_ms) == (whole.last_ms, whole.recent_ms)
        assert found.words.tolist() == whole.words.tolist()
        assert (found.factors is None) == (whole.factors is None)
        if found.factors is not None and whole.factors is not None:
            assert found.factors.tobytes() == whole.factors.tobytes()
