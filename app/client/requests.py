"""What each question of a reader sends to Redis, and how it reads the replies: the reader's rules, free of I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from app.store.connect import Command
from models.errors import ServiceError, SettingsError
from tables.keys import Keys
from tables.list_json import RecommendationList, decode_list

T = TypeVar("T")

ItemState = Literal["published", "missing", "empty"]


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """Commands for one pipeline, and what turns their replies into the answer."""

    commands: list[Command]
    answer: Callable[[list[Any]], T]


def recs(keys: Keys, user_id: str, segment: str | None) -> Request[RecommendationList | None]:
    """The ladder: the user's list, else the segment's if one is known, else the default; the first that exists."""
    rungs = [keys.user_list(user_id)]
    if segment is not None:
        rungs.append(keys.segment_list(segment))
    rungs.append(keys.default_list())

    def answer(replies: list[Any]) -> RecommendationList | None:
        return next((decode_list(given(reply)) for reply in replies if reply is not None), None)

    return Request([("GET", _encoded(key)) for key in rungs], answer)


def best(key: str, k: int) -> Request[list[tuple[str, float]]]:
    """The k greatest members of a sorted set, by score, then id.

    The whole set is read (its writer bounds it, to 100 neighbours for instance): Redis breaks ties the other way
    round, so its own first k could be others.
    """
    if k < 1:
        raise SettingsError(f"k is {k}: at least one item must be asked for. Use e.g. 10.")

    def answer(replies: list[Any]) -> list[tuple[str, float]]:
        flat = replies[0]
        pairs = [(member.decode(), float(score)) for member, score in zip(flat[::2], flat[1::2], strict=True)]
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:k]

    return Request([("ZRANGE", _encoded(key), 0, -1, "WITHSCORES")], answer)


def fields(key: str) -> Request[dict[str, str]]:
    """All fields of a hash as text; empty if there is none."""

    def answer(replies: list[Any]) -> dict[str, str]:
        return {field.decode(): value.decode() for field, value in replies[0].items()}

    return Request([("HGETALL", _encoded(key))], answer)


def item_state(keys: Keys, item_id: str) -> Request[ItemState]:
    """What is known of an item by its features; and, where there are none, whether the default list is there.

    The default list goes out every second while the first partition has a worker, and lives for weeks: where it is
    missing, no worker has written here, or what they wrote is gone.
    """

    def answer(replies: list[Any]) -> ItemState:
        if given(replies[0]):
            return "published"
        return "empty" if given(replies[1]) is None else "missing"

    features, default = _encoded(keys.item_features(item_id)), _encoded(keys.default_list())
    return Request([("HGETALL", features), ("GET", default)], answer)


def titles(keys: Keys, item_ids: Sequence[str]) -> Request[dict[str, str]]:
    """The titles of items; items without one are left out, and those whose node is away."""

    def answer(replies: list[Any]) -> dict[str, str]:
        return {
            item_id: title.decode()
            for item_id, title in zip(item_ids, replies, strict=True)
            if isinstance(title, bytes)
        }

    return Request([("HGET", _encoded(keys.item_features(item_id)), "title") for item_id in item_ids], answer)


def given(reply: Any) -> Any:
    """A reply that counts.

    Raises
    ------
    ServiceError
        If there is none: the node of its key is away.
    """
    if isinstance(reply, ServiceError):
        raise reply
    return reply


def _encoded(key: str) -> bytes:
    # An id that is no UTF-8 (a lone surrogate out of JSON) makes a key that does not exist, not an exception.
    return key.encode("utf-8", "surrogatepass")
