"""The body of a request: bounded in length, and in how long it may take to come."""

import asyncio
import time
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from app.gateway.problems import Problem

DISCARDED_BYTES: Final = 32_000_000
"""So much of a body that is too long is taken all the same: a client that still sends would not see the answer."""


class Body:
    """Stands before the server's `receive`.

    Parameters
    ----------
    max_bytes
        Longest body.
    within_s
        How long it may take to come, all in all.
    """

    def __init__(self, receive: Receive, max_bytes: int, within_s: float) -> None:
        self._receive = receive
        self._max_bytes = max_bytes
        self._within_s = within_s
        self._n_bytes = 0
        self._deadline_s: float | None = None
        self._is_whole = False

    async def check(self, headers: Headers) -> None:
        """Refuse a body that says to be too long.

        Raises
        ------
        Problem
            If it does.
        """
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._max_bytes:
            if headers.get("expect", "").lower() != "100-continue":
                await self._discard()
            raise self._too_long()

    async def receive(self) -> Message:
        """The next message of the server.

        Raises
        ------
        Problem
            If the body is too long, or too slow.
        """
        if self._is_whole:
            return await self._receive()
        message = await self._next()
        if self._n_bytes > self._max_bytes:
            await self._discard()
            raise self._too_long()
        return message

    async def _next(self) -> Message:
        if self._deadline_s is None:
            self._deadline_s = time.monotonic() + self._within_s
        try:
            async with asyncio.timeout(self._deadline_s - time.monotonic()):
                message = await self._receive()
        except TimeoutError:
            why = f"The body was not here within {self._within_s:g} s."
            raise Problem(408, "too_slow", why, {"Connection": "close"}) from None
        self._n_bytes += len(message.get("body", b""))
        self._is_whole = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def _discard(self) -> None:
        while not self._is_whole and self._n_bytes <= DISCARDED_BYTES:
            await self._next()

    def _too_long(self) -> Problem:
        why = f"The body has more than {self._max_bytes} bytes (FRESHET_GATEWAY_MAX_BODY_BYTES). Send less at a time."
        return Problem(413, "too_large", why, {"Connection": "close"})
