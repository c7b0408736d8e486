"""The catalogue: what the `items` topic says of items."""

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence

import numpy as np
import orjson
from aiokafka import ConsumerRecord

from app.worker.live_view import LiveView
from models.errors import InvalidEvent
from models.windows import TRENDING_WINDOWS
from tables.catalogue import Entry
from tables.categories import main_category
from tables.list_fields import listed

logger = logging.getLogger("freshet")

MAX_CATEGORIES = 200
TOLD = {1, 2, 3, 10, 100, 1000, 10_000, 100_000, 1_000_000}  # of many alike

Trends = dict[tuple[str, str | None], list[tuple[str, float]]]  # by window and category


class Catalogue:
    """What is known of items besides events; the fold never reads it.

    Parameters
    ----------
    topic
        Where its entries come from.
    max_items
        Entries kept, and items removed that are remembered; what comes when it is full is left out, and told.
    list_fields
        Fields that stand in lists.

    Attributes
    ----------
    listed
        Item -> its fields that stand in lists, kept up to date; None if none are to stand there.
    """

    def __init__(self, topic: str, max_items: int = 1_000_000, list_fields: Sequence[str] = ()) -> None:
        self._topic = topic
        self._max_items = max_items
        self._list_fields = list_fields
        self.listed: dict[str, orjson.Fragment] | None = {} if list_fields else None
        self._n_left_out = self._n_malformed = 0
        self._entries: dict[str, Entry] = {}
        self._bounded: dict[str, Entry] = {}  # those that are hidden, or not offered at any time
        self._removed: dict[str, None] = {}
        self._changed: dict[str, None] = {}
        self._moved: dict[str, None] = {}  # items of another category than the view knows
        self._members: dict[str, set[str]] = {}

    def metadata(self, item_id: str) -> dict[str, str]:
        """Fields for `item_features:<id>`."""
        entry = self._entries.get(item_id)
        return dict(entry.fields) if entry else {}

    @property
    def ids(self) -> Iterable[str]:
        """Items that it knows."""
        return self._entries.keys()

    @property
    def n_entries(self) -> int:
        """Entries kept."""
        return len(self._entries)

    @property
    def n_left_out(self) -> int:
        """Entries left out because it was full."""
        return self._n_left_out

    def mark_all(self) -> None:
        """Have what belongs to each item that it knows written anew."""
        self._changed.update(dict.fromkeys(self._entries))

    def apply_to(self, view: LiveView) -> None:
        """Tell the view which items may not be offered now, of which category they are, and what has changed."""
        now_ms = int(time.time() * 1000)
        forbidden = {item_id for item_id, entry in self._bounded.items() if not entry.is_offered(now_ms)}
        forbidden |= self._removed.keys()
        if forbidden != view.items.hidden:
            view.forbid(forbidden)
        moved, self._moved = self._moved, {}
        for item_id in moved:
            view.items.categorize(item_id, _category(self._entries.get(item_id)))
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

    def leave_out(self, record: ConsumerRecord, invalid: InvalidEvent) -> None:
        """Tell of a record that is no catalogue entry."""
        self._n_malformed += 1
        if self._n_malformed in TOLD:
            message = "record %d of %s is no catalogue entry (%d so far): %s"
            logger.warning(message, record.offset, self._topic, self._n_malformed, invalid.message)

    def take(self, item_id: str, entry: Entry | None) -> None:
        """Take an entry; None: the item is gone."""
        if entry is not None and item_id not in self._entries and len(self._entries) >= self._max_items:
            self._n_left_out += 1
            if self._n_left_out in TOLD:
                logger.warning(
                    "%d catalogue entries are left out, the last one %r: %d are kept. Raise FRESHET_MAX_CATALOGUE.",
                    self._n_left_out,
                    item_id,
                    self._max_items,
                )
            return
        before = self._entries.pop(item_id, None)
        if _category(before) != _category(entry):
            self._moved[item_id] = None
        self._bounded.pop(item_id, None)
        for category in before.categories if before else ():
            self._members[category].discard(item_id)
        if entry is None:
            self._removed[item_id] = None
            while len(self._removed) > self._max_items:
                del self._removed[next(iter(self._removed))]
        else:
            self._removed.pop(item_id, None)
            self._entries[item_id] = entry
            if not entry.is_always_offered:
                self._bounded[item_id] = entry
            for category in entry.categories:
                self._members.setdefault(category, set()).add(item_id)
        self._changed[item_id] = None
        self._list(item_id, entry)

    def _list(self, item_id: str, entry: Entry | None) -> None:
        """Keep what stands of an item in lists."""
        if self.listed is not None:
            shown = listed(entry, self._list_fields) if entry else None
            if shown is None:
                self.listed.pop(item_id, None)
            else:
                self.listed[item_id] = shown


def _category(entry: Entry | None) -> str | None:
    """The category that an item is of."""
    return None if entry is None else main_category(entry.categories)
