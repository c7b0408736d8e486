"""Whether every user's list in Redis answers that user's last event."""

from collections.abc import Mapping

from app.bench.backlog import Last
from app.store.access import RedisAccess
from app.store.clients import for_threads
from models.errors import StateError
from tables.keys import Keys
from tables.list_json import decode_list

KEYS_PER_READ = 200
TIMEOUT_S = 5.0
EXAMPLES = 5


def check_lists(access: RedisAccess | str, namespace: str, last: Mapping[str, Last]) -> None:
    """Get the list of every user and compare where it comes from with where the user's last event lies.

    Raises
    ------
    StateError
        With the number of lists that do not, and examples.
    """
    keys, users = Keys(namespace), list(last)
    connection = for_threads(access, timeout_s=TIMEOUT_S)
    wrong: list[str] = []
    try:
        for start in range(0, len(users), KEYS_PER_READ):
            part = users[start : start + KEYS_PER_READ]
            replies = connection.run([("GET", keys.user_list(user_id)) for user_id in part])
            for user_id, payload in zip(part, replies, strict=True):
                found = None if payload is None else Last(*decode_list(payload).source[1:])
                if found != last[user_id]:
                    wrong.append(f"user {user_id}: last event {_said(last[user_id])}, list {_said(found)}")
    finally:
        connection.close()
    if wrong:
        raise StateError(
            f"{len(wrong)} of {len(users)} lists in Redis do not answer their user's last event:\n  "
            + "\n  ".join(wrong[:EXAMPLES])
        )


def _said(place: Last | None) -> str:
    return "missing" if place is None else f"of offset {place.offset} in partition {place.partition}"
