"""Connections to one Redis server whose every call ends within a stated time, with its replies or a `ServiceError`.

The server is named by its address, or by sentinels who know where the primary is. One that turns out to be a replica
was a primary when it was connected to. Its connections are closed, so that the next call goes where its name leads by
then.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Any, Final

import redis.asyncio
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ConstantBackoff
from redis.connection import Connection as PyConnection
from redis.retry import Retry

from app.store.access import RedisAccess, redis_access
from app.store.dial import async_client, blocking_client, sentinels_of
from app.store.errors import explained, is_a_replicas
from models.errors import ServiceError

Value = str | bytes | int | float
Command = tuple[Value, ...]

# A broken connection is made anew once and the commands are sent again: all of ours are idempotent. A timeout is not
# retried here (redis-py's default of 10 retries at 5 s would hold the caller for a minute); the caller comes back.
_RETRIES: Final = 1
_BACKOFF_S: Final = 0.02
# Until sentinels have a new primary everything fails at once: that is tried again until the deadline.
_FAILOVER_POLL_S: Final = 0.1


class Connection:
    """A blocking connection (thread-safe: every call takes one from a pool).

    Parameters
    ----------
    access
        Which server, or a URL of one.
    timeout_s
        Longest wait for connecting and for a reply.
    """

    def __init__(self, access: RedisAccess | str, *, timeout_s: float) -> None:
        self._access = access = redis_access(access) if isinstance(access, str) else access
        self.shown = access.shown
        self._timeout_s = timeout_s
        retry = Retry(ConstantBackoff(_BACKOFF_S), _RETRIES, (redis.exceptions.ConnectionError,))
        self._client = blocking_client(access, retry=retry, timeout_s=timeout_s)

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """Send all commands in one pipeline; one reply each, in order.

        Raises
        ------
        ServiceError
            If the server cannot be reached, does not answer in time, or answers one of them with an error.
        """
        with self._explaining():
            replies = self._replies(commands)
            if any(map(is_a_replicas, replies)):
                self._client.connection_pool.disconnect(inuse_connections=False)
        return _checked(replies, self._access, self._timeout_s)

    run_each = run

    def begin(self, commands: Sequence[Command]) -> Callable[[], list[Any]]:
        """Send all commands; what is returned reads the replies, with redis-py's exceptions for those refused.

        Raises
        ------
        ServiceError
            If the server cannot be reached; the call of what is returned as well, also if it does not answer in time.
        """
        with self._explaining():
            connection = self._client.connection_pool.get_connection()
            try:
                connection.send_packed_command(connection.pack_commands(commands))
            except BaseException:
                self._give_back(connection, broken=True)
                raise

        def replies() -> list[Any]:
            found: list[Any] = []
            broken = True
            with self._explaining():
                try:
                    for command in commands:
                        try:
                            found.append(self._client.parse_response(connection, command[0]))
                        except redis.exceptions.ResponseError as refused:
                            found.append(refused)
                    broken = False
                finally:
                    self._give_back(connection, broken=broken or any(map(is_a_replicas, found)))
            return found

        return replies

    def explained(self, error: Exception) -> ServiceError:
        """What went wrong at this server, in words."""
        return explained(error, self.shown, self._timeout_s, self._access.secrets)

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except redis.exceptions.DataError:
            raise  # an argument of a wrong type: the caller's mistake, which no second try mends
        except (redis.exceptions.RedisError, OSError) as error:
            raise self.explained(error) from error

    def _give_back(self, connection: PyConnection, *, broken: bool) -> None:
        if broken:
            connection.disconnect()
        self._client.connection_pool.release(connection)

    def _replies(self, commands: Sequence[Command]) -> list[Any]:
        deadline = time.monotonic() + self._timeout_s
        while True:
            try:
                with self._client.pipeline(transaction=False) as pipeline:
                    for command in commands:
                        pipeline.pipeline_execute_command(*command)
                    return list(pipeline.execute(raise_on_error=False))
            except redis.exceptions.ConnectionError:
                if self._access.mode != "sentinel" or time.monotonic() + _FAILOVER_POLL_S > deadline:
                    raise
            time.sleep(_FAILOVER_POLL_S)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()
        for sentinel in sentinels_of(self._client):
            sentinel.close()


class AsyncConnection:
    """A connection for coroutines of one event loop.

    Parameters
    ----------
    access
        Which server, or a URL of one.
    timeout_s
        Longest wait for connecting and for a reply; `call` waits for its replies until the deadline.
    deadline_s
        Longest time for a whole pipeline, and for what is enclosed in `within_deadline`.
    """

    def __init__(self, access: RedisAccess | str, *, timeout_s: float, deadline_s: float) -> None:
        self._access = access = redis_access(access) if isinstance(access, str) else access
        self.shown = access.shown
        self._timeout_s = timeout_s
        self._deadline_s = deadline_s
        self._idle: list[AbstractConnection] = []
        retry = AsyncRetry(ConstantBackoff(_BACKOFF_S), _RETRIES, (redis.exceptions.ConnectionError,))
        self._client = async_client(access, retry=retry, timeout_s=timeout_s)

    @contextlib.asynccontextmanager
    async def within_deadline(self) -> AsyncIterator[None]:
        """Let several calls share one deadline; past it, the call under way ends with a `ServiceError`."""
        try:
            async with asyncio.timeout(self._deadline_s):
                yield
        except TimeoutError as error:
            raise explained(error, self._access.shown, self._deadline_s) from error

    async def run(self, commands: Sequence[Command]) -> list[Any]:
        """Send all commands in one pipeline; one reply each, in order.

        Raises
        ------
        ServiceError
            If the server cannot be reached, does not answer in time, or answers one of them with an error.
        """
        return _checked(await self._answered(self._by_client, commands), self._access, self._timeout_s)

    run_each = run

    async def call(self, commands: Sequence[Command]) -> list[Any]:
        """`run` for those who send all the time: replies are as they came (a hash is a list).

        redis-py's client takes several turns of the event loop and a task or two for a pipeline; here it is one turn to
        send and one to receive. Protocol, TLS and login are still redis-py's.

        Raises
        ------
        ServiceError
            As for `run`.
        """
        return _checked(await self._answered(self._by_connection, commands), self._access, self._timeout_s)

    async def call_each(self, commands: Sequence[Command]) -> list[Any]:
        """`call`, with the exceptions of redis-py in the places of commands that were answered with an error.

        Raises
        ------
        ServiceError
            If the server cannot be reached, or does not answer in time.
        """
        return await self._answered(self._by_connection, commands)

    async def run_raw(self, commands: Sequence[Command]) -> list[Any]:
        """`run`, with the exceptions of redis-py in the places of commands that were answered with an error.

        Raises
        ------
        ServiceError
            If the server cannot be reached, or does not answer in time.
        """
        return await self._answered(self._by_client, commands)

    async def servers(self) -> Sequence["AsyncConnection"]:
        """Every server that holds keys: this one."""
        return [self]

    async def _answered(
        self, send: Callable[[Sequence[Command]], Awaitable[list[Any]]], commands: Sequence[Command]
    ) -> list[Any]:
        try:
            async with self.within_deadline():
                replies = await send(commands)
                if any(map(is_a_replicas, replies)):
                    await self._disconnect(nowait=True)
                    await self._client.connection_pool.disconnect(inuse_connections=False)
        except redis.exceptions.DataError:
            raise  # an argument of a wrong type: the caller's mistake, which no second try mends
        except (redis.exceptions.RedisError, OSError) as error:
            raise explained(error, self._access.shown, self._timeout_s, self._access.secrets) from error
        return replies

    async def _by_client(self, commands: Sequence[Command]) -> list[Any]:
        async def replies() -> list[Any]:
            async with self._client.pipeline(transaction=False) as pipeline:
                for command in commands:
                    pipeline.execute_command(*command)
                return list(await pipeline.execute(raise_on_error=False))

        return await (self._until_promoted(replies) if self._access.mode == "sentinel" else replies())

    async def _by_connection(self, commands: Sequence[Command]) -> list[Any]:
        if self._access.mode == "sentinel":
            return await self._until_promoted(lambda: self._exchange(commands))
        try:
            return await self._exchange(commands)
        except redis.exceptions.ConnectionError:
            await asyncio.sleep(_BACKOFF_S)
            return await self._exchange(commands)

    async def _until_promoted(self, send: Callable[[], Awaitable[list[Any]]]) -> list[Any]:
        """Send again and again while no primary can be reached; the last failure is raised just before the deadline."""
        deadline = time.monotonic() + self._deadline_s - 2 * _FAILOVER_POLL_S
        while True:
            try:
                return await send()
            except redis.exceptions.ConnectionError:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(_FAILOVER_POLL_S)

    async def _exchange(self, commands: Sequence[Command]) -> list[Any]:
        connection = self._idle.pop() if self._idle else self._client.connection_pool.make_connection()
        connection.socket_timeout = None  # the deadline stands for it: a timeout costs a task for every send
        replies: list[Any] = []
        transport: asyncio.WriteTransport | None = None
        try:
            await connection.connect()
            transport = getattr(getattr(connection, "_writer", None), "transport", None)
            await connection.send_packed_command(connection.pack_commands(commands))
            for _ in commands:
                try:
                    replies.append(await connection.read_response())
                except redis.exceptions.ResponseError as refused:
                    replies.append(refused)
        except BaseException:
            if transport is not None:
                transport.abort()  # or it goes on sending what a paused server has not read
            self._idle.append(connection)  # the next call would read the replies to this one; others are no younger
            await self._disconnect(nowait=True)
            raise
        self._idle.append(connection)
        return replies

    async def _disconnect(self, *, nowait: bool) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            with contextlib.suppress(redis.exceptions.RedisError):  # a server that does not say goodbye in time
                await connection.disconnect(nowait=nowait)

    async def close(self) -> None:
        """Close all connections."""
        await self._disconnect(nowait=False)
        await self._client.aclose()
        for sentinel in sentinels_of(self._client):
            await sentinel.aclose()


def _checked(replies: list[Any], access: RedisAccess, timeout_s: float) -> list[Any]:
    for reply in replies:
        if isinstance(reply, Exception):
            raise explained(reply, access.shown, timeout_s, access.secrets) from reply
    return replies
