"""Worker processes that are started, killed and replaced; their lines go to a tracker."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.bench.tracker import Tracker
from app.worker.process import WorkerProcess
from models.errors import ServiceError

MAX_CRASHES = 6
STOP_TIMEOUT_S = 8.0


class Fleet:
    """Workers of one kind, in a running event loop.

    One that ends by itself is started again, as a supervisor would, and counted in `crashes`.

    Parameters
    ----------
    environment
        Variables of the workers beside those of this process.
    folder
        Holds a folder for each worker, where it works and has its log.
    command
        What a worker is started with; `freshet worker --json` by default.
    """

    def __init__(self, environment: Mapping[str, str], folder: Path, command: Sequence[str] | None = None) -> None:
        self.tracker = Tracker()
        self.crashes = 0
        self.last_crash = ""
        self.failure: ServiceError | None = None
        self._environment = environment
        self._folder = folder
        self._command: dict[str, Any] = {} if command is None else {"command": command, "arguments": ()}
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._workers: dict[int, WorkerProcess] = {}
        self._n_started = 0
        self._stopping = False

    def add(self) -> int:
        """Start one more worker; returns its pid."""
        self._n_started += 1
        folder = self._folder / f"worker-{self._n_started}"
        folder.mkdir(parents=True)
        worker = WorkerProcess(
            self._environment,
            folder / "log",
            lambda line: self._tell(lambda: self._take(worker, line)),
            on_end=lambda: self._tell(lambda: self._gone(worker)),
            folder=folder,
            **self._command,
        )
        self._workers[worker.pid] = worker
        return worker.pid

    async def kill(self, pid: int) -> None:
        """`kill -9`, and gone before this returns."""
        await asyncio.to_thread(self._workers.pop(pid).kill)

    def check(self) -> None:
        """Raise if too many workers have ended by themselves."""
        if self.failure is not None:
            raise self.failure

    async def wait(self, timeout_s: float) -> bool:
        """Return when a worker said something or the time is over; whether one did.

        Raises
        ------
        ServiceError
            If too many workers have ended by themselves.
        """
        self.check()
        self._changed.clear()
        try:
            await asyncio.wait_for(self._changed.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def stop(self) -> None:
        """End all: SIGTERM, and SIGKILL for those that take too long."""
        self._stopping = True
        await asyncio.gather(*(asyncio.to_thread(one.stop, STOP_TIMEOUT_S) for one in self._workers.values()))

    def _tell(self, take: Callable[[], None]) -> None:
        """Hand over from a worker's thread; a loop that has ended wants to know nothing."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(take)

    def _take(self, worker: WorkerProcess, line: dict[str, Any]) -> None:
        self.tracker.take(worker.pid, line)
        self._changed.set()

    def _gone(self, worker: WorkerProcess) -> None:
        self.tracker.gone(worker.pid)
        self._changed.set()
        if self._stopping or self._workers.pop(worker.pid, None) is None:
            return
        self.crashes += 1
        self.last_crash = str(worker.failure(f"ended with code {worker.exit_code}"))
        worker.kill()  # closes what it had open
        if self.crashes < MAX_CRASHES:
            self.add()
        else:
            self.failure = ServiceError(f"{self.crashes} workers ended by themselves; the last: {self.last_crash}")
