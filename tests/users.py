"""What the fold's kernels do to a user, in plain Python, and users put into a partition as they are."""

from collections.abc import Sequence

import numpy as np

from models.words import FOR, word_of
from tables.user_state import MAX_EVENT_IDS, UserState
from tables.users import Users

A_WORD = int(word_of(1, 0, 1, 0, FOR))


def counted(user: UserState) -> list[tuple[str, float]]:
    """The user's history, and what each of its items counts at its age, by the formula of models.history."""
    newest_ms = max(user.recent_ms, default=0)
    return [
        (item_id, weight / (1 + (newest_ms - time_ms) / (30 * 86_400_000)))
        for (item_id, weight), time_ms in zip(user.recent, user.recent_ms, strict=True)
    ]


def set_recent(user: UserState, recent: Sequence[tuple[str, float]]) -> None:
    """Give a user another history, all of one time."""
    user.recent, user.recent_ms = list(recent), [1] * len(recent)


def is_duplicate(user: UserState, event_id_hash: int) -> bool:
    """Whether the event id is among the newest; remembers it if not."""
    if event_id_hash in user.event_ids:
        return True
    newest = [*user.event_ids, event_id_hash][-MAX_EVENT_IDS:]
    user.event_ids = dict.fromkeys(newest)
    return False


def mark_seen(user: UserState, item_hash: int, max_seen: int) -> bool:
    """Remember an item as seen, most recently of all; returns whether it was new to the user."""
    before = user.seen[: user.n_seen].tolist()
    others = [each for each in before if each != item_hash]
    words = dict(zip(before, user.words[: user.n_seen].tolist(), strict=True))
    kept = [*others, item_hash][-max_seen:]
    user.seen = np.array(kept, np.uint64)
    user.words = np.array([words.get(each, A_WORD) for each in kept], np.uint64)
    user.n_seen = len(user.seen)
    return len(others) == len(before)


def add_recent(user: UserState, item_id: str, weight: float, max_recent: int) -> None:
    """Make an item the newest of the history."""
    recent = zip(user.recent, user.recent_ms, strict=True)
    others = [(entry, time_ms) for entry, time_ms in recent if entry[0] != item_id]
    newest_ms = max(user.recent_ms, default=0) + 1
    kept = [*others, ((item_id, weight), newest_ms)][-max_recent:]
    user.recent, user.recent_ms = [entry for entry, _ in kept], [time_ms for _, time_ms in kept]


def put(users: Users, user_id: str, state: UserState) -> None:
    """Add a user with a state, or replace one, as a load does; it stands behind all others then."""
    users.apply(user_id, state.encode())
    users.slot(user_id)
