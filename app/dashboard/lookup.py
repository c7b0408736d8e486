"""What the pages read from Redis about one person, one item or one trend."""

import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from app.client import requests
from app.gateway.view import FoundList, View
from tables.keys import Keys

MAX_TITLES: Final = 5000
TITLES_S: Final = 60.0
N_SIMILAR: Final = 20
N_TRENDING: Final = 30

Titles = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Person:
    """One user.

    Parameters
    ----------
    found
        The list in force: the user's own, else the default one; None: nothing is published.
    features
        Counts by name; empty for a user not seen.
    recent
        The newest items, newest first.
    """

    user_id: str
    found: FoundList | None
    features: Mapping[str, int]
    recent: tuple[str, ...]
    titles: Titles

    @property
    def items(self) -> list[dict[str, Any]]:
        """The list's items, best first."""
        return [] if self.found is None else self.found.items(None, ())


@dataclass(frozen=True, slots=True)
class Item:
    """One item.

    Parameters
    ----------
    counts
        Events by type and window, `<event_type>_<window>`.
    entry
        Fields of the catalogue.
    similar
        Item and similarity, best first.
    """

    item_id: str
    counts: Mapping[str, int]
    entry: Mapping[str, Any]
    similar: tuple[tuple[str, float], ...]
    titles: Titles


class Lookup:
    """Reads what the workers have published; titles are remembered for a minute."""

    def __init__(self, view: View, keys: Keys) -> None:
        self.view = view
        self._keys = keys
        self._titles: OrderedDict[str, tuple[float, str | None]] = OrderedDict()

    async def titles(self, item_ids: Iterable[str]) -> Titles:
        """The titles of those items that have one."""
        now_s = time.monotonic()
        ids = dict.fromkeys(item_ids)
        lacking = [each for each in ids if each not in self._titles or now_s - self._titles[each][0] > TITLES_S]
        if lacking:
            found = await self.view.ask(requests.titles(self._keys, lacking))
            for each in lacking:
                self._titles[each] = (now_s, found.get(each))
                self._titles.move_to_end(each)
        known = {each: title for each in ids if (title := self._titles[each][1])}
        while len(self._titles) > MAX_TITLES:
            self._titles.popitem(last=False)
        return known

    async def person(self, user_id: str) -> Person:
        """What is known of a user."""
        found = await self.view.ladder(user_id, None)
        features = await self.view.ask(requests.fields(self._keys.user_features(user_id)))
        recent = _parsed(features.pop("recent_items", "[]"))
        recent = tuple(each for each in recent if isinstance(each, str)) if isinstance(recent, list) else ()
        counts = {name: n for name, text in features.items() if isinstance(n := _parsed(text), int)}
        items = [] if found is None else found.items(None, ())
        named = [*recent, *(item["id"] for item in items), *(each for item in items for each in item["because"])]
        return Person(user_id, found, counts, recent, await self.titles(named))

    async def item(self, item_id: str) -> Item:
        """What is known of an item."""
        fields = await self.view.ask(requests.fields(self._keys.item_features(item_id)))
        similar = await self.view.ask(requests.best(self._keys.item_similarity(item_id), N_SIMILAR))
        title = fields.pop("title", None)
        entry: dict[str, Any] = {} if title is None else {"title": title}
        counts: dict[str, int] = {}
        for name, text in fields.items():
            value = text if name == "description" else _parsed(text)
            if isinstance(value, int) and not isinstance(value, bool) and not name.startswith("available_"):
                counts[name] = value
            else:
                entry[name] = value
        titles = await self.titles([item_id, *(each for each, _ in similar)])
        return Item(item_id, counts, entry, tuple(similar), titles)

    async def trending(self, window: str, category: str | None) -> tuple[list[tuple[str, float]], Titles]:
        """What trends, with scores, best first, and its titles."""
        found = await self.view.ask(requests.best(self._keys.trending(window, category), N_TRENDING))
        return found, await self.titles([each for each, _ in found])

    async def categories(self, item_ids: Iterable[str]) -> list[str]:
        """The categories of items, the most frequent first."""
        details = await self.view.details(list(item_ids), ["categories"])
        n: dict[str, int] = {}
        for each in details.values():
            for name in each.get("categories") or ():
                n[str(name)] = n.get(str(name), 0) + 1
        return sorted(n, key=lambda name: (-n[name], name))


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
