"""The live gauge: how often people act on what was really published.

For each positive event on an item new to its user, whether the item stood in the list that the worker had last
published for that user. It is no state: lists are kept for the users last published, and it starts at nothing.
"""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from tables.list_json import ListItem

MAX_LISTS = 1024
DEPTHS = (10, 20)


class LiveGauge:
    """Hits of published lists, over the users that the settings choose for evaluation."""

    def __init__(self) -> None:
        self.n = 0
        self.hits = dict.fromkeys(DEPTHS, 0)
        self._lists: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._lock = Lock()

    def published(self, user_id: str, items: Sequence[ListItem]) -> None:
        """Remember a list that is in Redis now."""
        self._lists[user_id] = tuple(item.item_id for item in items[: max(DEPTHS)])
        self._lists.move_to_end(user_id)
        if len(self._lists) > MAX_LISTS:
            self._lists.popitem(last=False)

    def test(self, user_id: str, item_id: str) -> None:
        """Take one positive event on an item new to its user; partitions fold in threads."""
        items = self._lists.get(user_id)
        if items is None:
            return
        place = items.index(item_id) if item_id in items else max(DEPTHS)
        with self._lock:
            self.n += 1
            for depth in DEPTHS:
                self.hits[depth] += place < depth

    def as_json(self) -> dict[str, float | int | None]:
        """Events tested and hit rates."""
        rates = {f"hr@{depth}": round(hits / self.n, 5) if self.n else None for depth, hits in self.hits.items()}
        return {"n": self.n, **rates}
