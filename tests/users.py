"""What the fold's kernels do to a user, in plain Python, and users put into a partition as they are."""

import numpy as np

from tables.user_state import MAX_EVENT_IDS, UserState
from tables.users import Users


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
    user.seen = np.array([*others, item_hash][-max_seen:], np.uint64)
    user.n_seen = len(user.seen)
    return len(others) == len(before)


def add_recent(user: UserState, item_id: str, weight: float, max_recent: int) -> None:
    """Make an item the newest of the history."""
    others = [entry for entry in user.recent if entry[0] != item_id]
    user.recent = [*others, (item_id, weight)][-max_recent:]


def put(users: Users, user_id: str, state: UserState) -> None:
    """Add a user with a state, or replace one, as a load does; it stands behind all others then."""
    users.apply(user_id, state.encode())
    users.slot(user_id)
