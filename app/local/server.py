"""A server program as a child process: start, await its health, stop, kill, and find what was left behind."""

import logging
import os
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.local import child
from app.local.ports import free_port, require_free
from models.errors import ServiceError

READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 5.0
POLL_S = 0.02
LOG_LINES_IN_ERRORS = 15

# They add options, agents or noise to every Java program, and are meant for others.
_FOREIGN_VARIABLES = frozenset({"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH"})

# The kernel's "parent" that a child dies with is the thread that made it. This thread lives as long as the process,
# so a server started from a short-lived thread (an executor of a test's event loop, say) does not end with that one.
_SPAWNER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="freshet-spawner")

logger = logging.getLogger(__name__)


class Server(ABC):
    """One server program on one port of the loopback address.

    A child runs in a session of its own, so Ctrl-C in the terminal does not reach it: who started it decides when it
    stops. It never outlives the starting process on Linux; elsewhere `leftovers` finds it at the next start.

    Parameters
    ----------
    name
        `kafka` or `redis`: the name of its files and in errors.
    folder
        Where it keeps its data, settings, log and pid file; made when missing.
    port
        0 chooses a free one, once: it stays the same over all starts of this object.
    """

    def __init__(self, name: str, folder: Path, port: int = 0) -> None:
        self.name = name
        self.folder = folder.absolute()
        self.port = port or free_port()
        self.log_path = self.folder / f"{name}.log"
        self.pid_path = self.folder / f"{name}.pid"
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @abstractmethod
    def prepare(self) -> list[str]:
        """Write the settings, make sure that the program is there, and return its command."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether the server answers a real request now; it must not block for more than a second."""

    @property
    def running(self) -> bool:
        """Whether the process lives (it may still be starting)."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id of the running server; `ServiceError` when it does not run."""
        if self._process is None or not self.running:
            raise ServiceError(f"{self.name} does not run. Its log: {self.log_path}")
        return self._process.pid

    def launch(self) -> None:
        """Start the process without awaiting its health."""
        if self.running:
            raise ServiceError(f"{self.name} runs already, as process {self.pid}. Stop it before starting it again.")
        self.folder.mkdir(parents=True, exist_ok=True)
        command = self.prepare()
        require_free(self.port, self.name)
        self._process = self.spawn(command)

    def start(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Start the process and return when it is ready; also after `stop` or `kill`, on the same port and data."""
        self.launch()
        try:
            self.wait_ready(timeout_s)
        except BaseException:
            self.kill()
            raise

    def wait_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Return when the server answers; raise `ServiceError` as soon as it has ended, or after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while not self.is_ready():
            if self._process is None:
                raise self.failure("was not started")
            if not self.running:
                raise self.failure(f"ended with code {self._process.returncode} before it was ready")
            if time.monotonic() > deadline:
                raise self.failure(f"was not ready within {timeout_s:g} s")
            time.sleep(POLL_S)

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """SIGTERM, then SIGKILL after `timeout_s`; nothing happens if it does not run."""
        if self._process is not None and self.running:
            self._process.terminate()
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                logger.warning("%s did not stop within %g s and is killed", self.name, timeout_s)
        self.kill()

    def kill(self) -> None:
        """SIGKILL, as a crash would be; nothing happens if it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            self.pid_path.unlink(missing_ok=True)

    def spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Run a command as a child that dies with this process; its output goes to the log."""
        environment = {name: value for name, value in os.environ.items() if name not in _FOREIGN_VARIABLES}
        environment["LC_ALL"] = "C.UTF-8"
        arguments = [sys.executable, "-I", "-S", child.__file__, str(os.getpid()), str(self.pid_path), *command]
        with self.log_path.open("ab") as log:
            self._log_start = log.tell()
            return _SPAWNER.submit(
                subprocess.Popen,
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=self.folder,
                start_new_session=True,
            ).result()

    def run(self, command: list[str], timeout_s: float) -> int:
        """Run a command to its end as `spawn` does, and return its exit code."""
        process = self.spawn(command)
        try:
            return process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise self.failure(f"did not finish its preparations within {timeout_s:g} s") from None
        finally:
            process.kill()
            process.wait()
            self.pid_path.unlink(missing_ok=True)

    def failure(self, what: str) -> ServiceError:
        """An error that names the log and quotes its last lines, those of the last start only."""
        logged = self.log_path.read_bytes()[self._log_start :] if self.log_path.exists() else b""
        lines = logged.decode("utf-8", "replace").splitlines()[-LOG_LINES_IN_ERRORS:]
        quoted = "\n".join(f"    {line}" for line in lines) or "    (it is empty)"
        return ServiceError(f"The local {self.name} {what}. The end of its log {self.log_path}:\n{quoted}")
