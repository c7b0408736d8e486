"""A program of `freshet bench memory`: `memory_fold` by this checkout, then every user's list, as Redis keeps them."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app.bench.memory_fold import measured, say
from tables.partition import PartitionState

if TYPE_CHECKING:
    from app.settings import Settings

KEYS_PER_READ = 500
TIMEOUT_S = 10.0


async def in_redis(state: PartitionState, settings: "Settings") -> dict[str, int]:
    """Publish the list of every user of a state, as a worker does, and ask Redis what they take.

    Returns
    -------
    dict[str, int]
        `lists`; `listed`: items in all of them; `redis`: bytes of their keys and values by MEMORY USAGE.

    Raises
    ------
    ServiceError
        If Redis failed, or has refused a list.
    """
    from app.store.clients import for_threads  # here: what is imported before the fold is measured shows in it
    from app.store.store import Store
    from app.worker.lists import DAY_S
    from models.errors import ServiceError

    payloads, n_listed = lists_of(state, settings)
    store = Store(settings.redis, keys=settings.keys)
    try:
        result = await store.publish_lists(payloads, settings.list_ttl_days * DAY_S)
    finally:
        await store.close()
    if result.written != len(payloads):
        raise ServiceError(f"Redis took {result.written} of {len(payloads)} lists.")
    connection = for_threads(settings.redis, timeout_s=TIMEOUT_S)
    try:
        n_bytes = 0
        for start in range(0, len(payloads), KEYS_PER_READ):
            part = payloads[start : start + KEYS_PER_READ]
            n_bytes += sum(connection.run([("MEMORY USAGE", key, "SAMPLES", 0) for key, _ in part]))
    finally:
        connection.close()
    return {"lists": len(payloads), "listed": n_listed, "redis": n_bytes}


def lists_of(state: PartitionState, settings: "Settings") -> tuple[list[tuple[str, bytes]], int]:
    """The key and the list of every user, and how many items stand in all of them."""
    from app.worker.live_view import FILLER_SIZE
    from tables.adaptive import AdaptiveRecommender
    from tables.list_encoding import encode_list
    from tables.list_model import ListModels
    from tables.view import ItemView

    view, recommender = ItemView(state.settings.cooccurrence), AdaptiveRecommender(settings.lists)
    view.set_share(0, state.items)
    filler = recommender.newcomers.filler(view, state.clock.now_ms, FILLER_SIZE)
    model = ListModels(settings.fold, settings.lists, settings.list_size).blend
    payloads, n_listed = [], 0
    for user_id in state.users:
        user = state.users.reader(user_id)
        assert user is not None, user_id
        items = recommender.recommend(view, 0, user, settings.list_size, filler)
        payload = encode_list(
            epoch=state.epoch,
            offset=user.last_offset,
            user_id=user_id,
            namespace=settings.namespace,
            generated_at_ms=state.clock.now_ms,
            source=(settings.names.events, state.number, user.last_offset),
            model=model,
            variant="default",
            items=items,
        )
        payloads.append((settings.keys.user_list(user_id), payload))
        n_listed += len(items)
    return payloads, n_listed


def main() -> None:
    """Measure, and write the figures."""
    state, figures = measured(Path(sys.argv[1]), lambda n: say(folded=n))
    from app.settings import load_settings

    say(figures={**figures, **asyncio.run(in_redis(state, load_settings()))})


if __name__ == "__main__":
    main()
