"""Commands to Redis and their replies, for threads and for coroutines, on one server or on a cluster.

On one server the commands of a question go out in one write and come back in one read, over a connection of redis-py's
pool. In a cluster redis-py sends a pipeline to each node; should one of them be away, each command is asked by itself,
so that the others are answered. Every exchange ends within a stated time, in replies or in a `ServiceError`.
"""

import asyncio
import re
import threading
from collections.abc import Sequence
from typing import Any, Final, Protocol
from urllib.parse import unquote

import redis
import redis.asyncio
from redis.asyncio.cluster import ClusterNode as AsyncClusterNode
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ConstantBackoff
from redis.cluster import ClusterNode
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from freshet_client.errors import ServiceError, SettingsError
from freshet_client.requests import Command

PORT: Final = 6379
_CLUSTER: Final = re.compile(r"(rediss?)\+cluster://(?:([^/@:]*):([^/@]*)@)?([^/?@]+)/?0?")
# A broken connection is made anew once and the commands are sent again: all of ours only read. A timeout is not tried
# again: redis-py's own ten retries would hold the caller for half a minute.
_RETRIES: Final = 1
_BACKOFF_S: Final = 0.02


class Blocking(Protocol):
    """Commands in, replies out; a `ServiceError` in the place of those whose node is away."""

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """Send all. ServiceError: none was answered."""

    def close(self) -> None:
        """Close all connections."""


class Awaited(Protocol):
    """`Blocking`, to be awaited."""

    async def run(self, commands: Sequence[Command]) -> list[Any]:
        """Send all. ServiceError: none was answered."""

    async def close(self) -> None:
        """Close all connections."""


def for_threads(url: str, timeout_s: float) -> Blocking:
    """A client whose calls block, safe to share between threads; it connects when it is first asked.

    Raises
    ------
    SettingsError
        If the URL cannot be read.
    """
    return Cluster(url, timeout_s) if "+cluster" in url else Server(url, timeout_s)


def for_coroutines(url: str, timeout_s: float) -> Awaited:
    """A client for the coroutines of one event loop; it connects when it is first asked.

    Raises
    ------
    SettingsError
        If the URL cannot be read.
    """
    return AsyncCluster(url, timeout_s) if "+cluster" in url else AsyncServer(url, timeout_s)


class Server:
    """One server, for threads."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._said = Said(url, timeout_s)
        retry = Retry(ConstantBackoff(_BACKOFF_S), _RETRIES, (NoConnection,))
        try:
            self._client = redis.Redis.from_url(url, retry=retry, **_options(timeout_s))
        except (ValueError, TypeError):
            raise _bad_url(url) from None

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """Send all. ServiceError: not all were answered."""
        if not commands:
            return []
        try:
            try:
                return self._exchange(commands)
            except NoConnection:
                return self._exchange(commands)
        except (RedisError, OSError) as error:
            raise self._said.of(error) from error

    def _exchange(self, commands: Sequence[Command]) -> list[Any]:
        pool = self._client.connection_pool
        connection = pool.get_connection()
        is_read = False
        try:
            connection.send_packed_command(connection.pack_commands(commands))
            replies = [_received(connection) for _ in commands]
            is_read = True
        finally:
            if not is_read:
                connection.disconnect()  # the next caller would read the replies to these commands
            pool.release(connection)
        return _checked(replies)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


class AsyncServer:
    """One server, for coroutines."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._said = Said(url, timeout_s)
        self._deadline_s = 2 * timeout_s
        retry = AsyncRetry(ConstantBackoff(_BACKOFF_S), _RETRIES, (NoConnection,))
        try:
            self._client = redis.asyncio.Redis.from_url(url, retry=retry, **_options(timeout_s))
        except (ValueError, TypeError):
            raise _bad_url(url) from None

    async def run(self, commands: Sequence[Command]) -> list[Any]:
        """Send all. ServiceError: not all were answered."""
        if not commands:
            return []
        try:
            async with asyncio.timeout(self._deadline_s):
                try:
                    return await self._exchange(commands)
                except NoConnection:
                    return await self._exchange(commands)
        except (RedisError, OSError) as error:
            raise self._said.of(error) from error

    async def _exchange(self, commands: Sequence[Command]) -> list[Any]:
        pool = self._client.connection_pool
        connection = await pool.get_connection()
        is_read = False
        try:
            await connection.send_packed_command(connection.pack_commands(commands))
            replies = []
            for _ in commands:
                try:
                    replies.append(await connection.read_response())
                except ResponseError as refused:
                    replies.append(refused)
            is_read = True
        finally:
            if not is_read:
                await connection.disconnect(nowait=True)
            await pool.release(connection)
        return _checked(replies)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


class Cluster:
    """A Redis Cluster, for threads."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._said = Said(url, timeout_s)
        self._hosts, self._options = _cluster(url, timeout_s)
        self._lock = threading.Lock()
        self._client: redis.RedisCluster | None = None

    def _connected(self) -> redis.RedisCluster:
        with self._lock:
            if self._client is None:
                nodes = [ClusterNode(host, port) for host, port in self._hosts]
                retry = Retry(ConstantBackoff(_BACKOFF_S), _RETRIES)
                self._client = redis.RedisCluster(startup_nodes=nodes, retry=retry, **self._options)
            return self._client

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """Send all. ServiceError: none was answered."""
        if not commands:
            return []
        try:
            client = self._connected()
        except (RedisError, OSError) as error:
            raise self._said.of(error) from error
        pipeline = client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        try:
            replies = pipeline.execute(raise_on_error=False)
        except (RedisError, OSError):
            replies = [self._alone(client, command) for command in commands]
        return self._said.in_places(replies)

    def _alone(self, client: redis.RedisCluster, command: Command) -> Any:
        try:
            return client.execute_command(*command)
        except (RedisError, OSError) as error:
            return error

    def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            self._client.close()


class AsyncCluster:
    """A Redis Cluster, for coroutines."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._said = Said(url, timeout_s)
        hosts, options = _cluster(url, timeout_s)
        nodes = [AsyncClusterNode(host, port) for host, port in hosts]
        retry = AsyncRetry(ConstantBackoff(_BACKOFF_S), _RETRIES)
        self._client = redis.asyncio.RedisCluster(startup_nodes=nodes, retry=retry, **options)

    async def run(self, commands: Sequence[Command]) -> list[Any]:
        """Send all. ServiceError: none was answered."""
        if not commands:
            return []
        pipeline = self._client.pipeline()
        for command in commands:
            pipeline.execute_command(*command)
        try:
            replies = await pipeline.execute(raise_on_error=False)
        except (RedisError, OSError):
            replies = await asyncio.gather(*[self._alone(command) for command in commands])
        return self._said.in_places(replies)

    async def _alone(self, command: Command) -> Any:
        try:
            return await self._client.execute_command(*command)
        except (RedisError, OSError) as error:
            return error

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()
        for nodes in ("nodes_cache", "startup_nodes"):  # which it leaves open when its last command has failed
            await self._client.nodes_manager.aclose(nodes)


class Said:
    """What a failure of Redis means, in words."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._shown = masked(url)
        self._timeout_s = timeout_s

    def of(self, error: Exception) -> ServiceError:
        """One failure."""
        text = " ".join(str(error).split())[:300]
        if isinstance(error, TimeoutError | redis.exceptions.TimeoutError):
            return ServiceError(
                f"Redis at {self._shown} did not answer within {self._timeout_s:g} s. Try again; if this goes on, "
                "check the server's load and the network."
            )
        if isinstance(error, NoConnection | OSError) and not isinstance(error, ResponseError):
            return ServiceError(f"Redis at {self._shown} cannot be reached: {text}. Start it, or check the URL.")
        if text.startswith("WRONGTYPE"):
            text += ". Delete that key, or use another namespace"
        if text.startswith(("MOVED", "CROSSSLOT")):
            text += ". It is a node of a cluster: write redis+cluster:// in the URL"
        return ServiceError(f"Redis at {self._shown} refused a command: {text}.")

    def in_places(self, replies: Sequence[Any]) -> list[Any]:
        """Replies, a `ServiceError` in the places of those that failed.

        Raises
        ------
        ServiceError
            If all did.
        """
        found = [self.of(reply) if isinstance(reply, Exception) else reply for reply in replies]
        if all(isinstance(reply, ServiceError) for reply in found):
            raise found[0]
        return found


def masked(url: str) -> str:
    """The URL with `***` for its password, fit for messages and logs.

    Examples
    --------
    >>> masked("redis://reader:s3cret@cache:6379/0")
    'redis://reader:***@cache:6379/0'
    """
    url = re.sub(r"://([^:@/]*):.*@", r"://\1:***@", url, flags=re.DOTALL)
    return re.sub(r"([?&]password=)[^&]*", r"\1***", url)


def _received(connection: Any) -> Any:
    try:
        return connection.read_response()
    except ResponseError as refused:
        return refused


def _checked(replies: list[Any]) -> list[Any]:
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    return replies


def _options(timeout_s: float) -> dict[str, Any]:
    # RESP3 costs two more commands at connect, and gives us nothing.
    return {"protocol": 2, "socket_timeout": timeout_s, "socket_connect_timeout": timeout_s}


def _cluster(url: str, timeout_s: float) -> tuple[list[tuple[str, int]], dict[str, Any]]:
    """Some of a cluster's nodes, and what redis-py is to be told."""
    found = _CLUSTER.fullmatch(url)
    if found is None:
        raise _bad_url(url)
    scheme, username, password, hosts = found.groups()
    options: dict[str, Any] = {**_options(timeout_s), "ssl": scheme == "rediss"}
    if username:
        options["username"] = unquote(username)
    if password:
        options["password"] = unquote(password)
    try:
        parts = [host.rpartition(":") for host in hosts.split(",")]
        return [(host or port, int(port) if host else PORT) for host, _, port in parts], options
    except ValueError:
        raise _bad_url(url) from None


def _bad_url(url: str) -> SettingsError:
    return SettingsError(
        f"Redis URL {masked(url)!r} cannot be read. Use redis://[user:password@]host:port/db, rediss:// for TLS, "
        "unix:///path for a socket or redis+cluster://host:port,host:port for a cluster, with special characters in "
        "the password written as %XX, e.g. redis://localhost:6379/0."
    )
