"""Compiles the kernels by using each once, so that no partition waits for the compiler after it is assigned."""

import orjson

from tables.digest import digests
from tables.fold_settings import FoldSettings
from tables.partition import PartitionState
from tables.recommend import recommend
from tables.view import ItemView


def warm_up() -> None:
    """Fold a few made-up events and make their lists; the first time on a machine it takes seconds, later a second."""
    state = PartitionState(0, 1, FoldSettings())
    for number in range(8):
        event = {"user_id": f"u{number % 2}", "item_id": f"i{number}", "event_type": "view", "timestamp": 1 + number}
        state.fold(number, 10, str(event["user_id"]).encode(), orjson.dumps(event))
    view = ItemView(state.settings.cooccurrence)
    view.set_share(0, state.items)
    view.set_share(1, PartitionState(1, 2, FoldSettings()).items)
    for user in map(state.users.get, state.users):
        if user is not None:
            recommend(view, 0, state.settings.fusion, user, 5, view.popularity(5))
    cut, loaded = state.cut(-1), PartitionState(0, 1, FoldSettings())
    for key, value in cut.users:
        loaded.apply_user(key, value)
    for key, value in cut.items:
        loaded.items.apply(key.decode(), value)
    loaded.finish_load()
    for user_id in loaded.users:
        loaded.users.slot(user_id)
    state.items.remove(["i0"])
    digests([state])


if __name__ == "__main__":
    warm_up()
