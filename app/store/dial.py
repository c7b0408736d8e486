"""redis-py's clients for what `RedisAccess` says."""

from typing import Any

import redis
import redis.asyncio
from redis.asyncio.connection import Connection as AsyncPlain
from redis.asyncio.connection import ConnectionPool as AsyncPool
from redis.asyncio.connection import SSLConnection as AsyncTls
from redis.asyncio.connection import UnixDomainSocketConnection as AsyncSocket
from redis.asyncio.retry import Retry as AsyncRetry
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.asyncio.sentinel import SentinelManagedConnection as AsyncFollowing
from redis.asyncio.sentinel import SentinelManagedSSLConnection as AsyncFollowingTls
from redis.connection import Connection, ConnectionPool, SSLConnection, UnixDomainSocketConnection
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelManagedConnection, SentinelManagedSSLConnection

from app.store.access import RedisAccess


def blocking_client(access: RedisAccess, *, retry: Retry, timeout_s: float) -> redis.Redis:
    """A client of one server for threads."""
    options = {**_options(access, timeout_s), **access.login, **(access.tls or {}), "retry": retry}
    if access.mode == "sentinel":

        class Checked(SentinelManagedConnection):
            def connect_to(self, address: tuple[str, int]) -> None:
                access.check_host(address[0])
                super().connect_to(address)  # type: ignore[no-untyped-call]

        chosen = SentinelManagedSSLConnection if access.tls else Checked
        sentinels = Sentinel(access.hosts, sentinel_kwargs={**_of_sentinels(access, timeout_s), "retry": retry})
        client: redis.Redis = sentinels.master_for(access.master, connection_class=chosen, **options)
        return client
    pool = ConnectionPool(_kind(access, Connection, SSLConnection, UnixDomainSocketConnection), **options)
    return redis.Redis.from_pool(pool)


def async_client(access: RedisAccess, *, retry: AsyncRetry, timeout_s: float) -> redis.asyncio.Redis:
    """A client of one server for the coroutines of one event loop."""
    options = {**_options(access, timeout_s), **access.login, **(access.tls or {}), "retry": retry}
    if access.mode == "sentinel":

        class Checked(AsyncFollowing):
            async def connect_to(self, address: tuple[str, int]) -> None:
                access.check_host(address[0])
                await super().connect_to(address)  # type: ignore[no-untyped-call]

        chosen = AsyncFollowingTls if access.tls else Checked
        sentinels = AsyncSentinel(access.hosts, sentinel_kwargs={**_of_sentinels(access, timeout_s), "retry": retry})
        client: redis.asyncio.Redis = sentinels.master_for(access.master, connection_class=chosen, **options)
        return client
    pool = AsyncPool(_kind(access, AsyncPlain, AsyncTls, AsyncSocket), **options)
    return redis.asyncio.Redis.from_pool(pool)


def sentinels_of(client: redis.Redis | redis.asyncio.Redis) -> list[Any]:
    """The clients of the sentinels that a client follows, which are to be closed after it."""
    found: list[Any] = getattr(getattr(client.connection_pool, "sentinel_manager", None), "sentinels", [])
    return found


def _options(access: RedisAccess, timeout_s: float) -> dict[str, Any]:
    options: dict[str, Any] = {
        "protocol": 2,  # RESP3 costs two more commands at connect, and gives us nothing
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "db": access.db,
    }
    if access.socket:
        return {**options, "path": access.socket}
    if access.mode == "sentinel":
        return options
    host, port = access.hosts[0]
    return {**options, "host": host, "port": port}


def _of_sentinels(access: RedisAccess, timeout_s: float) -> dict[str, Any]:
    """Sentinels are asked one after the other: one that is away may not use up the time of the others."""
    share_s = timeout_s / (1 + len(access.hosts))
    tls = {} if access.tls is None else {"ssl": True, **access.tls}
    waits = {"socket_timeout": share_s, "socket_connect_timeout": share_s, "protocol": 2}
    return {**waits, **access.sentinel_login, **tls}


def _kind(access: RedisAccess, plain: type[Any], tls: type[Any], socket: type[Any]) -> type[Any]:
    if access.socket:
        return socket
    return plain if access.tls is None else tls
