"""Waking a coroutine, with a time limit, in one turn of the event loop."""

import asyncio


class Bell:
    """Rung by many, heard by the one that listens; what rings while nobody does is not heard.

    `asyncio.wait_for` makes a task of what it waits for, and takes three turns of the event loop to come back.
    """

    def __init__(self) -> None:
        self._listener: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """Wake who listens; to be called in the listener's event loop."""
        if self._listener is not None and not self._listener.done():
            self._listener.set_result(None)

    async def heard(self, within_s: float) -> None:
        """Return when it is rung, or after a while."""
        loop = asyncio.get_running_loop()
        self._listener = loop.create_future()
        timer = loop.call_later(within_s, self.ring)
        try:
            await self._listener
        finally:
            timer.cancel()
            self._listener = None
