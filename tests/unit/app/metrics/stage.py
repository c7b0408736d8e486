"""A worker's parts over a store that keeps what it is given, to be measured."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

from prometheus_client.parser import text_string_to_metric_families

from app.intake.intake import Intake
from app.metrics.fold_counts import FoldCounts
from app.metrics.server import Answers
from app.metrics.since import SinceStart
from app.settings import Settings
from app.worker.chunk_sizes import ChunkSizes
from app.worker.dead_letters import DeadLetterSender
from app.worker.learner import LearnerService
from app.worker.outputs import WorkerOutputs
from app.worker.ownership import Ownership
from app.worker.readiness import Readiness
from app.worker.watchdog import Pulse
from tests.unit.app.worker.test_publishers import Stage

Samples = dict[tuple[str, ...], float]


class Measured:
    """Parts of a worker that owns partition 0, with 60 events folded before it was measured."""

    def __init__(self) -> None:
        async def fatal(error: BaseException) -> None:
            raise error

        self.stage = stage = Stage()
        self.settings = Settings(metrics_ready_lag=10)
        parts: dict[str, Any] = {"changed": lambda owned: None, "fatal": fatal, "report": lambda event, **fields: None}
        self.ownership = Ownership(self.settings, {}, **parts)
        self.ownership.owned, self.ownership.ready = {0: stage.partition}, True
        self.lists, self.features = stage.lists, stage.features
        self.features.redis_error = None
        self.latency, self.gauge = stage.lists._latency, stage.lists._gauge
        self.chunk_sizes, self.catalogue = ChunkSizes(), stage.catalogue
        self.outputs = WorkerOutputs(self.ownership, cast(DeadLetterSender, None), self.lists, Pulse(), self.latency)
        self.readiness = Readiness(
            self.ownership,
            stage.view,
            unanswered=lambda: (),
            redis_error=lambda: self.features.redis_error,
            report=lambda event, **fields: None,
        )
        self.intake: Intake | None = None
        self.learner: LearnerService | None = None
        self.since = SinceStart()
        self.since.own([(0, FoldCounts(stage.state))])
        self.answers = Answers(self)

    def reads_topics(self, progress: Mapping[str, Any]) -> None:
        """Have an intake that says so."""
        self.intake = cast(Intake, SimpleNamespace(progress=lambda: progress))

    def learns(self, n_lessons: int, lag: int) -> None:
        """Have a learner that stands there."""
        self.learner = cast(LearnerService, SimpleNamespace(is_here=True, n_lessons=n_lessons, lag=lag))

    def scrape(self) -> dict[str, Samples]:
        """Samples by name and values of labels, these by their names; as Prometheus reads them."""
        found: dict[str, Samples] = {}
        for family in text_string_to_metric_families(self.answers.metrics("").body.decode()):
            for sample in family.samples:
                labels = tuple(sample.labels[name] for name in sorted(sample.labels))
                found.setdefault(sample.name, {})[labels] = sample.value
        return found
