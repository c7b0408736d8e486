"""What is known of one user, by itself: as readers and the codec have it. The fold has arrays (`tables.users`)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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

    `recent` holds (item_id, weight) of the last distinct interactions, oldest first by event time, `recent_ms` these
    times; `seen[:n_seen]` the hashes of the items the user knows, the one seen longest ago first, `words[:n_seen]` what
    was last said of each (`models.words`); `event_ids` the hashes of the newest event ids.
    """

    __slots__ = (
        "event_ids",
        "factors",
        "last_ms",
        "last_offset",
        "n_events",
        "n_seen",
        "recent",
        "recent_ms",
        "seen",
        "waiting",
        "windows",
        "words",
    )

    def __init__(self) -> None:
        self.n_events = 0
        self.last_ms = 0
        self.last_offset = -1
        self.event_ids: dict[int, None] = {}
        self.recent: list[tuple[str, float]] = []
        self.recent_ms: list[int] = []
        self.seen: npt.NDArray[np.uint64] = np.zeros(8, np.uint64)
        self.words: npt.NDArray[np.uint64] = np.zeros(8, np.uint64)
        self.n_seen = 0
        self.factors: npt.NDArray[np.float64] | None = None
        self.waiting: WaitingLists | None = None
        self.windows = WindowCounts()

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
            self.words[: self.n_seen].tolist(),
            [[item_id, weight, ms] for (item_id, weight), ms in zip(self.recent, self.recent_ms, strict=True)],
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
