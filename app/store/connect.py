"""Connections to Redis whose every call ends within a stated time, with its replies or with a `ServiceError`."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from app.store.errors import bad_url, explained

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
        Longest wait for connecting and for a reply.
    deadline_s
        Longest time for a whole pipeline, and for what is enclosed in `within_deadline`.
    """

    def __init__(self, url: str, *, timeout_s: float, deadline_s: float) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._deadline_s = deadline_s
        retry = AsyncRetry(ConstantBackoff(_BACKOFF_S), _RETRIES, (redis.exceptions.ConnectionError,))
        try:
            self._client = redis.asyncio.Redis.from_url(url, retry=retry, **_options(timeout_s))
        except ValueError:
            raise bad_url(url) from None

    @asynccontextmanager
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
        try:
            async with self.within_deadline(), self._client.pipeline(transaction=False) as pipeline:
                for command in commands:
                    pipeline.execute_command(*command)
                replies = await pipeline.execute(raise_on_error=False)
        except redis.exceptions.DataError:
            raise  # an argument of a wrong type: the caller's mistake, which no second try mends
        except (redis.exceptions.RedisError, OSError) as error:
            raise explained(error, self._url, self._timeout_s) from error
        return _checked(replies, self._url, self._timeout_s)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()
