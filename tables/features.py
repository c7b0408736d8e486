"""The fields of `user_features:<id>` and `item_features:<id>` (a public contract)."""

from collections.abc import Mapping

import orjson

from tables.user_state import UserState
from tables.view import ItemView

Fields = dict[str, str | int | float]


def user_fields(user: UserState, types: Mapping[int, str], as_of_ms: int, now_ms: int) -> Fields:
    """A user's counts as of a time, and the newest items."""
    return {
        "n_events": user.n_events,
        "last_event_ms": user.last_ms,
        **dict(user.windows.features(types, as_of_ms)),
        "recent_items": orjson.dumps(user.newest_items()).decode(),
        "updated_at_ms": now_ms,
    }


def item_fields(view: ItemView, item_id: str, types: Mapping[int, str], as_of_ms: int, now_ms: int) -> Fields:
    """An item's counts as of a time, summed over all shares."""
    number = view.index.get(item_id)
    shares = view.slots_of(number) if number is not None else []
    counts: dict[str, int] = {}
    for share, slot in shares:
        for name, n in share.windows_of(slot).features(types, as_of_ms):
            counts[name] = counts.get(name, 0) + n
    return {
        "n_events": sum(int(share.n_events[slot]) for share, slot in shares),
        "last_event_ms": max((int(share.last_ms[slot]) for share, slot in shares), default=0),
        **counts,
        "updated_at_ms": now_ms,
    }
