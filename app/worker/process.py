"""A worker as a child process: started, watched by its JSON lines, killed or stopped."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from app.settings import PREFIX, Settings
from models.errors import ServiceError

COMMAND = (sys.executable, "-m", "app")
STOP_S = 15.0
POLL_S = 0.02
LOG_LINES = 15
STATES: Final = {"ready", "serving", "revoked"}
KEPT_LINES: Final = 500
"""Lines kept of each kind: a worker that runs for days writes a checkpoint line every second."""

_ROOT = str(Path(__file__).parents[2])


class WorkerProcess:
    """One `freshet worker --json`, or another worker with such lines; ends with this process at the latest.

    Parameters
    ----------
    environment
        `FRESHET_*` variables beside those of this process, e.g. from `environment(settings)`.
    log_path
        Where its standard error goes.
    on_line
        Called with each JSON line, from a thread of its own.
    command, arguments
        What runs `freshet`, and what follows it.
    folder
        Where it works; here by default.
    on_end
        Called when it has ended, from that thread.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        log_path: Path,
        on_line: Callable[[dict[str, Any]], None] | None = None,
        command: Sequence[str] = COMMAND,
        *,
        arguments: Sequence[str] = ("worker", "--json"),
        folder: Path | None = None,
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        self.log_path = log_path
        self.progress: dict[str, Any] = {}
        self._on_line = on_line
        self._on_end = on_end
        self._kept: dict[str, deque[tuple[int, dict[str, Any]]]] = {}
        self._n_lines = 0
        self._lock = threading.Lock()
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *arguments],
                env=child_environment(environment),
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    @property
    def folded(self) -> int:
        """Records folded, as offsets summed over its partitions, by its last progress line."""
        return sum(self.progress.get("partitions", {}).values())

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Lines so far, but for those of progress, in the order they came in; of each kind the newest `KEPT_LINES`."""
        with self._lock:
            kept = [numbered for kind in self._kept.values() for numbered in kind]
        return [line for _, line in sorted(kept, key=lambda numbered: numbered[0])]

    def of_kind(self, event: str) -> list[dict[str, Any]]:
        """Lines of one kind so far, the newest `KEPT_LINES`."""
        with self._lock:
            return [line for _, line in self._kept.get(event, ())]

    def wait_for(self, condition: Callable[["WorkerProcess"], bool], timeout_s: float, what: str) -> None:
        """Return when a condition holds.

        Raises
        ------
        ServiceError
            If the worker ended first, or the time is over; with the last lines of its log.
        """
        deadline = time.monotonic() + timeout_s
        while not condition(self):
            if self.exit_code is not None:
                raise self.failure(f"ended with code {self.exit_code} before {what}")
            if time.monotonic() > deadline:
                raise self.failure(f"did not reach {what} within {timeout_s:g} s")
            time.sleep(POLL_S)

    def wait_ready(self, timeout_s: float = 60.0) -> None:
        """Return when it has its partitions."""
        self.wait_for(lambda worker: bool(worker.of_kind("ready")), timeout_s, "being ready")

    @property
    def serving(self) -> dict[str, Any] | None:
        """What it said when it began to serve the partitions that it has; None if it does not."""
        newest = next((line for line in reversed(self.lines) if line["event"] in STATES), None)
        return newest if newest is not None and newest["event"] == "serving" else None

    def wait_serving(self, timeout_s: float = 60.0) -> dict[str, Any]:
        """Return what it said when what comes in from then on is counted and shown."""
        self.wait_for(lambda worker: worker.serving is not None, timeout_s, "serving")
        return self.serving or {}

    def signal(self, number: int) -> None:
        """Send a signal, if it runs."""
        if self.exit_code is None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, as a crash would be."""
        self.signal(signal.SIGKILL)
        self._process.wait()
        self._reader.join(2.0)

    def stop(self, timeout_s: float = STOP_S) -> int:
        """SIGTERM, then SIGKILL after `timeout_s`; returns the exit code."""
        self.signal(signal.SIGTERM)
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            code = -signal.SIGKILL
        self.kill()
        return code

    def failure(self, what: str) -> ServiceError:
        """An error about this worker, with the end of its log."""
        tail = self.log_path.read_text(errors="replace").splitlines()[-LOG_LINES:]
        return ServiceError("\n".join([f"worker {self.pid} {what}. Its log {self.log_path} ends with:", *tail]))

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for raw in lines:
                try:
                    line = orjson.loads(raw)
                except orjson.JSONDecodeError:
                    continue
                if line["event"] == "progress":
                    self.progress = line
                else:
                    self._keep(line)
                if self._on_line is not None:
                    self._on_line(line)
        self._process.wait()
        self._on_end()

    def _keep(self, line: dict[str, Any]) -> None:
        with self._lock:
            self._n_lines += 1
            self._kept.setdefault(line["event"], deque(maxlen=KEPT_LINES)).append((self._n_lines, line))


def child_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Variables of a process that runs this very code, whatever packages lie in its working folder."""
    ours = {"PYTHONPATH": _ROOT, "PYTHONSAFEPATH": "1", "PYTHONFAULTHANDLER": "1"}
    return {**os.environ, **ours, **variables}


def environment(settings: Settings) -> dict[str, str]:
    """All settings as `FRESHET_*` variables, so that a child has them whatever its own environment says.

    Secrets are among them: they reach a child in no other way.
    """
    return {
        f"{PREFIX}{name.upper()}": value if isinstance(value, str) else orjson.dumps(value).decode()
        for name, value in settings.model_dump().items()
    }
