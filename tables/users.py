"""What is known of one user: recent items, seen items, event ids, counts.

Value of `<app>.users`, key user_id: u8 version, i64 last_offset, i64 last_ms, i64 n_events, u16 n_event_ids, u32
n_seen, u16 n_recent; u64 hashes of the event ids and of the seen items (oldest first), f64 weights and then the ids of
the recent items (oldest first), window counts. Little endian.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models import kernels
from models.errors import StateError
from tables.codec import all_read, check_version, pack_strings, undamaged, unpack_strings
from tables.windows import WindowCounts

VERSION = 1
_HEADER = struct.Struct("<BqqqHIH")
_PREFIX = struct.Struct("<xqq")
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

    __slots__ = ("event_ids", "last_ms", "last_offset", "n_events", "n_seen", "recent", "seen", "windows")

    def __init__(self) -> None:
        self.n_events = 0
        self.last_ms = 0
        self.last_offset = -1
        self.event_ids: dict[int, None] = {}
        self.recent: list[tuple[str, float]] = []
        self.seen: npt.NDArray[np.uint64] = np.zeros(8, np.uint64)
        self.n_seen = 0
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
        ]

    def encode(self) -> bytes:
        """The bytes described above."""
        weights = np.array([weight for _, weight in self.recent], np.float64)
        return b"".join(
            (
                _HEADER.pack(
                    VERSION,
                    self.last_offset,
                    self.last_ms,
                    self.n_events,
                    len(self.event_ids),
                    self.n_seen,
                    len(self.recent),
                ),
                np.fromiter(self.event_ids, np.uint64, len(self.event_ids)).tobytes(),
                self.seen[: self.n_seen].tobytes(),
                weights.tobytes(),
                pack_strings([item_id for item_id, _ in self.recent]),
                self.windows.encode(),
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> "UserState":
        """Read a stored user.

        Raises
        ------
        UnknownVersion
            If the bytes are of another version.
        """
        check_version(data, VERSION, "a user's state")
        with undamaged("a user's state"):
            return cls._decode(data)

    @classmethod
    def _decode(cls, data: bytes) -> "UserState":
        state = cls()
        _, state.last_offset, state.last_ms, state.n_events, n_ids, state.n_seen, n_recent = _HEADER.unpack_from(data)
        at = _HEADER.size
        state.event_ids = dict.fromkeys(np.frombuffer(data, np.uint64, n_ids, at).tolist())
        at += 8 * n_ids
        state.seen = np.zeros(max(8, state.n_seen), np.uint64)
        state.seen[: state.n_seen] = np.frombuffer(data, np.uint64, state.n_seen, at)
        at += 8 * state.n_seen
        weights = np.frombuffer(data, np.float64, n_recent, at).tolist()
        items, at = unpack_strings(memoryview(data), at + 8 * n_recent)
        state.recent = list(zip(items, weights, strict=True))
        state.windows, size = WindowCounts.decode(memoryview(data)[at:])
        all_read(at + size, data)
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
        return user_id, *_stamps(self._states[user_id])

    def last_offset(self, user_id: str) -> int:
        """The offset of a user's last folded event."""
        return _stamps(self._states[user_id])[0]

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
            check_version(data, VERSION, f"the state of user {user_id!r}")
            if len(data) < _HEADER.size:
                raise StateError(f"the state of user {user_id!r} is damaged: it has {len(data)} bytes.")
            self._states[user_id] = data

    def sort(self) -> None:
        """Restore the order of touching after a load."""
        self._states = dict(sorted(self._states.items(), key=lambda entry: _stamps(entry[1])[0]))


def _stamps(state: UserState | bytes) -> tuple[int, int]:
    if isinstance(state, bytes):
        last_offset, last_ms = _PREFIX.unpack_from(state)
        return int(last_offset), int(last_ms)
    return state.last_offset, state.last_ms
