"""The dashboard of a local stack: a process beside the worker, which reads that worker's metrics."""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from app.local.ports import free_port, is_free
from app.settings import Settings
from app.worker.process import WorkerProcess, environment

PORT, METRICS_PORT = 8500, 9108
START_S: Final = 60.0
TOKEN: Final = "dashboard.token"


def is_installed() -> bool:
    """Whether the extra that the dashboard needs is there."""
    return all(find_spec(name) is not None for name in ("starlette", "uvicorn", "htpy"))


def measured(settings: Settings, *, usual_ports: bool) -> Settings:
    """The settings of a worker that serves its metrics."""
    if settings.metrics_listen_port:
        return settings
    return settings.model_copy(update={"metrics_listen_port": _port(METRICS_PORT, usual=usual_ports)})


def _port(number: int, *, usual: bool) -> int:
    """A port where nothing listens: this one, if it is usual and free."""
    return number if usual and is_free(number) else free_port()


class LocalDashboard:
    """One `freshet dashboard` of this machine; ends with this process at the latest.

    Parameters
    ----------
    settings
        Those of the worker. Its pages may send clicks and re-drive dead letters.
    folder
        Where its log is, and its token, which stays the same over starts.
    usual_ports
        Take the port of the settings if it is free.

    Attributes
    ----------
    opened_by
        The address that opens it, token included.
    """

    def __init__(self, settings: Settings, folder: Path, *, usual_ports: bool) -> None:
        from app.dashboard.access import kept_token

        own = {
            "dashboard_listen_port": _port(settings.dashboard_listen_port or PORT, usual=usual_ports),
            "dashboard_token": settings.dashboard_token or kept_token(folder / TOKEN),
            "dashboard_changes": True,
        }
        self._process = WorkerProcess(
            environment(settings.model_copy(update=own)),
            folder / "dashboard.log",
            arguments=("dashboard", "--json"),
        )
        try:
            self._process.wait_for(lambda one: bool(one.of_kind("listening")), START_S, "listening")
        except BaseException:
            self._process.kill()
            raise
        self.opened_by: str = self._process.of_kind("listening")[0]["opened_by"]

    def failure(self) -> str | None:
        """Why it has ended; None: it runs."""
        if self._process.exit_code is None:
            return None
        return str(self._process.failure(f"(the dashboard) ended with code {self._process.exit_code}"))

    def stop(self) -> None:
        """End it."""
        self._process.stop()
