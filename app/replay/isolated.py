"""Replay in a namespace of its own: through Kafka, by a real worker, until nothing is left; then it is removed."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiokafka.errors import KafkaError

from app.namespace import remove_namespace
from app.replay.pacing import Pacer
from app.replay.records import EventLog
from app.replay.result import ReplayResult
from app.replay.send import log_producer, send_catalogue, send_events
from app.settings import Settings
from app.worker.checkpoints import load_checkpoint
from app.worker.preflight import prepare_topics
from app.worker.process import WorkerProcess, environment
from models.errors import FreshetError
from tables.partition import PartitionState

POLL_S = 0.05
MAX_DEATHS = 5
"""A worker that dies so often in a row, with nothing new folded and saved in between, will not come to the end."""

STANDSTILL_S = 120.0
WORKER_LINES = ("started", "ready", "fatal", "stopped")


async def replay_isolated(
    log: EventLog,
    settings: Settings,
    *,
    partitions: int,
    speed: float | None = None,
    on_sent: Callable[[], None] = lambda: None,
    on_folded: Callable[[int], None] = lambda n: None,
    report: Callable[[dict[str, Any]], None] = lambda line: None,
) -> ReplayResult:
    """Replay a log from an empty state and remove every trace of it.

    Parameters
    ----------
    on_sent, on_folded
        For progress: each record sent; how many are folded and saved.
    report
        Told of the worker's life: its pid at each start, so that it can be found, and killed.

    Raises
    ------
    ServiceError
        If Kafka or Redis fails, or the worker does not come to the end.
    """
    namespace = f"replay-{secrets.token_hex(4)}"
    settings = settings.apart(namespace, partitions=partitions)
    names = settings.names
    with TemporaryDirectory(prefix="freshet-replay-") as folder:
        async with _removed_after(settings):
            await prepare_topics(settings)
            async with _supervised(settings, Path(folder), report) as worker:
                started = time.perf_counter()
                async with log_producer(settings.kafka, settings.partitioner) as producer:
                    await send_catalogue(producer, names.catalogue, log.catalogue())
                    n_sent, log_sha256 = await send_events(producer, names.events, log, Pacer(speed), on_sent)
                await _folded(worker, n_sent, on_folded)
                seconds = time.perf_counter() - started
            states = [PartitionState(number, partitions, settings.fold) for number in range(partitions)]
            for state in states:
                await load_checkpoint(state, names, settings.kafka)
            return ReplayResult(n_sent, seconds, log_sha256, states)


def durable_of(progress: dict[str, Any]) -> int:
    """Records that a worker has folded and saved, by a progress line; 0 without one."""
    return sum(progress.get("durable", {}).values())


class _Supervised:
    """The worker of an isolated replay, started again whenever it dies."""

    def __init__(self, settings: Settings, folder: Path, report: Callable[[dict[str, Any]], None]) -> None:
        self._environment = environment(settings)
        self._folder = folder
        self._report = report
        self._most = 0
        self.n_starts = 0
        self.process = self._start()

    def _start(self) -> WorkerProcess:
        self.n_starts += 1
        return WorkerProcess(self._environment, self._folder / f"worker-{self.n_starts}.log", self._told)

    def _told(self, line: dict[str, Any]) -> None:
        if line["event"] in WORKER_LINES:
            self._report(line)

    @property
    def durable(self) -> int:
        """Most records that were ever seen folded and saved."""
        self._most = max(self._most, durable_of(self.process.progress))
        return self._most

    async def keep_alive(self) -> None:
        """Start it again whenever it has died.

        Raises
        ------
        ServiceError
            If it dies again and again and nothing gets done in between; with the end of its log.
        """
        n_deaths, durable = 0, 0
        while True:
            await asyncio.sleep(POLL_S)
            code = self.process.exit_code
            if code is None:
                continue
            n_deaths = n_deaths + 1 if self.durable == durable else 1
            durable = self.durable
            self._report({"event": "died", "pid": self.process.pid, "exit_code": code})
            if n_deaths == MAX_DEATHS:
                what = f"ended with code {code}, as did {MAX_DEATHS - 1} before it, and no new record was folded"
                raise self.process.failure(what)
            self.process = self._start()


@contextlib.asynccontextmanager
async def _supervised(
    settings: Settings, folder: Path, report: Callable[[dict[str, Any]], None]
) -> AsyncIterator[_Supervised]:
    """A worker for as long as the block lasts, which is cancelled when it cannot be kept alive."""
    worker = _Supervised(settings, folder, report)
    try:
        async with asyncio.TaskGroup() as tasks:
            keeper = tasks.create_task(worker.keep_alive())
            yield worker
            keeper.cancel()
    except ExceptionGroup as group:
        raise group.exceptions[0] from None
    finally:
        await asyncio.to_thread(worker.process.stop)


async def _folded(worker: _Supervised, n_records: int, on_folded: Callable[[int], None]) -> None:
    """Return when every record is folded, learned and saved, and every list is out."""
    moved, last = time.monotonic(), (-1, 0)
    while True:
        progress = worker.process.progress
        on_folded(worker.durable)
        learns = progress.get("learner", {}).get("waiting", False)
        if progress and durable_of(progress) >= n_records and not progress["unpublished"] and not learns:
            return
        if (now := (worker.durable, worker.n_starts)) != last:
            moved, last = time.monotonic(), now
        if time.monotonic() - moved > STANDSTILL_S:
            raise worker.process.failure(f"stands still at {worker.durable} of {n_records} records")
        await asyncio.sleep(POLL_S)


@contextlib.asynccontextmanager
async def _removed_after(settings: Settings) -> AsyncIterator[None]:
    """Remove a namespace after the block; if that fails too, the block's own error is still the one that is raised."""
    try:
        yield
    except BaseException as error:
        try:
            await remove_namespace(settings)
        except (FreshetError, KafkaError) as left:
            if isinstance(error, FreshetError) and str(left) != str(error):
                also = f"Its namespace {settings.namespace} could not be removed either: {left}"
                raise type(error)(f"{error}\n{also}") from error
        raise
    await remove_namespace(settings)
