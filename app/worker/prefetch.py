"""Records on their way from the Kafka client's thread to the event loop, bounded per partition.

aiokafka asks the broker for more of a partition only after what it has of it was taken. So they are taken as soon as
they are there, in the client's own thread, and the event loop finds everything that has come since it last looked.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from threading import Lock
from typing import Generic, TypeVar

from app.worker.bell import Bell

R = TypeVar("R")
P = TypeVar("P")

POLL_S = 0.02
PAUSE_S = 0.003  # between looks for partitions to fetch from

Fetch = Callable[[set[P], float, int], Awaitable[Mapping[P, list[R]]]]


class Prefetch(Generic[P, R]):
    """What has been fetched and not taken.

    Parameters
    ----------
    fetch
        Called in the client's thread with partitions, how long to wait (s), and the most records wanted.
    n_records
        A partition with so many is not fetched from.
    """

    def __init__(self, fetch: Fetch[P, R], n_records: int) -> None:
        self._fetch = fetch
        self._n_records = n_records
        self._lock = Lock()
        self._batches: dict[P, deque[list[R]]] = {}
        self._bell = Bell()
        self._listening: asyncio.AbstractEventLoop | None = None
        self._failure: BaseException | None = None

    async def run(self, partitions: Callable[[], Iterable[P]]) -> None:
        """Fetch, in the client's thread, until it fails or is cancelled: then `take` raises the same.

        Parameters
        ----------
        partitions
            Those to fetch from now; none pauses.
        """
        try:
            while True:
                wanted = self._with_room(partitions())
                if wanted:
                    self._put(await self._fetch(wanted, POLL_S, self._n_records))
                await asyncio.sleep(0 if wanted else PAUSE_S)
        except BaseException as error:
            self._failure = error
            self._wake()
            raise

    def take(self, partitions: Iterable[P]) -> dict[P, list[R]]:
        """What has come of some partitions, up to `n_records` or one fetch of each, in offset order.

        Raises
        ------
        BaseException
            What fetching ended with.
        """
        if self._failure is not None:
            raise self._failure
        taken: dict[P, list[R]] = {}
        with self._lock:
            for partition in partitions:
                batches = self._batches.get(partition)
                if batches:
                    records = batches.popleft()
                    while batches and len(records) + len(batches[0]) <= self._n_records:
                        records += batches.popleft()
                    taken[partition] = records
        return taken

    async def wait(self, partitions: Iterable[P], timeout_s: float) -> None:
        """Return when something has come of some partitions, perhaps, or after a while."""
        self._listening = asyncio.get_running_loop()
        if self._failure is None and not any(map(self.has, partitions)):
            await self._bell.heard(timeout_s)
        self._listening = None

    def has(self, partition: P) -> bool:
        """Whether something has come of a partition that was not taken."""
        with self._lock:
            return bool(self._batches.get(partition))

    def forget(self) -> None:
        """Let everything go: to be called in the client's thread, with nothing awaited since positions were set."""
        with self._lock:
            self._batches.clear()

    def _with_room(self, partitions: Iterable[P]) -> set[P]:
        with self._lock:
            waiting = {partition: sum(map(len, batches)) for partition, batches in self._batches.items()}
        return {partition for partition in partitions if waiting.get(partition, 0) < self._n_records}

    def _put(self, fetched: Mapping[P, list[R]]) -> None:
        """Keep what was fetched; nothing is awaited in between, or `forget` could come too early."""
        if fetched:
            with self._lock:
                for partition, records in fetched.items():
                    self._batches.setdefault(partition, deque()).append(list(records))
            self._wake()

    def _wake(self) -> None:
        with self._lock:
            loop, self._listening = self._listening, None
        if loop is not None:
            loop.call_soon_threadsafe(self._bell.ring)
