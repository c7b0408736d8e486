"""Worker processes that are started, killed and replaced; their lines go to a tracker."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

import app
from app.bench.tracker import Tracker
from app.local import child
from models.errors import ServiceError

MAX_CRASHES = 6
LOG_BYTES_IN_ERRORS = 3000
STOP_TIMEOUT_S = 8.0


class Fleet:
    """Workers of one kind.

    One that ends by itself is started again, as a supervisor would, and counted in `crashes`. On Linux they die with
    this process, however it ends.

    Parameters
    ----------
    command
        What a worker is started with.
    environment
        Its variables beside those of this process; `FRESHET_*` ones of this process are not handed on.
    folder
        Working folder; holds the logs.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self.tracker = Tracker()
        self.crashes = 0
        self.last_crash = ""
        self.failure: ServiceError | None = None
        self.changed = asyncio.Event()
        self._command = list(command)
        self._folder = folder
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("FRESHET_")}
        root = str(Path(app.__file__).parents[1])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._environment |= {"PYTHONPATH": os.pathsep.join(paths), "PYTHONFAULTHANDLER": "1", **environment}
        self._processes: dict[int, Process] = {}
        self._readers: set[asyncio.Task[None]] = set()
        self._n_started = 0
        self._stopping = False

    async def add(self) -> int:
        """Start one more worker; returns its pid."""
        self._n_started += 1
        folder = self._folder / f"worker-{self._n_started}"
        folder.mkdir(parents=True)
        wrapper = [sys.executable, "-I", "-S", child.__file__, str(os.getpid()), str(folder / "pid")]
        with (folder / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *wrapper, *self._command, stdout=PIPE, stderr=log, cwd=folder, env=self._environment
            )
        self._processes[process.pid] = process
        reader = asyncio.create_task(self._read(process, folder / "log"))
        self._readers.add(reader)
        reader.add_done_callback(self._readers.discard)
        return process.pid

    async def kill(self, pid: int) -> None:
        """`kill -9`, and gone before this returns."""
        process = self._processes.pop(pid)
        process.kill()
        await process.wait()

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
        self.changed.clear()
        try:
            await asyncio.wait_for(self.changed.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def stop(self) -> None:
        """End all: SIGTERM, and SIGKILL for those that take too long."""
        self._stopping = True
        processes = list(self._processes.values())
        for process in processes:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await asyncio.gather(*(process.wait() for process in processes))
        except TimeoutError:
            for process in processes:
                if process.returncode is None:
                    process.kill()
        await asyncio.gather(*self._readers, return_exceptions=True)

    async def _read(self, process: Process, log: Path) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            if line.startswith(b"{"):
                self.tracker.take(process.pid, orjson.loads(line))
                self.changed.set()
        await process.wait()
        self.tracker.gone(process.pid)
        self.changed.set()
        if self._processes.pop(process.pid, None) is not None and not self._stopping:
            await self._crashed(process, log)

    async def _crashed(self, process: Process, log: Path) -> None:
        self.crashes += 1
        self.last_crash = f"code {process.returncode}, the end of its log:\n{_end_of(log)}"
        if self.crashes < MAX_CRASHES:
            await self.add()
        else:
            self.failure = ServiceError(f"{self.crashes} workers ended by themselves, the last with {self.last_crash}")


def _end_of(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_BYTES_IN_ERRORS))
        return file.read().decode("utf-8", "replace").strip() or "(it is empty)"
