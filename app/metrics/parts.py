"""What metrics are read from: the parts of a worker."""

from typing import Protocol

from app.intake.intake import Intake
from app.metrics.since import SinceStart
from app.settings import Settings
from app.worker.catalogue import Catalogue
from app.worker.chunk_sizes import ChunkSizes
from app.worker.features import FeaturePublisher
from app.worker.gauge import LiveGauge
from app.worker.latency import Latency
from app.worker.learner import LearnerService
from app.worker.lists import ListPublisher
from app.worker.outputs import WorkerOutputs
from app.worker.ownership import Ownership
from app.worker.readiness import Readiness


class Parts(Protocol):
    """A worker, as far as it is measured: each part is read and none is changed."""

    settings: Settings
    ownership: Ownership
    readiness: Readiness
    lists: ListPublisher
    features: FeaturePublisher
    outputs: WorkerOutputs
    latency: Latency
    chunk_sizes: ChunkSizes
    catalogue: Catalogue
    gauge: LiveGauge
    intake: Intake | None
    learner: LearnerService | None
    since: SinceStart
