"""The publisher of everything but users' lists: trends, the default list, similarities, features.

Each key has one writer, which rewrites it: what belongs to an item by the owner of the item's partition, what belongs
to all by the owner of partition 0. A key goes out at most once every `refresh_s`; when there is more than a tenth of
the time allows, the rest waits its turn.
"""

import asyncio
import logging
import time


from app.settings import Settings
from app.store.store import Store
from app.worker.catalogue import Catalogue
from app.worker.lists import DAY_S
from app.worker.live_view import LiveView
from app.worker.owned import OwnedPartition
from models.errors import ServiceError
from tables.features import item_fields, user_fields
from tables.keys import Keys
from tables.list_json import ListItem, encode_list
from tables.names import Names
from tables.view import TRENDING

logger = logging.getLogger("freshet")

KEYS_PER_SLICE = 20
SHARE_OF_TIME = 0.1


class FeaturePublisher:
    """Publishes trends and features every `refresh_s`."""

    def __init__(self, settings: Settings, view: LiveView, store: Store, catalogue: Catalogue) -> None:
        self._settings = settings
        self._view = view
        self._store = store
        self._catalogue = catalogue
        self._keys = Keys(settings.namespace)
        self._topic = Names(settings.namespace).events
        self._types = tuple(settings.fold.rules.types)

    async def run(self) -> None:
        """Publish for ever."""
        while True:
            await asyncio.sleep(self._settings.refresh_s)
            if self._view.owned and self._view.caught_up:
                await self.refresh(SHARE_OF_TIME * self._settings.refresh_s)

    async def refresh(self, within_s: float) -> None:
        """One round: trends and defaults always, similarities and features as far as the time goes."""
        deadline = time.monotonic() + within_s
        self._catalogue.apply_to(self._view)
        self._view.refresh()
        try:
            await self._publish_common()
            await self._publish_items(deadline)
            for partition in list(self._view.owned.values()):
                await self._publish_users(partition, deadline)
        except ServiceError as error:
            logger.debug("features wait for Redis: %s", error)

    async def probe(self) -> None:
        """Every second: has Redis lost its data? Then every list and every key is made anew."""
        while True:
            await asyncio.sleep(1.0)
            try:
                emptied = await self._store.emptied()
            except ServiceError as error:
                logger.debug("Redis does not answer: %s", error)
                continue
            if emptied and self._view.owned:
                n_users = sum(len(partition.state.users) for partition in self._view.owned.values())
                logger.warning("Redis was found empty: %d lists are made anew from state", n_users)
                for partition in self._view.owned.values():
                    partition.rebuild_all()
                self._view.stale = dict.fromkeys(self._view.items.ids)

    async def _publish_common(self) -> None:
        first = self._view.owned.get(0)
        if first is None:
            return
        now_ms, as_of_ms, size = int(time.time() * 1000), self._view.as_of_ms, self._settings.trending_size
        trends = {(window, None): ranked for window, ranked in self._view.trending(as_of_ms, size).items()}
        trends.update(self._catalogue.by_category(self._view, as_of_ms, size))
        await self._store.replace_sorted_sets(
            [(self._keys.trending(window, category), dict(ranked)) for (window, category), ranked in trends.items()]
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
            model=TRENDING,
            variant="default",
            items=items,
        )
        await self._store.publish_lists([(self._keys.default_list(), payload)], self._settings.list_ttl_days * DAY_S)

    async def _publish_items(self, deadline: float) -> None:
        stale = self._view.stale
        while stale and time.monotonic() < deadline:
            now_ms, as_of_ms = int(time.time() * 1000), self._view.as_of_ms
            part: list[str] = []
            while stale and len(part) < KEYS_PER_SLICE:
                item_id = next(iter(stale))
                del stale[item_id]
                if self._view.is_mine(item_id):
                    part.append(item_id)
            view, metadata = self._view.items, self._catalogue.metadata
            similar = [
                (self._keys.item_similarity(item_id), dict(view.similar(item_id, self._settings.similar_size)))
                for item_id in part
            ]
            hashes = [
                (
                    self._keys.item_features(item_id),
                    item_fields(view, item_id, self._types, as_of_ms, now_ms) | metadata(item_id),
                )
                for item_id in part
            ]
            try:
                await self._store.replace_sorted_sets(similar)
                await self._store.write_hashes(hashes)
            except ServiceError:
                stale.update(dict.fromkeys(part))
                raise

    async def _publish_users(self, partition: OwnedPartition, deadline: float) -> None:
        stale, state = partition.stale_features, partition.state
        while stale and time.monotonic() < deadline:
            now_ms = int(time.time() * 1000)
            part = [user_id for user_id, _ in zip(list(stale), range(KEYS_PER_SLICE), strict=False)]
            hashes = []
            for user_id in part:
                del stale[user_id]
                user = state.users.get(user_id)
                if user is not None:
                    as_of_ms = max(state.clock.now_ms, user.last_ms)
                    hashes.append((self._keys.user_features(user_id), user_fields(user, self._types, as_of_ms, now_ms)))
            try:
                await self._store.write_hashes(hashes)
            except ServiceError:
                stale.update(dict.fromkeys(part))
                raise


