"""What is known of one user: recent items, seen items, event ids, counts, factors, lists that wait to be scored."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models import kernels
from tables.user_codec import check_user, decode_user, encode_user, stamps
from tables.waiting import WaitingLists
from tables.windows import WindowCounts

MAX_EVENT_IDS = 32


@dataclass(frozen=True, slots=True)
class UserBounds:
    """Sizes of a user's state: items of the history that pairs are made with, and items remembered as seen."""

    max_recent: int = 20
    max_seen: int = 4096


class UserState:
    """One user's state in one partition.

    `recent` holds (item_id, weight) of the last distinct interactions, oldest first; `seen[:n_seen]` the hashes of the
    items the user knows, the one seen longest ago first; `event_ids` the hashes of the newest event ids.
    """

    __slots__ = (
        "event_ids",
        "factors",
        "last_ms",
        "last_offset",
        "n_events",
        "n_seen",
        "recent",
        "seen",
        "waiting",
        "windows",
    )

    def __init__(self) -> None:
        self.n_events = 0
        self.last_ms = 0
        self.last_offset = -1
        self.event_ids: dict[int, None] = {}
        self.recent: list[tuple[str, float]] = []
        self.seen: npt.NDArray[np.uint64] = np.zeros(8, np.uint64)
        self.n_seen = 0
        self.factors: npt.NDArray[np.float64] | None = None
        self.waiting: WaitingLists | None = None
        self.windows = WindowCounts()

    def is_duplicate(self, event_id_hash: int) -> bool:
        """Whether the event id is among the newest; remembers it if not."""
        if event_id_hash in self.event_ids:
            return True
        self.event_ids[event_id_hash] = None
        if len(self.event_ids) > MAX_EVENT_IDS:
            del self.event_ids[next(iter(self.event_ids))]
        return False

    def mark_seen(self, item_hash: int, max_seen: int) -> bool:
        """Remember an item as seen, most recently of all; returns whether it was new to the user."""
        if self.n_seen == len(self.seen) < max_seen:
            longer = np.zeros(min(max_seen, 2 * len(self.seen)), np.uint64)
            longer[: self.n_seen] = self.seen
            self.seen = longer
        self.n_seen, is_new = kernels.remember(self.seen, self.n_seen, max_seen, np.uint64(item_hash))
        return bool(is_new)

    def add_recent(self, item_id: str, weight: float, max_recent: int) -> list[tuple[str, float]]:
        """Put an item in front of the history; returns the history without it, as it stood before (oldest first)."""
        before = [entry for entry in self.recent if entry[0] != item_id]
        self.recent = [*before, (item_id, weight)][-max_recent:]
        return before

    def newest_items(self) -> list[str]:
        """The recent items, newest first."""
        return [item_id for item_id, _ in reversed(self.recent)]

    def canonical(self) -> list[object]:
        """Everything but the offset, as the digest reads it."""
        return [
            self.n_events,
            self.last_ms,
            list(self.event_ids),
            self.seen[: self.n_seen].tolist(),
            [[item_id, weight] for item_id, weight in self.recent],
            self.windows.canonical(),
            None if self.factors is None else self.factors.tolist(),
            None if self.waiting is None else self.waiting.canonical(),
        ]

    def encode(self) -> bytes:
        """The bytes that are stored."""
        return encode_user(self)

    @classmethod
    def decode(cls, data: bytes) -> "UserState":
        """Read a stored user.

        Raises
        ------
        UnknownVersion, StateError
            If the bytes are of another version, or damaged.
        """
        state = cls()
        decode_user(state, data)
        return state


class Users:
    """All users of a partition, the one touched longest ago first; stored bytes are decoded when touched."""

    def __init__(self) -> None:
        self._states: dict[str, UserState | bytes] = {}

    def __len__(self) -> int:
        return len(self._states)

    def __contains__(self, user_id: str) -> bool:
        return user_id in self._states

    def __iter__(self) -> Iterator[str]:
        return iter(self._states)

    def get(self, user_id: str) -> UserState | None:
        """A user's state, or None; the order is left alone."""
        state = self._states.get(user_id)
        if isinstance(state, bytes):
            state = self._states[user_id] = UserState.decode(state)
        return state

    def touch(self, user_id: str, state: UserState) -> None:
        """Add a user, or move it behind all others."""
        self._states.pop(user_id, None)
        self._states[user_id] = state

    def oldest(self) -> tuple[str, int, int]:
        """The user touched longest ago: id, last offset, last event time."""
        user_id = next(iter(self._states))
        last_offset, last_ms, _ = _stamps(self._states[user_id])
        return user_id, last_offset, last_ms

    def last_offset(self, user_id: str) -> int:
        """The offset of a user's last folded event."""
        return _stamps(self._states[user_id])[0]

    def waiting(self) -> list[str]:
        """Users with lists that wait to be scored, the one touched longest ago first."""
        return [user_id for user_id, state in self._states.items() if _stamps(state)[2]]

    def remove(self, user_id: str) -> None:
        """Forget a user."""
        del self._states[user_id]

    def apply(self, user_id: str, data: bytes | None) -> None:
        """Take a stored value, or None for a user that is gone; call `sort` when all are in.

        Raises
        ------
        UnknownVersion, StateError
            If the bytes are of another version, or too few; what else may be wrong shows when they are decoded.
        """
        if data is None:
            self._states.pop(user_id, None)
        else:
            check_user(data, user_id)
            self._states[user_id] = data

    def sort(self) -> None:
        """Restore the order of touching after a load."""
        self._states = dict(sorted(self._states.items(), key=lambda entry: _stamps(entry[1])[0]))


def _stamps(state: UserState | bytes) -> tuple[int, int, bool]:
    if isinstance(state, bytes):
        return stamps(state)
    return state.last_offset, state.last_ms, state.waiting is not None
