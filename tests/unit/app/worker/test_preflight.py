"""The bound of one stored value holds for users and items that are full to the brim."""

import numpy as np
import pytest

from app.settings import Settings
from app.worker.checkpoints import ENTRY_OVERHEAD_BYTES, check_sizes
from app.worker.preflight import largest_value
from models.errors import ValueTooLarge
from models.event_types import DEFAULT_TYPES
from models.ids import hash64
from models.windows import WINDOWS
from tables.items import ItemShares
from tables.user_state import UserState
from tables.windows import WindowCounts
from tests.learning import met, pair
from tests.users import add_recent, is_duplicate, mark_seen
from tests.window_counts import count

NOW_MS = 1_700_000_000_000


def full_windows(n_types: int) -> WindowCounts:
    """Every type in every bucket of every window."""
    counts = WindowCounts()
    for event_type in range(n_types):
        for window in WINDOWS:
            for back in range(window.n_buckets):
                count(counts, event_type, NOW_MS - back * window.step_ms, NOW_MS)
    assert len(counts.buckets) >= n_types * sum(window.n_buckets for window in WINDOWS)
    return counts


def user_full_to_the_brim(settings: Settings) -> UserState:
    """A user with all a user can have, under the longest ids."""
    user = UserState()
    for number in range(settings.max_seen):
        mark_seen(user, hash64(f"i{number}"), settings.max_seen)
    for number in range(settings.history_size + 5):
        add_recent(user, f"{number:05d}" + "x" * 251, 1.0, settings.history_size)
    for number in range(40):
        is_duplicate(user, number)
    user.windows = full_windows(len(settings.fold.rules.types))
    return user


def item_full_to_the_brim(settings: Settings) -> bytes:
    """The value of an item whose row is as long as it gets, under the longest ids."""
    fold = settings.fold
    shares = ItemShares(fold.cooccurrence, fold.ratings, fold.history, fold.following)
    slot = met(shares, "y" * 256)
    n_followers = 2 * fold.following.n_keep - 1
    followers = np.arange(n_followers, dtype="<i4").tobytes() + np.ones(n_followers, "<f4").tobytes()
    shares.following.set_section(slot, followers)
    longest = b""
    for number in range(3 * settings.neighbours):
        other = met(shares, f"{number:05d}")
        pair(shares.pairs, slot, np.array([other], np.int32), np.array([1.0 + number]))
        if len(value := shares.encode(slot)) > len(longest):
            longest = value
    shares.set_windows(slot, full_windows(len(settings.fold.rules.types)))
    return longest + shares.windows_of(slot).encode()


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(max_seen=16, history_size=1000),
        Settings(max_seen=16, history_size=1, neighbours=2000),
        Settings(extra_event_types={f"type{number}": (1.0, 1) for number in range(20)}),
    ],
)
def test_no_value_is_larger_than_the_bound(settings: Settings) -> None:
    """User and item at their largest, keys and overhead included, stay within the bound, and not far below it."""
    user = len(user_full_to_the_brim(settings).encode()) + 256 + ENTRY_OVERHEAD_BYTES
    item = len(item_full_to_the_brim(settings)) + 256 + ENTRY_OVERHEAD_BYTES

    bound = largest_value(settings)

    assert max(user, item) <= bound
    assert bound < 1.5 * max(user, item)


def test_default_settings_fit_the_default_topic() -> None:
    """With the settings as they come no value can be too large for its topic."""
    assert largest_value(Settings()) < 0.85 * 1_048_588
    assert len(DEFAULT_TYPES) == len(Settings().fold.rules.types)


def test_value_too_large_is_named() -> None:
    """The error names key, size, topic and what to do; what fits passes."""
    check_sizes("t.users", [(b"u1", b"x" * 700), (b"gone", None)], 1000)

    with pytest.raises(ValueTooLarge, match=r"'u2' has 903 bytes, topic t.users takes 850.*max.message.bytes"):
        check_sizes("t.users", [(b"u1", b""), (b"u2", b"x" * 801)], 1000)
