"""What is known of one user, by itself: as readers and the codec have it.

The fold keeps users in arrays (`tables.users`); the methods here do to one user what its kernels do.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models import kernels
from tables.user_codec import decode_user, encode_user
from tables.waiting import WaitingLists
from tables.windows import WindowCounts

MAX_EVENT_IDS = 32


@dataclass(frozen=True, slots=True)
class UserBounds:
    """Sizes of a user's state: items of the history that pairs are made with, and items remembered as seen."""

    max_recent: int = 20
    max_seen: int = 4096


class UserState:
    """One user's state in one partition, a copy: changing it changes no partition.

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
