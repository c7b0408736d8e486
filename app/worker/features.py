"""The publisher of everything but users' lists: trends, the default list, similarities, features.

Each key has one writer, which rewrites it: what belongs to an item by the owner of the item's partition, what belongs
to all by the owner of partition 0. A key goes out at most once every `refresh_s`; what does not fit into this
publisher's share of the time waits its turn: a sixtieth while events flow, spread evenly; all when the worker is idle.
What nothing touches is written once a day all the same: windows pass, and keys that are not rewritten do not heal.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from itertools import chain, repeat
from typing import TypeVar

from app.settings import Settings
from app.store.store import Store
from app.worker.catalogue import Catalogue
from app.worker.lists import DAY_S
from app.worker.live_view import LiveView
from app.worker.losses import Losses
from app.worker.owned import OwnedPartition
from app.worker.share import rest_s
from app.worker.sweep import Sweep
from models.errors import ServiceError
from models.event_types import type_codes
from tables.features import item_fields, user_fields
from tables.list_encoding import encode_list
from tables.list_json import ListItem
from tables.list_model import ListModels

logger = logging.getLogger("freshet")

KEYS_PER_SLICE = 4  # a millisecond or less
SHARE_BUSY, SHARE_IDLE = 0.015, 1.0  # of a CPU

T = TypeVar("T")
Publish = Callable[[list[str]], Awaitable[float]]


class FeaturePublisher:
    """Publishes trends and features every `refresh_s`."""

    def __init__(self, settings: Settings, view: LiveView, store: Store, catalogue: Catalogue) -> None:
        self._settings = settings
        self._view = view
        self._store = store
        self._catalogue = catalogue
        self._keys = settings.keys
        self._topic = settings.names.events
        self._types = {code: name for name, code in type_codes(settings.rules.types).items()}
        self._model = ListModels(settings.fold, settings.lists, settings.list_size).filler
        self._losses = Losses()
        self.n_errors = self.n_probes_failed = 0
        self.redis_error: str | None = "Redis was not asked yet."  # None: it takes writes
        self._sweep = Sweep(lambda: chain(self._view.items.ids, self._catalogue.ids))

    async def run(self) -> None:
        """Publish for ever."""
        folded, due = -1, time.monotonic() + self._settings.refresh_s
        while True:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due = time.monotonic() + self._settings.refresh_s
            if self._view.owned and self._view.caught_up:
                before, folded = folded, sum(p.state.next_offset for p in self._view.owned.values())
                share = SHARE_IDLE if folded == before else SHARE_BUSY
                await self.refresh(self._settings.refresh_s, share)

    @property
    def n_stale(self) -> int:
        """Keys of items and users that wait their turn."""
        return len(self._view.stale) + sum(len(p.stale_features) for p in self._view.owned.values())

    async def refresh(self, within_s: float, share: float = 1.0) -> None:
        """One round: trends and defaults always, similarities and features as far as the time and their share go."""
        deadline = time.monotonic() + within_s
        self._catalogue.apply_to(self._view)
        self._view.refresh()
        self._view.stale.update(dict.fromkeys(self._sweep.due()))
        for partition in self._view.owned.values():
            partition.stale_features.update(dict.fromkeys(partition.sweep.due()))
        try:
            await self._publish_common()
            for publish, ids in self._in_turn():
                if time.monotonic() > deadline:
                    return
                made_s = await publish(ids)
                await asyncio.sleep(max(0.0, min(rest_s(made_s, share), deadline - time.monotonic())))
        except ServiceError as error:
            self.n_errors += 1
            logger.debug("features wait for Redis: %s", error)

    def _in_turn(self) -> Iterator[tuple[Publish, list[str]]]:
        """What is stale: a few items and a few users of a partition in turn, what waits longest first.

        Nothing is put together ahead of its turn: after Redis was emptied everything is stale.
        """
        users = (
            zip(repeat(partial(self._publish_users, partition)), in_slices(partition.stale_features), strict=False)
            for partition in self._view.owned.values()
        )
        items = zip(repeat(self._publish_items), in_slices(self._view.stale), strict=False)
        return alternately(items, alternately(*users))

    async def probe(self) -> None:
        """Every second: has Redis lost its data? Then every list and every key is made anew.

        Those of a partition that comes later as well, if it was saved before: its owner may not have noticed. What the
        first look finds empty holds nothing yet of partitions that were never saved: their lists are still to go out.
        """
        while True:
            try:
                emptied = await self._store.emptied()
            except ServiceError as error:
                self.redis_error = str(error)
                self.n_probes_failed += 1
                logger.debug("Redis does not answer: %s", error)
            else:
                self.redis_error = None
                self._losses.looked(emptied=emptied, lost_ms=self._store.emptied_ms)
                self._make_anew()
            await asyncio.sleep(1.0)

    def _make_anew(self) -> None:
        lost = [partition for partition in self._view.owned.values() if self._losses.has_lost(partition)]
        n_users = sum(len(partition.state.users) for partition in lost)
        if n_users:
            logger.warning("Redis was found empty, or started anew: %d lists are made anew from state", n_users)
        for partition in lost:
            partition.rebuild_all()
        if lost:
            self._view.mark_all()
            self._catalogue.mark_all()

    async def _publish_common(self) -> None:
        first = self._view.owned.get(0)
        if first is None:
            return
        now_ms, as_of_ms, size = int(time.time() * 1000), self._view.as_of_ms, self._settings.trending_size
        trends = await self._catalogue.by_category(self._view, as_of_ms, size)
        trends.update(((window, None), ranked) for window, ranked in self._view.trending(as_of_ms, size).items())
        await self._store.replace_sorted_sets(
            [(self._keys.trending(window, category), dict(ranked)) for (window, category), ranked in trends.items()],
            ttl_s=DAY_S,
        )
        items = [
            ListItem(self._view.items.ids[item], score, source, ())
            for item, score, source in self._view.filler().items[: self._settings.list_size]
        ]
        payload = encode_list(
            epoch=first.state.epoch,
            offset=first.state.next_offset,
            user_id=None,
            namespace=self._settings.namespace,
            generated_at_ms=now_ms,
            source=(self._topic, 0, max(0, first.state.next_offset - 1)),
            model=self._model,
            variant="default",
            items=items,
            fields=self._catalogue.listed,
        )
        await self._store.publish_lists([(self._keys.default_list(), payload)], self._settings.list_ttl_days * DAY_S)

    async def _publish_items(self, ids: list[str]) -> float:
        """Similarities and features of some items; how long making them took, s of CPU."""
        began = time.thread_time()
        self._view.sync()  # the fold went on while Redis was written
        stale, view, metadata = self._view.stale, self._view.items, self._catalogue.metadata
        now_ms, as_of_ms = int(time.time() * 1000), self._view.as_of_ms
        for item_id in ids:
            stale.pop(item_id, None)
        part = [item_id for item_id in ids if self._view.is_mine(item_id)]
        similar = [
            (self._keys.item_similarity(item_id), dict(view.similar(item_id, self._settings.similar_size)))
            for item_id in part
        ]
        hashes = [
            (
                self._keys.item_features(item_id),
                {**item_fields(view, item_id, self._types, as_of_ms, now_ms), **metadata(item_id)},
            )
            for item_id in part
        ]
        made_s = time.thread_time() - began
        try:
            away = {*await self._store.replace_sorted_sets(similar), *await self._store.write_hashes(hashes)}
        except ServiceError:
            stale.update(dict.fromkeys(part))
            raise
        if away:
            of = zip(part, similar, hashes, strict=True)
            stale.update((item_id, None) for item_id, (a, _), (b, _) in of if a in away or b in away)
        return made_s

    async def _publish_users(self, partition: OwnedPartition, ids: list[str]) -> float:
        """Features of some users; how long making them took, s of CPU."""
        if self._view.owned.get(partition.number) is not partition:
            return 0.0  # given back meanwhile
        began, now_ms = time.thread_time(), int(time.time() * 1000)
        stale, state = partition.stale_features, partition.state
        hashes = []
        for user_id in ids:
            stale.pop(user_id, None)
            user = state.users.get(user_id)
            if user is not None:
                as_of_ms = max(state.clock.now_ms, user.last_ms)
                hashes.append((self._keys.user_features(user_id), user_fields(user, self._types, as_of_ms, now_ms)))
        made_s = time.thread_time() - began
        try:
            away = set(await self._store.write_hashes(hashes))
        except ServiceError:
            partition.features_refused(ids)
            raise
        partition.features_written(len(ids))
        if away:
            partition.features_refused(user_id for user_id in ids if self._keys.user_features(user_id) in away)
        return made_s


def in_slices(ids: Iterable[str]) -> Iterator[list[str]]:
    """Cut ids, as they are when the first slice is taken, into slices that do not hold the event loop for long."""
    now = list(ids)
    for start in range(0, len(now), KEYS_PER_SLICE):
        yield now[start : start + KEYS_PER_SLICE]


def alternately(*parts: Iterable[T]) -> Iterator[T]:
    """One of each part in turn, as long as there are any.

    >>> "".join(alternately("abc", "12", ""))
    'a1b2c'
    """
    waiting = deque(map(iter, parts))
    while waiting:
        part = waiting.popleft()
        for each in part:
            yield each
            waiting.append(part)
            break
