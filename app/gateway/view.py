"""What the gateway reads from Redis: the ladder of lists, and what belongs to the items in them."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

import orjson

from app.client import requests
from app.client.requests import Request, given
from app.settings import Settings
from app.store.clients import for_coroutines
from app.store.connect import AsyncConnection, Command
from models.errors import ServiceError, StateError
from tables.keys import Keys
from tables.list_json import FORMAT, decode_list

TIMEOUT_S: Final = 0.5
USER, SEGMENT, DEFAULT = "user", "segment", "default"

T = TypeVar("T")


class Redis(Protocol):
    """Commands in, replies out; a `ServiceError` in the place of those whose node is away."""

    async def run_each(self, commands: Sequence[Command]) -> list[Any]:
        """Send all in one pipeline. ServiceError: none was answered."""

    async def close(self) -> None:
        """Close all connections."""


class Watch(Protocol):
    """Is told what reads come to."""

    def failed(self) -> None:
        """Redis, or the node of what was asked for, did not answer."""

    def found(self, rung: str | None) -> None:
        """A list stood on a rung of the ladder; None: there was none."""


class Unwatched:
    """A watch that takes note of nothing."""

    def failed(self) -> None:
        """Nothing."""

    def found(self, rung: str | None) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class FoundList:
    """A list, the rung of the ladder that it stood on, and its fields as they are stored."""

    rung: str
    stored: dict[str, Any]

    @property
    def place(self) -> tuple[int, int]:
        """Partition and offset of the event that it was made from."""
        source = self.stored["source"]
        return source["partition"], source["offset"]

    def items(self, limit: int | None, exclude: Collection[str]) -> list[dict[str, Any]]:
        """Its first items but for some."""
        items: list[dict[str, Any]] = self.stored["items"]
        return [item for item in items if item["id"] not in exclude][:limit] if exclude else items[:limit]


class View:
    """Reads what the workers have published, by the rules of `app.client`."""

    def __init__(self, redis: Redis, keys: Keys, watch: Watch | None = None) -> None:
        self._redis = redis
        self._keys = keys
        self._watch = watch or Unwatched()

    async def ask(self, request: Request[T]) -> T:
        """One of the reader's own questions."""
        try:
            return request.answer(await self._redis.run_each(request.commands))
        except ServiceError:
            self._watch.failed()
            raise

    async def fetch(self, commands: Sequence[Command]) -> list[Any]:
        """Replies to commands that are answered with plain bytes."""
        try:
            if isinstance(self._redis, AsyncConnection):  # fewer turns of the event loop
                return await self._redis.call(commands)
            return await self._redis.run_each(commands)
        except ServiceError:
            self._watch.failed()
            raise

    async def ladder(self, user_id: str, segment: str | None) -> FoundList | None:
        """The user's list, else the segment's if one is named, else the default one; None if there is none."""
        replies = await self.fetch(requests.recs(self._keys, user_id, segment).commands)
        return self._told(_rungs(segment), replies)

    def _told(self, rungs: Sequence[str], replies: Sequence[Any]) -> FoundList | None:
        """The first list among the replies; the watch is told of it, or that a node is away."""
        try:
            found = _first(rungs, replies)
        except ServiceError:
            self._watch.failed()
            raise
        self._watch.found(None if found is None else found.rung)
        return found

    async def own_list(self, user_id: str) -> FoundList | None:
        """The user's own list."""
        return _first((USER,), await self.fetch(requests.recs(self._keys, user_id, None).commands[:1]))

    async def ladders(self, user_ids: Sequence[str], segment: str | None) -> list[FoundList | ServiceError | None]:
        """The ladder of each of several users, in one pipeline; a `ServiceError` for those whose node is away."""
        common = requests.recs(self._keys, "", segment).commands[1:]
        own = [requests.recs(self._keys, user_id, None).commands[0] for user_id in user_ids]
        replies = await self.fetch([*own, *common])
        rest, rungs = replies[len(own) :], _rungs(segment)
        found: list[FoundList | ServiceError | None] = []
        for reply in replies[: len(own)]:
            try:
                found.append(self._told(rungs, [reply, *rest]))
            except ServiceError as error:
                found.append(error)
        return found

    async def details(self, item_ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Titles and categories of items, whichever are asked for; what an item lacks is left out."""
        ids = list(dict.fromkeys(item_ids))
        replies = await self.fetch(
            [
                ("HGET", self._keys.item_features(each).encode("utf-8", "surrogatepass"), name)
                for each in ids
                for name in fields
            ]
        )
        found: dict[str, dict[str, Any]] = {each: {} for each in ids}
        for number, reply in enumerate(replies):
            if isinstance(reply, bytes):
                name = fields[number % len(fields)]
                found[ids[number // len(fields)]][name] = orjson.loads(reply) if name != "title" else reply.decode()
        return found

    async def features(self, user_id: str) -> dict[str, Any]:
        """A user's features as numbers; empty for one not seen."""
        found = await self.ask(requests.fields(self._keys.user_features(user_id)))
        return {name: orjson.loads(text) for name, text in found.items()}

    async def answers(self) -> None:
        """Return if Redis does; a `ServiceError` says why not."""
        given((await self.fetch([("GET", self._keys.default_list().encode())]))[0])

    async def close(self) -> None:
        """Close all connections."""
        await self._redis.close()


def open_view(settings: Settings, watch: Watch | None = None) -> View:
    """The view at the Redis of the settings; no connection is made yet."""
    probe = settings.keys.default_list()
    redis = for_coroutines(settings.redis, probe=probe, timeout_s=TIMEOUT_S, deadline_s=2 * TIMEOUT_S)
    return View(redis, settings.keys, watch)


def _rungs(segment: str | None) -> tuple[str, ...]:
    return (USER, DEFAULT) if segment is None else (USER, SEGMENT, DEFAULT)


def _first(rungs: Sequence[str], replies: Sequence[Any]) -> FoundList | None:
    for rung, reply in zip(rungs, replies, strict=True):
        if reply is not None:
            return FoundList(rung, _stored(given(reply)))
    return None


def _stored(payload: bytes) -> dict[str, Any]:
    """A list's fields.

    Raises
    ------
    StateError
        If it is none, or of a format of later releases.
    """
    try:
        stored = orjson.loads(payload)
    except orjson.JSONDecodeError:
        stored = None
    if isinstance(stored, dict) and stored.get("v") == FORMAT:
        return stored
    decode_list(payload)  # says what is wrong
    raise StateError(f"No recommendation list: {payload[:80]!r}.")


def etag_of(*parts: object) -> str:
    """A weak entity tag: the same as long as what is recommended is the same."""
    return f'W/"{hashlib.blake2b(orjson.dumps(parts), digest_size=12).hexdigest()}"'


def matches(if_none_match: str | None, etag: str) -> bool:
    """Whether an If-None-Match header names the tag, or any."""
    if if_none_match is None:
        return False
    known = [tag.strip() for tag in if_none_match.split(",")]
    return "*" in known or etag.removeprefix("W/") in [tag.removeprefix("W/") for tag in known]
