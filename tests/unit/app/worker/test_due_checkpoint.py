"""When a checkpoint is due: soon once events pause, later while its cost would take too much of their time."""

import asyncio
from time import monotonic

import pytest

from tests.unit.app.worker.test_interrupted_checkpoint import Writer, owned


@pytest.mark.parametrize(
    ("age_s", "quiet_s", "encode_s", "is_due"),
    [
        (0.5, 5.0, 0.0, False),  # the interval comes first
        (1.5, 0.0, 0.0, True),
        (1.5, 0.0, 0.3, False),  # 0.3 s are worth 10 s of events
        (11.0, 0.0, 0.3, True),
        (1.5, 0.5, 0.3, True),  # nothing is there to be held up
    ],
)
def test_due(age_s: float, quiet_s: float, encode_s: float, is_due: bool) -> None:
    """A partition is saved once a second; under load less often if that costs much, and at once after the load."""
    writer = Writer()
    worker, partition = owned(writer)
    worker.owned[0] = partition
    partition.encode_s = encode_s
    partition.last_checkpoint = monotonic() - age_s
    worker.folded_at = monotonic() - quiet_s

    asyncio.run(worker.checkpoint_due())

    assert bool(writer.topics.history) is is_due
