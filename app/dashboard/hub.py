"""Keeps open pages up to date: what one tick draws is drawn once, and a browser gets what has changed."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Final

import orjson

from app.dashboard.poller import Ticks

PING_S: Final = 10.0
LEAST_S: Final = 0.2
KEPT: Final = 200

Parts = Mapping[str, str]
"""The parts of a page by name, as HTML."""

Draw = Callable[[], Awaitable[Parts]]


class Hub:
    """Draws for all who look.

    Parameters
    ----------
    max_pages
        Pages kept up to date at once.

    Attributes
    ----------
    n_open
        Pages kept up to date now.
    """

    def __init__(self, ticks: Ticks, max_pages: int) -> None:
        self.n_open = 0
        self._ticks = ticks
        self._max_pages = max_pages
        self._drawn: dict[str, tuple[int, asyncio.Task[Parts]]] = {}

    @property
    def is_full(self) -> bool:
        """Whether no further page can be kept up to date."""
        return self.n_open >= self._max_pages or self._ticks.closed

    async def draw(self, key: str, draw: Draw, *, lively: bool) -> Parts:
        """The parts of a page as of this tick, drawn by whoever asks first.

        Parameters
        ----------
        key
            Names the page and all that shapes it.
        lively
            Whether it shows events as they come, and not as of the clock's last tick.
        """
        now = self._ticks.n_events if lively else self._ticks.n
        known = self._drawn.get(key)
        if known is None or known[0] != now or known[1].cancelled():
            if len(self._drawn) >= KEPT:
                self._drawn.clear()
            known = self._drawn[key] = (now, asyncio.ensure_future(draw()))
        return await asyncio.shield(known[1])

    async def changes(self, key: str, draw: Draw, *, lively: bool) -> AsyncGenerator[bytes, None]:
        """Server-sent events `parts`: the names of all, in order, and the HTML of those that have changed."""
        self.n_open += 1
        try:
            sent: dict[str, str] = {}
            spoke_s = time.monotonic()
            while not self._ticks.closed:
                parts = await self.draw(key, draw, lively=lively)
                changed = {name: html for name, html in parts.items() if sent.get(name) != html}
                if changed or sent.keys() != parts.keys():
                    sent = dict(parts)
                    yield b"event: parts\ndata: " + orjson.dumps({"names": list(parts), "changed": changed}) + b"\n\n"
                    spoke_s = time.monotonic()
                elif time.monotonic() - spoke_s >= PING_S:
                    yield b": still here\n\n"
                    spoke_s = time.monotonic()
                await self._ticks.wait(PING_S, lively=lively)
                if lively:
                    await asyncio.sleep(LEAST_S)
        finally:
            self.n_open -= 1
