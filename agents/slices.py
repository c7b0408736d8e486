"""Chunks that have arrived, handed out in slices: one of each partition in turn, as many partitions as wanted."""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, Sequence
from typing import Generic, Protocol, TypeVar

RECORDS_PER_SLICE = 200
LONG = 100  # records: some milliseconds to fold
TURNS = 20  # of the event loop, that chunks on their way get to arrive: some three for each

R_co = TypeVar("R_co", covariant=True)
R = TypeVar("R")


class Chunk(Protocol[R_co]):
    """Consecutive records of one partition."""

    @property
    def partition(self) -> int:
        """Which partition."""

    @property
    def generation(self) -> int:
        """The generation of the group in which they were fetched."""

    @property
    def fetched_at(self) -> float:
        """When they were fetched, s of a clock that never goes back."""

    @property
    def records(self) -> Sequence[R_co]:
        """The records, in offset order."""


class Cursor(Generic[R]):
    """How far a chunk has been handed out."""

    def __init__(self, chunk: Chunk[R]) -> None:
        self.chunk = chunk
        self._at = 0

    def take(self) -> Sequence[R]:
        """The next slice of records."""
        records = self.chunk.records[self._at : self._at + RECORDS_PER_SLICE]
        self._at += len(records)
        return records

    @property
    def is_done(self) -> bool:
        """Whether all of it was handed out."""
        return self._at >= len(self.chunk.records)

    def leave(self) -> None:
        """Hand out no more."""
        self._at = len(self.chunk.records)


class Arrivals(Generic[R]):
    """Chunks of a stream by partition, each partition's in the order they came in.

    Parameters
    ----------
    chunks
        The stream; whoever fills it bounds how much waits here.
    """

    def __init__(self, chunks: AsyncIterable[Chunk[R]]) -> None:
        self._chunks = chunks
        self._by_partition: dict[int, deque[Cursor[R]]] = {}
        self._arrived = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    async def wait(self, n: int = 1) -> bool:
        """Return when something has arrived; whether anything has, or the stream has ended.

        Parameters
        ----------
        n
            Partitions wanted: if much has come of fewer, the event loop gets a few turns, and no more, to bring others.

        Raises
        ------
        BaseException
            What the stream ended with.
        """
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        turns = TURNS
        while not self._reading.done():
            if not self._by_partition:
                self._arrived.clear()
                await self._arrived.wait()
            elif turns and len(self._by_partition) < n and self._is_long:
                turns -= 1
                await asyncio.sleep(0)
            else:
                break
        if self._reading.done():
            self._reading.result()
        return bool(self._by_partition)

    async def _read(self) -> None:
        """Chunks as they come, without asking for each."""
        try:
            async for chunk in self._chunks:
                self._by_partition.setdefault(chunk.partition, deque()).append(Cursor(chunk))
                self._arrived.set()
        finally:
            self._arrived.set()

    @property
    def _is_long(self) -> bool:
        """Whether what has arrived is worth waiting for more to fold beside it."""
        return any(len(cursors) > 1 or len(cursors[0].chunk.records) >= LONG for cursors in self._by_partition.values())

    def first(self, n: int) -> list[Cursor[R]]:
        """The oldest chunk of each of up to `n` partitions, those that wait longest first."""
        return [cursors[0] for cursors in list(self._by_partition.values())[:n]]

    def turn(self, cursor: Cursor[R]) -> bool:
        """Let others have their turn before this partition; whether the chunk is done and was let go."""
        cursors = self._by_partition.pop(cursor.chunk.partition)
        if cursor.is_done:
            cursors.popleft()
        if cursors:
            self._by_partition[cursor.chunk.partition] = cursors
        return cursor.is_done

    def close(self) -> None:
        """Wait for nothing more."""
        if self._reading is not None:
            self._reading.cancel()
