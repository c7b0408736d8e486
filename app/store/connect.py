"""Connections to Redis whose every call ends within a stated time, with its replies or with a `ServiceError`.

A server that turns out to be a replica was a primary when it was connected to. Its connections are closed, so that the
next call goes where the URL's name leads by then.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final

import redis.asyncio
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from app.store.errors import bad_url, explained, is_a_replicas

Value = str | bytes | int | float
Command = tuple[Value, ...]

# A broken connection is made anew once and the commands are sent again: all of ours are idempotent. A timeout is not
# retried here (redis-py's default of 10 retries at 5 s would hold the caller for a minute); the caller comes back.
_RETRIES: Final = 1
_BACKOFF_S: Final = 0.02


def _options(timeout_s: float) -> dict[str, Any]:
    return {
        "protocol": 2,  # RESP3 costs two more commands at connect, and gives us nothing
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
    }


def _checked(replies: list[Any], url: str, timeout_s: float) -> list[Any]:
    for reply in replies:
        if isinstance(reply, Exception):
            raise explained(reply, url, timeout_s) from reply
    return replies


class Connection:
    """A blocking connection (thread-safe: every call takes one from a pool).

    Parameters
    ----------
    timeout_s
        Longest wait for connecting and for a reply.
    """

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self._url = url
        self._timeout_s = timeout_s
        retry = Retry(ConstantBackoff(_BACKOFF_S), _RETRIES, (redis.exceptions.ConnectionError,))
        try:
            self._client = redis.Redis.from_url(url, retry=retry, **_options(timeout_s))
        except ValueError:
            raise bad_url(url) from None

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """Send all commands in one pipeline; one reply each, in order.

        Raises
        ------
        ServiceError
            If the server cannot be reached, does not answer in time, or answers one of them with an error.
        """
        try:
            with self._client.pipeline(transaction=False) as pipeline:
                for command in commands:
                    pipeline.pipeline_execute_command(*command)
                replies = pipeline.execute(raise_on_error=False)
            if any(map(is_a_replicas, replies)):
                self._client.connection_pool.disconnect(inuse_connections=False)
        except redis.exceptions.DataError:
            raise  # an argument of a wrong type: the caller's mistake, which no second try mends
        except (redis.exceptions.RedisError, OSError) as error:
            raise explained(error, self._url, self._timeout_s) from error
        return _checked(replies, self._url, self._timeout_s)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


class AsyncConnection:
    """A connection for coroutines of one event loop.

    Parameters
    ----------
    timeout_s
        Longest wait for connecting and for a reply; `call` waits for its replies until the deadline.
    deadline_s
        Longest time for a whole pipeline, and for what is enclosed in `within_deadline`.
    """

    def __init__(self, url: str, *, timeout_s: float, deadline_s: float) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._deadline_s = deadline_s
        self._idle: list[AbstractConnection] = []
        retry = AsyncRetry(ConstantBackoff(_BACKOFF_S), _RETRIES, (redis.exceptions.ConnectionError,))
        try:
            self._client = redis.asyncio.Redis.from_url(url, retry=retry, **_options(timeout_s))
        except ValueError:
            raise bad_url(url) from None

    @contextlib.asynccontextmanager
    async def within_deadline(self) -> AsyncIterator[None]:
        """Let several calls share one deadline; past it, the call under way ends with a `ServiceError`."""
        try:
            async with asyncio.timeout(self._deadline_s):
                yield
        except TimeoutError as error:
            raise explained(error, self._url, self._deadline_s) from error

    async def run(self, commands: Sequence[Command]) -> list[Any]:
        """Send all commands in one pipeline; one reply each, in order.

        Raises
        ------
        ServiceError
            If the server cannot be reached, does not answer in time, or answers one of them with an error.
        """
        return await self._answered(self._by_client, commands)

    async def call(self, commands: Sequence[Command]) -> list[Any]:
        """`run` for those who send all the time: replies are as they came (a hash is a list).

        redis-py's client takes several turns of the event loop and a task or two for a pipeline; here it is one turn to
        send and one to receive. Protocol, TLS and login are still redis-py's.

        Raises
        ------
        ServiceError
            As for `run`.
        """
        return await self._answered(self._by_connection, commands)

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
            raise explained(error, self._url, self._timeout_s) from error
        return _checked(replies, self._url, self._timeout_s)

    async def _by_client(self, commands: Sequence[Command]) -> list[Any]:
        async with self._client.pipeline(transaction=False) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)
            replies: list[Any] = await pipeline.execute(raise_on_error=False)
        return replies

    async def _by_connection(self, commands: Sequence[Command]) -> list[Any]:
        try:
            return await self._exchange(commands)
        except redis.exceptions.ConnectionError:
            await asyncio.sleep(_BACKOFF_S)
            return await self._exchange(commands)

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
