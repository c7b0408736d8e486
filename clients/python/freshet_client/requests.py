"""What each question of a reader sends to Redis, and how it reads the replies: the reader's rules, free of I/O.

A reply may be an exception: its node is away, or its command was refused. It counts only where the reply is needed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, TypeAlias, TypeVar

import orjson

from freshet_client.errors import ServiceError, SettingsError, StateError
from freshet_client.lists import RecommendationList, Rung, decode_list
from freshet_client.names import Keys

T = TypeVar("T")

Command: TypeAlias = tuple[str | bytes | int, ...]
ItemState: TypeAlias = Literal["published", "missing", "empty"]


class ItemDetails(NamedTuple):
    """What the catalogue says of an item; None and empty where it says nothing."""

    title: str | None
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """Commands for one pipeline, and what turns their replies into the answer."""

    commands: list[Command]
    answer: Callable[[list[Any]], T]


def recs(keys: Keys, user_id: str, segment: str | None) -> Request[RecommendationList | None]:
    """The ladder: the user's list, else the segment's if one is known, else the default; the first that exists."""
    rungs: list[Rung] = ["user", "default"] if segment is None else ["user", "segment", "default"]
    found = [keys.user_list(user_id), keys.default_list()]
    if segment is not None:
        found.insert(1, keys.segment_list(segment))

    def answer(replies: list[Any]) -> RecommendationList | None:
        for rung, reply in zip(rungs, replies, strict=True):
            if reply is not None:
                return decode_list(given(reply), rung)
        return None

    return Request([("GET", key) for key in found], answer)


def best(key: bytes, k: int) -> Request[list[tuple[str, float]]]:
    """The k greatest members of a sorted set, by score, then id.

    The whole set is read: Redis breaks ties the other way round, so its own first k could be others.
    """
    if k < 1:
        raise SettingsError(f"k is {k}: at least one item must be asked for. Use e.g. 10.")

    def answer(replies: list[Any]) -> list[tuple[str, float]]:
        flat = given(replies[0])
        pairs = [(member.decode(), float(score)) for member, score in zip(flat[::2], flat[1::2], strict=True)]
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:k]

    return Request([("ZRANGE", key, 0, -1, "WITHSCORES")], answer)


def fields(key: bytes) -> Request[dict[str, str]]:
    """All fields of a hash as text; empty if there is none."""

    def answer(replies: list[Any]) -> dict[str, str]:
        reply = given(replies[0])  # of a cluster's client a mapping
        pairs = reply.items() if isinstance(reply, dict) else zip(reply[::2], reply[1::2], strict=True)
        return {name.decode(): value.decode() for name, value in pairs}

    return Request([("HGETALL", key)], answer)


def item_state(keys: Keys, item_id: str) -> Request[ItemState]:
    """What is known of an item by its features; and, where there are none, whether the default list is there."""

    def answer(replies: list[Any]) -> ItemState:
        if given(replies[0]):
            return "published"
        return "empty" if given(replies[1]) is None else "missing"

    return Request([("HGETALL", keys.item_features(item_id)), ("GET", keys.default_list())], answer)


def titles(keys: Keys, item_ids: Sequence[str]) -> Request[dict[str, str]]:
    """The titles of items; items without one are left out, and those whose node is away."""

    def answer(replies: list[Any]) -> dict[str, str]:
        pairs = zip(item_ids, replies, strict=True)
        return {item_id: title.decode() for item_id, title in pairs if isinstance(title, bytes)}

    return Request([("HGET", keys.item_features(item_id), "title") for item_id in item_ids], answer)


def details(keys: Keys, item_ids: Sequence[str]) -> Request[dict[str, ItemDetails]]:
    """Title and categories of items; items without either are left out, and those whose node is away."""

    def answer(replies: list[Any]) -> dict[str, ItemDetails]:
        found = {}
        for item_id, title, categories in zip(item_ids, replies[::2], replies[1::2], strict=True):
            if isinstance(title, bytes) or isinstance(categories, bytes):
                text = title.decode() if isinstance(title, bytes) else None
                found[item_id] = ItemDetails(text, _texts(item_id, categories))
        return found

    asked = ("title", "categories")
    return Request([("HGET", keys.item_features(item_id), name) for item_id in item_ids for name in asked], answer)


def given(reply: Any) -> Any:
    """A reply that counts.

    Raises
    ------
    ServiceError
        If there is none.
    """
    if isinstance(reply, ServiceError):
        raise reply
    return reply


def _texts(item_id: str, stored: Any) -> tuple[str, ...]:
    if not isinstance(stored, bytes):
        return ()
    try:
        return tuple(orjson.loads(stored))
    except (orjson.JSONDecodeError, TypeError):
        raise StateError(
            f"The categories of item {item_id!r} are {stored[:80]!r}: no array. Send its catalogue entry again."
        ) from None
