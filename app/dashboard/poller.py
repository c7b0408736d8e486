"""Asks workers, Kafka and Redis once a second, for all pages together, and keeps what they say for a while."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

from app.dashboard.alarms import RECENT_S, alarms_of
from app.dashboard.board import PAST_S, Board, Happening
from app.dashboard.growth import Growth, Window
from app.dashboard.log import Log
from app.dashboard.moments import moment_of
from app.dashboard.workers import Worker, Workers
from models.errors import ServiceError

logger = logging.getLogger("freshet.dashboard")

TICK_S: Final = 1.0
SOON_S: Final = 0.2


class Ticks:
    """Says when there is something new: to all who wait, without knowing them.

    Attributes
    ----------
    n, n_events
        How often there was: by the clock, and by clock or events.
    closed
        Whether there will never be anything new.
    """

    def __init__(self) -> None:
        self.n = self.n_events = 0
        self.closed = False
        self._by_clock = asyncio.Event()
        self._by_any = asyncio.Event()

    def tick(self, *, by_clock: bool) -> None:
        """Wake those who wait for the clock, or for anything."""
        self.n_events += 1
        self._by_any.set()
        self._by_any = asyncio.Event()
        if by_clock:
            self.n += 1
            self._by_clock.set()
            self._by_clock = asyncio.Event()

    def close(self) -> None:
        """Let everybody go, for good."""
        self.closed = True
        self._by_any.set()
        self._by_clock.set()

    async def wait(self, within_s: float, *, lively: bool) -> None:
        """Return when there is something new, or after a while.

        Parameters
        ----------
        lively
            Events count as well, and not the clock alone.
        """
        changed = self._by_any if lively else self._by_clock
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await changed.wait()


class Poller:
    """Keeps the board.

    Parameters
    ----------
    redis_answers
        Raises `ServiceError` if it does not.
    """

    def __init__(self, workers: Workers, log: Log, redis_answers: Callable[[], Awaitable[None]]) -> None:
        self.board = Board(log=log.state)
        self.ticks = Ticks()
        self._workers = workers
        self._log = log
        self._redis_answers = redis_answers
        self._growth = Growth()
        self._window = Window(2 * RECENT_S)
        self._tasks: list[asyncio.Task[None]] = []
        self._events_told_s = 0.0

    def start(self) -> None:
        """Begin to ask."""
        for work in (self._run(), self._log.run(self._events_came)):
            task = asyncio.create_task(work)
            task.add_done_callback(self._ended)
            self._tasks.append(task)

    async def stop(self) -> None:
        """Let everybody go who waits, and ask no more."""
        self.ticks.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._workers.close()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Tell of a mistake of ours: the pages would stand still, and say that all is well."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.board.log.error = f"the dashboard no longer follows the stream: {error!r}. Start it anew."
            logger.critical("%s", self.board.log.error, exc_info=error)

    def _events_came(self) -> None:
        """Let pages show events before the clock's next tick, a few times a second at most."""
        now_s = time.monotonic()
        if now_s - self._events_told_s >= SOON_S:
            self._events_told_s = now_s
            self.ticks.tick(by_clock=False)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + TICK_S
            await self.look()
            self.ticks.tick(by_clock=True)
            await asyncio.sleep(max(0.0, due_s - loop.time()))

    async def look(self) -> None:
        """Ask once."""
        board = self.board
        workers, board.redis_error = await asyncio.gather(self._workers.read(), self._redis_error())
        at_ms = int(time.time() * 1000)
        self._window.add(time.monotonic(), self._growth.take(workers))
        self._note(at_ms, workers)
        board.workers = workers
        moment = moment_of(at_ms, workers, self._window)
        board.recent.append(moment)
        if not board.past or at_ms - board.past[-1].at_ms >= 1000 * PAST_S:
            board.past.append(moment)
        board.alarms = alarms_of(workers, board.log, board.redis_error, self._window)

    async def _redis_error(self) -> str | None:
        try:
            await self._redis_answers()
        except ServiceError as error:
            return str(error)
        return None

    def _note(self, at_ms: int, workers: list[Worker]) -> None:
        """Note who came, went, started again, or got other partitions."""
        before = {worker.address: worker for worker in self.board.workers}
        for worker in workers:
            if (said := _happened(before.get(worker.address), worker)) is not None:
                self.board.happenings.append(Happening(at_ms, f"{worker.address} {said}"))
        for address in before.keys() - {worker.address for worker in workers}:
            self.board.happenings.append(Happening(at_ms, f"{address} is gone"))


def _happened(before: Worker | None, now: Worker) -> str | None:
    if now.error is not None:
        return now.error if before is not None and before.error is None else None
    n = int(now.value("freshet_partitions") or 0)
    holds = f"holds {n} partition{'' if n == 1 else 's'}, generation {now.value('freshet_group_generation') or 0:g}"
    if before is None or before.error is not None:
        return f"answers, {holds}"
    started = (now.value("process_start_time_seconds"), before.value("process_start_time_seconds"))
    if started[0] != started[1]:
        return f"started again, {holds}"
    if now.value("freshet_rebalances_total") != before.value("freshet_rebalances_total"):
        loaded = now.value("freshet_load_seconds")
        return f"{holds}" + (f", read their state in {loaded:.2f} s" if loaded is not None else "")
    return None
