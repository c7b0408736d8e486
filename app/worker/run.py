"""Runs a worker process: from settings to exit code."""

import asyncio
import logging
import sys
from typing import Any

import faust
from aiokafka.errors import KafkaError

from app.refusal import not_allowed
from app.settings import Settings
from app.worker.preflight import checkpoint_limits, intake_limits, prepare_topics
from app.worker.report import Report
from app.worker.selfcheck import check_libraries
from app.worker.worker import Worker
from models.errors import ServiceError
from tables.warm_up import warm_up


def run_worker(settings: Settings, *, as_json: bool) -> int:
    """Run a worker until it is told to stop; returns the process's exit code.

    Raises
    ------
    FreshetError
        If it cannot start.
    """
    _configure_logging()
    check_libraries()
    try:
        counts = asyncio.run(prepare_topics(settings))
        limits = asyncio.run(checkpoint_limits(settings)) | asyncio.run(intake_limits(settings))
    except KafkaError as error:
        raise ServiceError(not_allowed(error) or f"Kafka at {settings.broker} refused: {error!r}.") from error
    warm_up(settings.rating_model)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    worker = loop.run_until_complete(_create(settings, counts, limits, Report(as_json=as_json)))
    loop.run_until_complete(worker.serve_metrics())
    host = _Host(worker, loop=loop)
    try:
        host.execute_from_commandline()  # always ends with SystemExit
    except SystemExit as end:
        if worker.error is not None:
            sys.stderr.write(f"freshet: {not_allowed(worker.error) or worker.error}\n")
            return 1
        return end.code if isinstance(end.code, int) else int(end.code is not None)


async def _create(settings: Settings, counts: dict[str, int], limits: dict[str, int], report: Report) -> Worker:
    return Worker(settings, counts, limits, report)


class _Host(faust.Worker):
    """Faust's worker around ours: signals, start order, shutdown."""

    def __init__(self, worker: Worker, **options: Any) -> None:
        self._ours = worker
        super().__init__(worker.app, loglevel="WARNING", quiet=True, **options)
        self.spinner = None

    def _setup_logging(self) -> None:
        """Logging is configured already."""

    async def on_first_start(self) -> None:
        """Our services first: the agent needs them."""
        await self._ours.start()
        await super().on_first_start()

    async def on_shutdown(self) -> None:
        """Our services last: the consumer takes the last checkpoint while it stops."""
        await super().on_shutdown()
        await self._ours.stop()


def _configure_logging() -> None:
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    logging.getLogger("freshet").setLevel(logging.INFO)
    logging.getLogger("faust").setLevel(logging.WARNING)
