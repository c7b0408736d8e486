"""Reading what may keep one waiting, a terminal or a pipe, in a thread of its own."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import TypeVar

T = TypeVar("T")


async def read_ahead(values: Iterator[T], most: int) -> AsyncIterator[T]:
    """Each value as soon as it is there; what the iterator raises is raised here, behind them.

    The thread is a daemon: one that waits for a pipe does not hold up the end of the process.

    Parameters
    ----------
    most
        Values that may lie here before they are taken.
    """
    loop = asyncio.get_running_loop()
    there: deque[T] = deque()
    news, room = asyncio.Event(), threading.Semaphore(most)
    ended: list[Exception | None] = []
    abandoned = threading.Event()

    def tell() -> bool:
        try:
            loop.call_soon_threadsafe(news.set)
        except RuntimeError:  # the loop is closed: nobody listens any more
            return False
        return not abandoned.is_set()

    def read() -> None:
        error: Exception | None = None
        try:
            for value in values:
                room.acquire()
                there.append(value)
                if not tell():
                    return
        except Exception as caught:  # noqa: BLE001 raised again where the values go
            error = caught
        ended.append(error)
        tell()

    threading.Thread(target=read, daemon=True).start()
    try:
        while True:
            is_over = bool(ended)  # before a look at what is there: it came before the end
            while there:
                room.release()
                yield there.popleft()
            if is_over:
                if ended[0] is not None:
                    raise ended[0]
                return
            if not there and not ended:
                news.clear()
                if not there and not ended:
                    await news.wait()
    finally:
        abandoned.set()
        room.release()
