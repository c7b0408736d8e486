"""A local stack with a worker that is started again when it dies, and a dashboard: what `up` and `demo` run."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from app.local.dashboard import LocalDashboard, is_installed, measured
from app.local.ports import is_free
from app.local.stack import LocalStack
from app.settings import Settings
from app.worker.process import WorkerProcess, environment

KAFKA_PORT, REDIS_PORT = 9092, 6379
RESTART_AFTER_S = 1.0


class LocalSession:
    """Kafka, Redis, one worker and perhaps a dashboard, stopped in the reverse order.

    Parameters
    ----------
    folder
        Data and logs of all three.
    settings
        For the worker; broker and Redis are filled in.
    broker, redis_url
        Existing ones to use instead; empty: start them.
    usual_ports
        Take 9092 and 6379 where they are free.
    with_worker
        Whether a worker is started; without one Kafka and Redis wait for `freshet reset`, or for workers of their own.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        *,
        broker: str = "",
        redis_url: str = "",
        usual_ports: bool = False,
        with_worker: bool = True,
    ) -> None:
        self.folder = folder
        self._with_worker = with_worker
        self._usual_ports = usual_ports
        self._stack = LocalStack(
            folder,
            kafka_port=KAFKA_PORT if usual_ports and not broker and is_free(KAFKA_PORT) else 0,
            redis_port=REDIS_PORT if usual_ports and not redis_url and is_free(REDIS_PORT) else 0,
            durable=usual_ports,
            with_kafka=not broker,
            with_redis=not redis_url,
        )
        self.settings = measured(settings, usual_ports=usual_ports).model_copy(
            update={
                **({"broker": broker} if broker else settings.with_kafka_at(self._stack.broker)),
                **({"redis_url": redis_url} if redis_url else settings.with_redis_at(self._stack.redis_url)),
            }
        )
        self.worker: WorkerProcess | None = None
        self.dashboard: LocalDashboard | None = None
        self.n_restarts = 0
        self.serving: dict[str, Any] = {}  # the worker's own words: its `partitions`, of `n_partitions`

    def __enter__(self) -> Self:
        self._stack.start()
        try:
            if self._with_worker:
                self.start_worker()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self.dashboard is not None:
                self.dashboard.stop()
            if self.worker is not None:
                self.worker.stop()
        finally:
            self._stack.stop()

    def start_dashboard(self) -> str | None:
        """Start the dashboard; returns the address that opens it, or None where the extra `web` is not installed."""
        if not is_installed():
            return None
        self.folder.mkdir(parents=True, exist_ok=True)
        self.dashboard = LocalDashboard(self.settings, self.folder, usual_ports=self._usual_ports)
        return self.dashboard.opened_by

    def watch(self) -> str | None:
        """Start the worker again if it has died; returns what happened, if anything did."""
        if self.dashboard is not None and (said := self.dashboard.failure()) is not None:
            self.dashboard = None
            return said
        if self.worker is None or self.worker.exit_code is None:
            return None
        said = str(self.worker.failure(f"ended with code {self.worker.exit_code} and is started again"))
        time.sleep(RESTART_AFTER_S)
        self.n_restarts += 1
        self.start_worker()
        return said

    def start_worker(self) -> None:
        """Start a worker, when there is none or it has ended; returns when it serves."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.worker = WorkerProcess(environment(self.settings), self.folder / "worker.log")
        self.worker.wait_ready()
        self.serving = self.worker.wait_serving()


@contextmanager
def terminated_as_interrupt() -> Iterator[None]:
    """SIGTERM ends the block like Ctrl-C does."""
    import signal

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
