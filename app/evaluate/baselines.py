"""Lists that need no model: what a recommender has to beat.

They see every event at once, of all partitions. Their memory grows with the items, and with the pairs of items that
follow one another.
"""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from heapq import nsmallest
from itertools import islice
from typing import Final

from models.ids import hash64

POPULARITY, RECENCY, LAST_ITEM = "popularity", "recency", "last_item"
NAMES: Final = (POPULARITY, RECENCY, LAST_ITEM)


class Baselines:
    """Popularity, recency and last item, over items by number.

    Attributes
    ----------
    ids
        Of the items, by number.
    n_events
        Events of each item so far.
    """

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.n_events: list[int] = []
        self._hashes: list[int] = []
        self._numbers: dict[str, int] = {}
        self._popular: list[tuple[int, str, int]] = []  # (-events, id, number), in order
        self._recent: dict[int, None] = {}  # touched longest ago first
        self._followers: dict[int, Counter[int]] = {}

    def number(self, item_id: str) -> int:
        """The number of an item, a new one if need be."""
        number = self._numbers.get(item_id)
        if number is None:
            number = self._numbers[item_id] = len(self.ids)
            self.ids.append(item_id)
            self.n_events.append(0)
            self._hashes.append(hash64(item_id))
        return number

    def learn(self, item_id: str, last_item: str | None) -> None:
        """Count an event; `last_item` is the item that its user took to before, None if this is no such event."""
        number = self.number(item_id)
        n_before = self.n_events[number]
        if n_before:
            del self._popular[bisect_left(self._popular, (-n_before, item_id, number))]
        self.n_events[number] = n_before + 1
        insort(self._popular, (-n_before - 1, item_id, number))
        self._recent.pop(number, None)
        self._recent[number] = None
        if last_item is not None and last_item != item_id:
            self._followers.setdefault(self.number(last_item), Counter())[number] += 1

    def lists(self, seen: Collection[int], last_item: str | None, k: int) -> dict[str, list[int]]:
        """The `k` best items by each baseline, none of those seen (hashes); ties by id."""

        def is_new(number: int) -> bool:
            return self._hashes[number] not in seen

        followers = self._followers.get(self.number(last_item), Counter()) if last_item is not None else Counter()
        ranked = nsmallest(k, ((-n, self.ids[number], number) for number, n in followers.items() if is_new(number)))
        return {
            POPULARITY: _first(k, (number for _, _, number in self._popular), is_new),
            RECENCY: _first(k, reversed(self._recent), is_new),
            LAST_ITEM: [number for _, _, number in ranked],
        }


def _first(k: int, numbers: Iterable[int], is_new: Callable[[int], bool]) -> list[int]:
    return list(islice(filter(is_new, numbers), k))
