"""The writer's side of the view in Redis."""

import asyncio
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from app.store import functions
from app.store.access import RedisAccess
from app.store.clients import for_functions
from app.store.cluster import AsyncCluster
from app.store.connect import Command, Value
from app.store.hashes import WrittenHashes, whole
from app.store.server import OneServer
from models.errors import ServiceError
from tables.keys import Keys
from tables.list_json import version_of

FEATURES_TTL_S: Final = 30 * 24 * 3600
_KEYS_PER_PIPELINE: Final = 1000

T = TypeVar("T")


class PublishResult(NamedTuple):
    """How many lists were written, how many refused because a newer one is stored, and keys whose node is away."""

    written: int
    refused: int
    away: tuple[str, ...] = ()


class Store:
    """Writes lists, sorted sets and hashes to Redis, for coroutines of one event loop.

    Every method ends within about `deadline_s` (a long job: within that for each 1,000 keys; the first failure ends
    it) and raises `ServiceError` when Redis takes nothing. Where nodes of a cluster are away and others are not, what
    belongs to these is written, and the keys of those are returned. Nothing is lost then but the call: everything
    written is absolute, so the caller keeps what it wanted to write and comes back with it.

    `app.store.acl` has the commands and keys that are used.

    Parameters
    ----------
    access
        How to reach Redis, or a URL: `app.store.access.redis_access`.
    keys
        The key names, in the namespace of this writer.
    lists_per_call
        Keys per function call, for lists, sorted sets and hashes alike. A cluster takes 1, whatever is said here: a
        call may not touch keys of two slots.
    timeout_s, deadline_s
        Longest wait for a reply, and for a whole pipeline with its reconnect.
    max_remembered_hashes
        Hashes whose last content is kept, so that only changed fields are sent (some 5 KB each).
    """

    def __init__(
        self,
        access: RedisAccess | str,
        *,
        keys: Keys | None = None,
        lists_per_call: int = 50,
        timeout_s: float = 1.0,
        deadline_s: float = 1.5,
        max_remembered_hashes: int = 10_000,
    ) -> None:
        self._hashes = WrittenHashes(max_remembered_hashes)
        self._sentinel_key = (keys or Keys()).sentinel()
        self._redis = for_functions(
            access,
            probe=self._sentinel_key,
            timeout_s=timeout_s,
            deadline_s=deadline_s,
            emptied=self._hashes.forget_all,
        )
        self._lists_per_call = 1 if isinstance(self._redis, AsyncCluster) else lists_per_call
        self._token = secrets.token_hex(8)
        self._sentinels: dict[str, bytes] = {}
        self.emptied_ms = 0  # when a server was last found empty, by whoever looked first; Unix ms

    @property
    def is_partial(self) -> bool:
        """Whether nodes of a cluster are away, and others are not."""
        return self._redis.is_partial

    @property
    def n_changes(self) -> int:
        """Grows whenever keys whose node was away are worth another try."""
        return self._redis.n_changes

    def takes(self, key: str) -> bool:
        """Whether a write of a key is worth trying: its node is not known to be away."""
        return self._redis.takes(key)

    async def connect(self) -> None:
        """Load the server-side functions. The other methods do so themselves where it has not been done."""
        await self._redis.connect()

    async def close(self) -> None:
        """Close all connections."""
        await self._redis.close()

    async def publish_lists(self, entries: Sequence[tuple[str, bytes]], ttl_s: int) -> PublishResult:
        """Write lists (key, bytes of `encode_list`); one that is older than the stored one is refused.

        Raises
        ------
        ServiceError
            If Redis failed; some lists may have been written, and all may be sent again.
        StateError
            If a payload has no version at its place.
        """
        for _, payload in entries:
            version_of(payload)
        written = 0
        away: list[str] = []
        for part in _parts(entries, _KEYS_PER_PIPELINE):
            calls = list(_parts(part, self._lists_per_call))
            replies = await self._call([functions.publish_lists(call, ttl_s) for call in calls])
            away += _keys_away(calls, replies)
            written += sum(reply for reply in replies if not isinstance(reply, ServiceError))
        return PublishResult(written, len(entries) - written - len(away), tuple(away))

    async def replace_sorted_sets(
        self, entries: Sequence[tuple[str, Mapping[str, float]]], ttl_s: int = FEATURES_TTL_S
    ) -> list[str]:
        """Make each sorted set exactly its members (item_id -> score), at once; no members: the key goes.

        Returns the keys whose node is away.

        Raises
        ------
        ServiceError
            If Redis failed; each set is then as it was or as it should be.
        """
        away: list[str] = []
        for part in _parts(entries, _KEYS_PER_PIPELINE):
            calls = list(_parts(part, self._lists_per_call))
            away += _keys_away(calls, await self._call([functions.replace_sorted_sets(call, ttl_s) for call in calls]))
        return away

    async def write_hashes(
        self, entries: Sequence[tuple[str, Mapping[str, Value]]], ttl_s: int = FEATURES_TTL_S
    ) -> list[str]:
        """Make each hash exactly its fields, sending those that changed since the last write.

        Every hash has a field `updated_at_ms`. If the stored one is not the one written last from here (expired,
        emptied, written by another worker in between), the hash is sent whole. The time to live starts anew.

        Returns the keys whose node is away.

        Raises
        ------
        ServiceError
            If Redis failed; each hash is then as it was or as it should be.
        """
        all_away: list[str] = []
        for part in _parts(list(dict(entries).items()), _KEYS_PER_PIPELINE):
            try:
                stale, away = await self._change([self._hashes.change(*entry) for entry in part], ttl_s)
                fields = dict(part)
                still_stale, gone_since = await self._change([whole(key, fields[key]) for key in stale], ttl_s)
            except ServiceError:
                self._hashes.forget(key for key, _ in part)
                raise
            for entry in part:
                self._hashes.wrote(*entry)
            away += still_stale + gone_since
            self._hashes.forget(away)
            all_away += away
        return all_away

    async def _change(self, changes: Sequence[functions.HashChange], ttl_s: int) -> tuple[list[str], list[str]]:
        """Send the changes; return the keys whose change did not fit, and those whose node is away."""
        calls = list(_parts(changes, self._lists_per_call))
        replies = await self._call([functions.write_hashes(call, ttl_s) for call in calls])
        stale: list[str] = []
        for call, reply in zip(calls, replies, strict=True):
            if not isinstance(reply, ServiceError):
                stale += [change.key for change, flag in zip(call, reply, strict=True) if not flag]
        return stale, _keys_away(calls, replies)

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove keys: a user who asked to be erased."""
        for part in _parts(keys, _KEYS_PER_PIPELINE):
            await self._redis.run([("DEL", key) for key in part])
        self._hashes.forget(keys)

    async def emptied(self) -> bool:
        """Whether the server may have lost data since the last call: True once for each loss that each store sees.

        That is so if the sentinel is missing (restarted empty, flushed; also the very first start), was set before
        the server's last start (it came back with an older snapshot), or was set anew since the last call: by another
        worker, or by a look of this store whose reply was lost. The functions are loaded again where they are gone.
        The caller then publishes all lists again.

        In a cluster each node has a sentinel, in its lowest slot; one loss is enough, and nodes that are away are asked
        when they are back. Slots that were given to another node may look like a loss.

        Raises
        ------
        ServiceError
            If no server answers; ask again later.
        """
        places = await self._redis.places(self._sentinel_key)
        if len(places) == 1:
            looks: list[bytes | BaseException] = [await self._look(*places[0])]
        else:
            looks = await asyncio.gather(*[self._look(*place) for place in places], return_exceptions=True)
        lost = False
        for (key, _), sentinel in zip(places, looks, strict=True):
            if isinstance(sentinel, ServiceError):
                continue
            if isinstance(sentinel, BaseException):
                raise sentinel
            lost |= self._found(key, sentinel)
        if all(isinstance(sentinel, ServiceError) for sentinel in looks):
            raise next(sentinel for sentinel in looks if isinstance(sentinel, ServiceError))
        if lost:
            self._hashes.forget_all()
        return lost

    async def _look(self, key: str, server: OneServer) -> bytes:
        """The sentinel of one server."""
        async with server.within_deadline():
            (info,) = await server.run([("INFO", "server")])
            token = f"{self._token}-{secrets.token_hex(4)}-{int(time.time() * 1000)}"
            (sentinel,) = await server.call([functions.look_at_sentinel(key, info["run_id"], token)])
        assert isinstance(sentinel, bytes)
        return sentinel

    def _found(self, key: str, sentinel: bytes) -> bool:
        """Whether a sentinel says that its server has lost data since the last look at it."""
        before = self._sentinels.get(key, b"")
        set_by_us = sentinel.partition(b" ")[2].startswith(self._token.encode())
        self._sentinels[key] = sentinel
        self.emptied_ms = max(map(_found_ms, self._sentinels.values()))
        return sentinel != before and (set_by_us or before != b"")

    async def _call(self, commands: Sequence[Command]) -> list[Any]:
        return await self._redis.call(commands) if commands else []


def _found_ms(sentinel: bytes) -> int:
    """When a sentinel was set."""
    said = sentinel.rpartition(b"-")[2]
    return int(said) if said.isdigit() else 0


def _keys_away(calls: Sequence[Sequence[tuple[Any, ...]]], replies: Sequence[Any]) -> list[str]:
    """The keys, each the first of its entry, of calls whose node is away."""
    failed = [call for call, reply in zip(calls, replies, strict=True) if isinstance(reply, ServiceError)]
    return [entry[0] for call in failed for entry in call]


def _parts(entries: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(entries), size):
        yield entries[start : start + size]
