"""The writer's side of the view in Redis."""

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from app.store import functions
from app.store.connect import AsyncConnection, Command, Value
from app.store.errors import FunctionsMissing
from app.store.hashes import WrittenHashes, whole
from models.errors import ServiceError
from tables.keys import Keys
from tables.list_json import version_of

FEATURES_TTL_S: Final = 30 * 24 * 3600
_KEYS_PER_PIPELINE: Final = 1000

T = TypeVar("T")


class PublishResult(NamedTuple):
    """How many lists were written, and how many refused because a newer one is stored."""

    written: int
    refused: int


class Store:
    """Writes lists, sorted sets and hashes to Redis, for coroutines of one event loop.

    Every method ends within `deadline_s` (a long job: within that for each 1,000 keys; the first failure ends it) and
    raises `ServiceError` on any failure of Redis. Nothing is lost then but the call: everything written is absolute,
    so the caller keeps what it wanted to write and comes back with it.

    Commands used, for the writer's ACL: `FUNCTION LOAD`, `FCALL`, `INFO`, `DEL`, and inside the functions `GET`,
    `GETRANGE`, `SET`, `ZADD`, `HGET`, `HSET`, `HDEL`, `EXPIRE`.

    Parameters
    ----------
    url
        `redis://[user:password@]host:port/db`, `rediss://` for TLS, `unix://` for a socket.
    keys
        The key names, in the namespace of this writer.
    lists_per_call
        Keys per function call, for lists, sorted sets and hashes alike. 1 on Redis Cluster, where a call may not
        touch keys of two slots.
    timeout_s, deadline_s
        Longest wait for a reply, and for a whole pipeline with its reconnect.
    max_remembered_hashes
        Hashes whose last content is kept, so that only changed fields are sent (some 5 KB each).
    """

    def __init__(
        self,
        url: str,
        *,
        keys: Keys | None = None,
        lists_per_call: int = 50,
        timeout_s: float = 1.0,
        deadline_s: float = 1.5,
        max_remembered_hashes: int = 10_000,
    ) -> None:
        self._redis = AsyncConnection(url, timeout_s=timeout_s, deadline_s=deadline_s)
        self._sentinel_key = (keys or Keys()).sentinel()
        self._lists_per_call = lists_per_call
        self._hashes = WrittenHashes(max_remembered_hashes)
        self._token = secrets.token_hex(8)
        self._sentinel = b""
        self._loaded = False
        self.emptied_ms = 0  # when the server was last found empty, by whoever looked first; Unix ms

    async def connect(self) -> None:
        """Load the server-side functions. The other methods do so themselves where it has not been done."""
        await self._redis.run([functions.load_library()])
        self._loaded = True

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
        for part in _parts(entries, _KEYS_PER_PIPELINE):
            replies = await self._run(
                [functions.publish_lists(call, ttl_s) for call in _parts(part, self._lists_per_call)]
            )
            written += sum(replies)
        return PublishResult(written, len(entries) - written)

    async def replace_sorted_sets(
        self, entries: Sequence[tuple[str, Mapping[str, float]]], ttl_s: int = FEATURES_TTL_S
    ) -> None:
        """Make each sorted set exactly its members (item_id -> score), at once; no members: the key goes.

        Raises
        ------
        ServiceError
            If Redis failed; each set is then as it was or as it should be.
        """
        for part in _parts(entries, _KEYS_PER_PIPELINE):
            await self._run([functions.replace_sorted_sets(call, ttl_s) for call in _parts(part, self._lists_per_call)])

    async def write_hashes(
        self, entries: Sequence[tuple[str, Mapping[str, Value]]], ttl_s: int = FEATURES_TTL_S
    ) -> None:
        """Make each hash exactly its fields, sending those that changed since the last write.

        Every hash has a field `updated_at_ms`. If the stored one is not the one written last from here (expired,
        emptied, written by another worker in between), the hash is sent whole. The time to live starts anew.

        Raises
        ------
        ServiceError
            If Redis failed; each hash is then as it was or as it should be.
        """
        for part in _parts(list(dict(entries).items()), _KEYS_PER_PIPELINE):
            try:
                stale = await self._change([self._hashes.change(*entry) for entry in part], ttl_s)
                fields = dict(part)
                await self._change([whole(key, fields[key]) for key in stale], ttl_s)
            except ServiceError:
                self._hashes.forget(key for key, _ in part)
                raise
            for entry in part:
                self._hashes.wrote(*entry)

    async def _change(self, changes: Sequence[functions.HashChange], ttl_s: int) -> list[str]:
        """Send the changes; return the keys whose change did not fit."""
        replies = await self._run(
            [functions.write_hashes(call, ttl_s) for call in _parts(changes, self._lists_per_call)]
        )
        applied = [flag for reply in replies for flag in reply]
        return [change.key for change, flag in zip(changes, applied, strict=True) if not flag]

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

        Raises
        ------
        ServiceError
            If Redis failed; ask again later.
        """
        async with self._redis.within_deadline():
            (server,) = await self._redis.run([("INFO", "server")])
            token = f"{self._token}-{secrets.token_hex(4)}-{int(time.time() * 1000)}"
            look = functions.look_at_sentinel(self._sentinel_key, server["run_id"], token)
            (sentinel,) = await self._run([look])
        set_by_us = sentinel.partition(b" ")[2].startswith(self._token.encode())
        lost = sentinel != self._sentinel and (set_by_us or self._sentinel != b"")
        self._sentinel = sentinel
        found_ms = sentinel.rpartition(b"-")[2]
        self.emptied_ms = int(found_ms) if found_ms.isdigit() else 0
        if lost:
            self._hashes.forget_all()
        return lost

    async def _run(self, commands: Sequence[Command]) -> list[Any]:
        """Run function calls, loading the functions where the server does not know them."""
        if not commands:
            return []
        async with self._redis.within_deadline():
            try:
                if not self._loaded:
                    await self.connect()
                return await self._redis.call(commands)
            except FunctionsMissing:
                self._hashes.forget_all()
                await self.connect()
                return await self._redis.call(commands)


def _parts(entries: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(entries), size):
        yield entries[start : start + size]
