"""The catalogue: the `items` topic, followed from its beginning by every worker, without a group."""

import asyncio
import logging
import time

import numpy as np
from aiokafka import ConsumerRecord, TopicPartition

from app.kafka import reader, start_client
from app.worker.live_view import LiveView
from models.windows import TRENDING_WINDOWS
from tables.catalogue import Entry, parse_entry

logger = logging.getLogger("freshet")

MAX_CATEGORIES = 200

Trends = dict[tuple[str, str | None], list[tuple[str, float]]]  # by window and category


class Catalogue:
    """What is known of items besides events; the fold never reads it."""

    def __init__(self, broker: str, topic: str) -> None:
        self._broker = broker
        self._topic = topic
        self._entries: dict[str, Entry] = {}
        self._bounded: dict[str, Entry] = {}  # those that are hidden, or not offered at any time
        self._removed: set[str] = set()
        self._changed: dict[str, None] = {}
        self._members: dict[str, set[str]] = {}

    def metadata(self, item_id: str) -> dict[str, str]:
        """Fields for `item_features:<id>`."""
        entry = self._entries.get(item_id)
        return dict(entry.fields) if entry else {}

    def apply_to(self, view: LiveView) -> None:
        """Tell the view which items may not be offered now, and which features have changed."""
        now_ms = int(time.time() * 1000)
        forbidden = {item_id for item_id, entry in self._bounded.items() if not entry.is_offered(now_ms)}
        forbidden |= self._removed
        if forbidden != view.items.hidden:
            view.items.forbid(forbidden)
        changed, self._changed = self._changed, {}
        view.stale.update(changed)

    async def by_category(self, view: LiveView, as_of_ms: int, k: int) -> Trends:
        """Trending items by (window, category), for the largest categories.

        The event loop gets its turn after each; what is left when items get other numbers has its turn next time.
        """
        largest = sorted(self._members, key=lambda name: (-len(self._members[name]), name))[:MAX_CATEGORIES]
        items, found = view.items, Trends()
        numbering, index = items.numbering, items.index
        scores = [items.trends(number, as_of_ms) for number in range(len(TRENDING_WINDOWS))] if largest else []
        for category in largest:
            await asyncio.sleep(0)
            if items.numbering != numbering:
                break
            known = [index.get(item_id, -1) for item_id in self._members.get(category, ())]
            members = np.array([number for number in known if 0 <= number < len(scores[0])], np.intp)
            for window, by_item in zip(TRENDING_WINDOWS, scores, strict=True):
                ranked = items.top(by_item, k, members)
                found[window.name, category] = [(items.ids[item], score) for item, score in ranked]
        return found

    async def follow(self, n_partitions: int) -> None:
        """Read the topic for ever; a record that is no catalogue entry is told and left out."""
        consumer = reader(self._broker)
        await start_client(consumer, self._broker)
        try:
            consumer.assign([TopicPartition(self._topic, number) for number in range(n_partitions)])
            while True:
                for records in (await consumer.getmany(timeout_ms=500, max_records=5000)).values():
                    for record in records:
                        self._take(record)
                    await asyncio.sleep(0)
        finally:
            await consumer.stop()

    def _take(self, record: ConsumerRecord) -> None:
        try:
            item_id = (record.key or b"").decode()
            entry = parse_entry(record.value) if record.value is not None else None
        except ValueError as error:
            logger.warning("record %d of %s is no catalogue entry: %s", record.offset, self._topic, error)
            return
        before = self._entries.pop(item_id, None)
        self._bounded.pop(item_id, None)
        for category in before.categories if before else ():
            self._members[category].discard(item_id)
        if entry is None:
            self._removed.add(item_id)
        else:
            self._removed.discard(item_id)
            self._entries[item_id] = entry
            if not entry.is_always_offered:
                self._bounded[item_id] = entry
            for category in entry.categories:
                self._members.setdefault(category, set()).add(item_id)
        self._changed[item_id] = None
