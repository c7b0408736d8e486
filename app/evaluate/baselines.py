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

import numpy as np
import numpy.typing as npt

from models.ids import hash64
from models.list_again import had_before
from tables.partition import PartitionState
from tables.user_state import UserState

POPULARITY, RECENCY, LAST_ITEM = "popularity", "recency", "last_item"
NAMES: Final = (POPULARITY, RECENCY, LAST_ITEM)
OWN_LAST, OWN_OFTEN = "own last items", "own items by count"
OWN: Final = (OWN_LAST, OWN_OFTEN)
"""What a user has had, where it may be offered again."""


class Baselines:
    """Popularity, recency and last item, over items by number.

    Popularity is how many people's last word is for an item, recency goes by events for it.

    Attributes
    ----------
    ids
        Of the items, by number.
    n_events
        Events of each item so far, of any type.
    """

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.n_events: list[int] = []
        self._n_for: list[int] = []
        self._hashes: list[int] = []
        self._numbers: dict[str, int] = {}
        self._popular: list[tuple[int, str, int]] = []  # (-people, id, number), in order
        self._recent: dict[int, None] = {}  # touched longest ago first
        self._followers: dict[int, Counter[int]] = {}

    def number(self, item_id: str) -> int:
        """The number of an item, a new one if need be."""
        number = self._numbers.get(item_id)
        if number is None:
            number = self._numbers[item_id] = len(self.ids)
            self.ids.append(item_id)
            self.n_events.append(0)
            self._n_for.append(0)
            self._hashes.append(hash64(item_id))
        return number

    def learn(self, item_id: str, last_item: str | None, *, people: int, is_for: bool) -> None:
        """Count an event.

        Parameters
        ----------
        last_item
            The item that its user took to before; None if this event takes to none.
        people
            How many more are for the item since: 1, 0 or -1.
        is_for
            Whether the event speaks for the item.
        """
        number = self.number(item_id)
        self.n_events[number] += 1
        if people:
            n_before = self._n_for[number]
            if n_before:
                del self._popular[bisect_left(self._popular, (-n_before, item_id, number))]
            self._n_for[number] = n_now = n_before + people
            if n_now:
                insort(self._popular, (-n_now, item_id, number))
        if is_for:
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


def own_items(state: PartitionState, user: UserState, kinds: npt.NDArray[np.bool_], k: int) -> dict[str, list[str]]:
    """What a user has had and may be offered again: the last ones, and those had most often."""
    items = state.items
    slots, n_events, times_ms = had_before(
        user.seen[: user.n_seen],
        user.words[: user.n_seen],
        kinds,
        (*items.indexed, np.arange(items.n_slots, dtype=np.int32)),
        (items.hashes, np.ones(len(items.hashes), np.bool_)),
    )
    ids = [items.ids[slot] or "" for slot in slots.tolist()]
    had = list(zip(times_ms.tolist(), n_events.tolist(), ids, strict=True))
    last = sorted(had, key=lambda each: (-each[0], each[2]))
    often = sorted(last, key=lambda each: -each[1])
    return {OWN_LAST: [item_id for _, _, item_id in last[:k]], OWN_OFTEN: [item_id for _, _, item_id in often[:k]]}
