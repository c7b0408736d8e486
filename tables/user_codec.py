"""The bytes of one user.

Value of `<app>.users`, key user_id: u8 version, u8 flags (1: lists wait to be scored), i64 last_offset, i64 last_ms,
i64 n_events, u16 n_event_ids, u32 n_seen, u16 n_recent, u16 bytes of the rating row, u16 bytes of the waiting lists;
u64 hashes of the event ids and of the seen items (oldest first), u64 words on these (`models.words`), f64 weights, i64
times and then the ids of the recent items (oldest first), the rating row, the waiting lists, window counts. Little
endian.
"""

import struct
from typing import TYPE_CHECKING

import numpy as np

from models.errors import StateError
from models.factorization import decode_row, encode_row
from tables.codec import all_read, check_version, pack_strings, undamaged, unpack_strings
from tables.waiting import WaitingLists
from tables.windows import WindowCounts

if TYPE_CHECKING:
    from tables.user_state import UserState

VERSION = 3
WAITING = 1
_HEADER = struct.Struct("<BBqqqHIHHH")
_STAMPS = struct.Struct("<xBqq")


def encode_user(user: "UserState") -> bytes:
    """The bytes described above."""
    weights = np.array([weight for _, weight in user.recent], np.float64)
    row = b"" if user.factors is None else encode_row(user.factors)
    waiting = b"" if user.waiting is None else user.waiting.encode()
    header = _HEADER.pack(
        VERSION,
        WAITING if waiting else 0,
        user.last_offset,
        user.last_ms,
        user.n_events,
        len(user.event_ids),
        user.n_seen,
        len(user.recent),
        len(row),
        len(waiting),
    )
    return b"".join(
        (
            header,
            np.fromiter(user.event_ids, np.uint64, len(user.event_ids)).tobytes(),
            user.seen[: user.n_seen].tobytes(),
            user.words[: user.n_seen].tobytes(),
            weights.tobytes(),
            np.array(user.recent_ms, np.int64).tobytes(),
            pack_strings([item_id for item_id, _ in user.recent]),
            row,
            waiting,
            user.windows.encode(),
        )
    )


def decode_user(user: "UserState", data: bytes) -> None:
    """Fill an empty user.

    Raises
    ------
    UnknownVersion, StateError
        If the bytes are of another version, or damaged.
    """
    check_version(data, VERSION, "a user's state")
    with undamaged("a user's state"):
        _decode(user, data)


def check_user(data: bytes, user_id: str) -> None:
    """Look at what can be seen without decoding: the version, and whether the header is whole.

    Raises
    ------
    UnknownVersion, StateError
        If the bytes are of another version, or too few.
    """
    check_version(data, VERSION, f"the state of user {user_id!r}")
    if len(data) < _HEADER.size:
        raise StateError(f"the state of user {user_id!r} is damaged: it has {len(data)} bytes.")


def stamps(data: bytes) -> tuple[int, int, bool]:
    """Last offset, last event time and whether lists wait, without decoding the rest."""
    flags, last_offset, last_ms = _STAMPS.unpack_from(data)
    return last_offset, last_ms, bool(flags & WAITING)


def _decode(user: "UserState", data: bytes) -> None:
    _, _, user.last_offset, user.last_ms, user.n_events, *sizes = _HEADER.unpack_from(data)
    n_ids, user.n_seen, n_recent, n_row, n_waiting = sizes
    at = _HEADER.size
    user.event_ids = dict.fromkeys(np.frombuffer(data, np.uint64, n_ids, at).tolist())
    at += 8 * n_ids
    user.seen = np.zeros(max(8, user.n_seen), np.uint64)
    user.words = np.zeros(max(8, user.n_seen), np.uint64)
    user.seen[: user.n_seen] = np.frombuffer(data, np.uint64, user.n_seen, at)
    at += 8 * user.n_seen
    user.words[: user.n_seen] = np.frombuffer(data, np.uint64, user.n_seen, at)
    at += 8 * user.n_seen
    weights = np.frombuffer(data, np.float64, n_recent, at).tolist()
    at += 8 * n_recent
    user.recent_ms = np.frombuffer(data, np.int64, n_recent, at).tolist()
    items, at = unpack_strings(memoryview(data), at + 8 * n_recent)
    user.recent = list(zip(items, weights, strict=True))
    user.factors = decode_row(data[at : at + n_row], n_row // 8 - 1) if n_row else None
    at += n_row
    user.waiting = WaitingLists.decode(data[at : at + n_waiting]) if n_waiting else None
    at += n_waiting
    user.windows, size = WindowCounts.decode(memoryview(data)[at:])
    all_read(at + size, data)
