"""The worker, wired: Faust's app with the one agent, and the services around it."""

import asyncio
import logging
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial, update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

import faust

from agents.users import fold_events
from app.intake.intake import Intake
from app.intake.reading import make_reading
from app.metrics.fold_counts import FoldCounts
from app.metrics.since import SinceStart
from app.refusal import not_allowed
from app.settings import Settings
from app.store.store import Store
from app.worker import garbage
from app.worker.catalogue import Catalogue
from app.worker.catalogue_topic import run_catalogue
from app.worker.chunk_sizes import ChunkSizes
from app.worker.client import credentials
from app.worker.dead_letters import DeadLetterSender
from app.worker.ends import follow_ends
from app.worker.factors import FactorFollower
from app.worker.features import FeaturePublisher
from app.worker.follower import ShareFollower
from app.worker.gauge import LiveGauge
from app.worker.latency import Latency
from app.worker.learner import LearnerService
from app.worker.lists import ListPublisher
from app.worker.live_view import LiveView
from app.worker.outputs import WorkerOutputs
from app.worker.owned import OwnedPartition
from app.worker.ownership import Ownership
from app.worker.readiness import Readiness
from app.worker.report import Report
from app.worker.stopped import StoppedPartitions
from app.worker.transport import BatchTransport
from app.worker.watchdog import Pulse, Watchdog
from models.errors import ServiceError

if TYPE_CHECKING:
    from app.metrics.server import MetricsServer

logger = logging.getLogger("freshet")

AGENT = "freshet.users"
CHECKPOINT_POLL_S = 0.05
REPORT_S = 0.1
LAST_LISTS_S = 1.0
LEARNS_WHERE = 0  # whoever holds this partition has the learner, too


class Worker:
    """Everything that one worker process runs.

    Parameters
    ----------
    counts
        Partitions of every topic.
    limits
        `max.message.bytes` of the topics of saved state and of lessons, and of those that the intake writes to if there
        is one.
    """

    def __init__(
        self,
        settings: Settings,
        counts: dict[str, int],
        limits: dict[str, int],
        report: Report,
        store: Store | None = None,
    ) -> None:
        self.settings = settings
        self.names = settings.names
        self.report = report
        self.pulse = Pulse()
        self.error: BaseException | None = None
        self.view = LiveView(settings.fold)
        self.store = store or Store(settings.redis, keys=settings.keys)
        self.catalogue = Catalogue(self.names.catalogue, settings.max_catalogue, settings.list_fields)
        self.dead_letters = DeadLetterSender(settings.kafka, self.names.dead_letters)
        self.latency = Latency()
        self.chunk_sizes = ChunkSizes()
        self.gauge = LiveGauge()
        self.lists = ListPublisher(settings, self.view, self.store, self.latency, self.gauge, self.catalogue.listed)
        self.features = FeaturePublisher(settings, self.view, self.store, self.catalogue)
        self.follower = ShareFollower(settings.kafka, self.names.item_checkpoints, self.view, settings.fold)
        self.learner: LearnerService | None = None
        self.factors: FactorFollower | None = None
        if counts[self.names.events] > 1:  # a single partition learns them itself
            self.learner = LearnerService(settings, limits[self.names.factors], report)
            self.factors = FactorFollower(settings.kafka, self.names.factors, self.view, settings.fold)
        checkpoints = (self.names.user_checkpoints, self.names.item_checkpoints, self.names.interactions)
        saved = {name: limits[name] for name in checkpoints}
        self.ownership = Ownership(settings, saved, changed=self._changed, fatal=self.fatal, report=report)
        self.readiness = Readiness(
            self.ownership,
            self.view,
            unanswered=lambda: self.transport.created.unanswered() if self.transport.created else (),
            redis_error=lambda: self.features.redis_error,
            report=report,
        )
        self.intake = Intake(settings, make_reading(settings), counts, limits, report) if settings.has_intake else None
        self.since = SinceStart()
        self._metrics: MetricsServer | None = None
        self._counts = counts
        self._tasks: list[asyncio.Task[None]] = []
        self.app = self._create_app()

    def _create_app(self) -> faust.App:
        settings = self.settings
        app = faust.App(
            self.names.group,
            broker=f"kafka://{settings.broker.replace(',', ';')}",
            broker_credentials=credentials(settings.kafka),
            autodiscover=False,
            value_serializer="raw",
            key_serializer="raw",
            store="memory://",
            topic_allow_declare=False,
            topic_disable_leader=True,
            topic_partitions=self._counts[self.names.events],
            table_standby_replicas=0,
            stream_wait_empty=False,
            stream_buffer_maxsize=64,
            broker_commit_interval=1.0,
            broker_commit_every=None,
            broker_session_timeout=settings.session_timeout_s,
            broker_heartbeat_interval=max(0.3, settings.session_timeout_s / 6),
            broker_rebalance_timeout=settings.rebalance_timeout_s,
            broker_request_timeout=max(settings.request_timeout_s, settings.session_timeout_s + 1),
            broker_max_poll_records=settings.chunk_records,  # or a backlog of one partition comes all at once
            consumer_max_fetch_size=4 * 1024**2,
            consumer_auto_offset_reset="earliest",
            consumer_metadata_max_age_ms=30_000,  # a topic made anew, or with more partitions, is noticed within
            consumer_group_instance_id=settings.instance_id or None,
            producer_linger=0,
            agent_supervisor="mode.CrashingSupervisor",
            web_enabled=False,
            datadir=str(Path(tempfile.gettempdir()) / "freshet-faust"),  # Faust makes one and we keep nothing in it
            worker_redirect_stdouts=False,
        )
        self.transport = transport = BatchTransport(app.conf.broker_consumer, app)
        transport.ownership = self.ownership
        transport.latency = self.latency
        transport.chunk_sizes = self.chunk_sizes
        transport.fatal = self.fatal  # type: ignore[method-assign]
        self.stopped = StoppedPartitions(settings, self.ownership, transport.go_on, self.report)
        transport.stopped = self.stopped.take  # type: ignore[method-assign]
        transport.before_stop = partial(self.lists.flush, LAST_LISTS_S)  # type: ignore[method-assign]
        app.transport = transport
        self.outputs = outputs = WorkerOutputs(self.ownership, self.dead_letters, self.lists, self.pulse, self.latency)
        events = app.topic(self.names.events, key_serializer="raw", value_serializer="raw")
        threads = ThreadPoolExecutor(max(1, settings.fold_threads - 1), thread_name_prefix="fold")
        fold = partial(fold_events, outputs=outputs, threads=threads, n_together=2 * settings.fold_threads)
        agent = update_wrapper(fold, fold_events)
        app.agent(events, name=AGENT)(agent)
        return app

    async def start(self) -> None:
        """Start what the agent needs; before the group is joined."""
        await self.dead_letters.start()
        self._spawn(self.follower.run)
        if self.learner is not None and self.factors is not None:
            self._spawn(self.learner.run)
            self._spawn(self.factors.run)
        self._spawn(self._follow_catalogue)
        self._spawn(partial(follow_ends, self.settings.kafka, self.names.events, lambda: self.ownership.owned))
        self._spawn(self.lists.run)
        self._spawn(self.features.run)
        self._spawn(self.features.probe)
        self._spawn(self.stopped.run)
        if self.intake is not None:
            self._spawn(self.intake.run)
        self._spawn(self._checkpoint)
        self._spawn(self._beat)
        self._spawn(self.latency.watch)
        self._spawn(partial(garbage.collect_when_idle, lambda: self.pulse.folded))
        Watchdog(
            self.pulse,
            not_ready_s=self.settings.load_timeout_s + self.settings.request_timeout_s,
            standstill_s=self.settings.standstill_s,
            unsaved_s=self.settings.checkpoint_max_s + self.settings.standstill_s,
        ).start()
        self.report("started", group=self.names.group, broker=self.settings.broker)

    async def serve_metrics(self) -> None:
        """Serve metrics and the answers to probes, if the settings say where; before all else, for it may be refused.

        Raises
        ------
        ServiceError
            If the address cannot be had.
        """
        if not self.settings.metrics_listen_port:
            return
        from app.metrics.server import MetricsServer  # and its libraries: not for workers that serve none

        self._metrics = MetricsServer(self, self.settings.metrics_listen_host, self.settings.metrics_listen_port)
        await self._metrics.start()

    async def stop(self) -> None:
        """Let everything go; the last checkpoint has been taken by the consumer."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.intake is not None:
            await self.intake.stop()
        if self._metrics is not None:
            await self._metrics.stop()
        for closing in (self.dead_letters.stop(), self.store.close()):
            try:
                await asyncio.wait_for(closing, 1.0)
            except Exception as error:  # noqa: BLE001 the last step of a shutdown: told, and no reason to fail
                logger.warning("while stopping: %r", error)
        self.report("stopped")

    async def fatal(self, error: BaseException) -> None:
        """End the worker because of an error; the first one counts."""
        if self.error is None:
            self.error = error
            self.pulse.fatal_since = time.monotonic()
            try:
                self.report("fatal", error=f"{type(error).__name__}: {error}")
            finally:
                await self.app.crash(error)

    def _changed(self, owned: dict[int, OwnedPartition]) -> None:
        n_partitions = self._counts[self.names.events]
        self.view.n_partitions = n_partitions
        self.view.own(owned)
        self.since.own((number, FoldCounts(partition.state)) for number, partition in owned.items())
        self.catalogue.mark_all()
        if self.intake is not None:
            self.intake.own(owned)
        if self.learner is not None:
            self.learner.own(is_here=LEARNS_WHERE in owned)
        if owned:
            garbage.settle()
        for partition in owned.values():
            partition.state.evaluator.on_test = self.lists.took
        self.lists.own(owned.values())
        self.follower.follow(set(range(n_partitions)) - owned.keys() if owned else set())

    async def _follow_catalogue(self) -> None:
        topic = self.names.catalogue
        n_partitions = self._counts[topic]
        await run_catalogue(self.settings.kafka, topic, n_partitions, catalogue=self.catalogue, view=self.view)

    def _spawn(self, work: Callable[[], Awaitable[None]]) -> None:
        self._tasks.append(asyncio.create_task(self._guarded(work)))

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        """Whatever dies in the background ends the worker."""
        try:
            await work()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            logger.exception("a background task died")
            await self.fatal(error)

    async def _checkpoint(self) -> None:
        while True:
            await asyncio.sleep(CHECKPOINT_POLL_S)
            await self.ownership.checkpoint_due()

    async def _beat(self) -> None:
        held = False
        while True:
            await asyncio.sleep(REPORT_S)
            ownership, pulse = self.ownership, self.pulse
            before, pulse.beat = pulse.beat, time.monotonic()
            if held and pulse.beat - before > self.settings.session_timeout_s:
                await self.fatal(
                    ServiceError(
                        f"the process stood still for {pulse.beat - before:.1f} s, longer than its session of "
                        f"{self.settings.session_timeout_s:g} s: others have its partitions by now. Start it again."
                    )
                )
            held = bool(ownership.owned)
            await self._ask_the_group()
            self.readiness.look()
            pulse.lag = ownership.n_waiting
            pulse.unsaved_since = min((p.unsaved_since(pulse.beat) for p in ownership.owned.values()), default=None)
            waiting = bool(ownership.assigned) and not ownership.ready
            pulse.waiting_since = (pulse.waiting_since or pulse.beat) if waiting else None
            if ownership.owned and self.report.as_json:
                self.report("progress", **self.progress())

    async def _ask_the_group(self) -> None:
        """Before it has partitions, nobody else does."""
        consumer = self.transport.created
        if consumer is not None:
            consumer.look_for_topic()
        error = None if self.ownership.ready or consumer is None else consumer.group_error()
        if error is not None and not self.app.should_stop:
            await self.fatal(
                ServiceError(f"this worker cannot join group {self.names.group}: {not_allowed(error) or repr(error)}")
            )

    def progress(self) -> dict[str, Any]:
        """Where every partition stands."""
        owned = self.ownership.owned
        more = {} if self.intake is None else {"intake": self.intake.progress()}
        if self.learner is not None and self.learner.is_here:
            more["learner"] = self.learner.progress(self.ownership.saves.lessons_at)
        return {
            "partitions": {number: owned[number].state.next_offset for number in owned},
            "durable": {number: owned[number].durable_offset or 0 for number in owned},
            "lag": sum(partition.lag for partition in owned.values()),
            "stopped": self.stopped.as_json(),
            "unpublished": sum(len(p.unpublished) + len(p.out_of_reach) + len(p.rebuild) for p in owned.values()),
            "published": self.lists.n_published,
            "refused": self.lists.n_refused,
            "stale": self.features.n_stale,
            "stall_ms": self.latency.take_stall_ms(),
            "checkpoint_stall_ms": self.ownership.take_hold_ms(),
            "latency": self.latency.as_json(),
            "live": self.gauge.as_json(),
            "blend": self.lists.blend.as_json(),
            **more,
        }
