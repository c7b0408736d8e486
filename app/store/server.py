"""One Redis server with our functions on it."""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from app.store import functions
from app.store.connect import AsyncConnection, Command
from app.store.errors import FunctionsMissing, is_missing_function

Place = tuple[str, "OneServer"]


class OneServer:
    """Runs function calls, loading the functions where the server does not know them.

    Parameters
    ----------
    emptied
        Called when a server that had the functions has lost them.
    """

    is_partial = False  # a server that is away is away as a whole
    n_changes = 0

    def __init__(self, connection: AsyncConnection, emptied: Callable[[], None]) -> None:
        self.connection = connection
        self._emptied = emptied
        self._loaded = False

    async def connect(self) -> None:
        """Load the functions."""
        await self.connection.run(functions.load_libraries())
        self._loaded = True

    async def run(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands that need no function."""
        return await self.connection.run(commands)

    async def call(self, commands: Sequence[Command]) -> list[Any]:
        """Send function calls; replies are as they came."""
        async with self.connection.within_deadline():
            try:
                if not self._loaded:
                    await self.connect()
                return await self.connection.call(commands)
            except FunctionsMissing:
                self._emptied()
                await self.connect()
                return await self.connection.call(commands)

    async def call_each(self, commands: Sequence[Command]) -> list[Any]:
        """`call`, with redis-py's exceptions in the places of the calls that were refused."""
        async with self.connection.within_deadline():
            if not self._loaded:
                await self.connect()
            replies = await self.connection.call_each(commands)
            if any(map(is_missing_function, replies)):
                self._emptied()
                await self.connect()
                replies = await self.connection.call_each(commands)
            return replies

    @contextlib.asynccontextmanager
    async def within_deadline(self) -> AsyncIterator[None]:
        """Let several calls share one deadline."""
        async with self.connection.within_deadline():
            yield

    def takes(self, key: str) -> bool:
        """Whether a write of a key is worth trying."""
        return True

    async def places(self, key: str) -> list[Place]:
        """Every server that may lose its data, with the key of a mark that lies there."""
        return [(key, self)]

    async def close(self) -> None:
        """Close all connections."""
        await self.connection.close()
