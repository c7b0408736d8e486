"""When a checkpoint is due, and how fast it is made: events have most of the time while they flow."""

import asyncio
from time import monotonic, thread_time

import pytest

from app.worker import ownership
from app.worker.ownership import ENCODING_SHARE_NOW
from tables.cutting import Cutting
from tests.unit.app.worker.test_interrupted_checkpoint import Writer, owned


@pytest.mark.parametrize(
    ("age_s", "quiet_s", "encode_s", "is_due"),
    [
        (0.5, 5.0, 0.0, False),  # the interval comes first
        (1.5, 0.0, 0.0, True),
        (1.5, 0.0, 0.3, False),  # 0.3 s are worth 15 s of events
        (16.0, 0.0, 0.3, True),
        (1.5, 0.5, 0.3, True),  # nothing is there to be held up
    ],
)
def test_due(age_s: float, quiet_s: float, encode_s: float, is_due: bool) -> None:
    """A partition is saved once a second; under load less often if that costs much, and at once after the load."""
    writer = Writer()
    worker, partition = owned(writer)
    worker.owned[0] = partition
    partition.encodings_s.extend([encode_s, encode_s])
    partition.last_checkpoint = monotonic() - age_s
    worker.folded_at = monotonic() - quiet_s

    asyncio.run(worker.checkpoint_due())

    assert bool(writer.topics.history) is is_due


def test_one_slow_encoding_holds_up_nothing() -> None:
    """A collection of garbage in the middle of one: the next one comes as early as always."""
    writer = Writer()
    worker, partition = owned(writer)
    worker.owned[0] = partition
    partition.encodings_s.append(3.0)
    partition.last_checkpoint = monotonic() - 1.5
    worker.folded_at = monotonic()

    asyncio.run(worker.checkpoint_due())

    assert writer.topics.history


@pytest.mark.parametrize(
    ("is_owned", "quiet_s", "rest"),
    [
        (True, 0.0, 1 / ENCODING_SHARE_NOW - 1),
        (True, 5.0, 0.0),  # nobody has anything else to do
        (False, 0.0, 0.0),  # revoked: the next owner waits for it
    ],
)
def test_pace(monkeypatch: pytest.MonkeyPatch, is_owned: bool, quiet_s: float, rest: float) -> None:
    """A slice of a checkpoint rests for a multiple of the time it took, unless somebody waits or nobody works."""
    worker, partition = owned(Writer())
    worker.owned = {0: partition} if is_owned else {}
    rests: list[float] = []
    go_on, next_turn = Cutting.go_on, asyncio.sleep

    def slow(cutting: Cutting, n: int) -> bool:
        until = thread_time() + 0.002
        while thread_time() < until:
            pass
        return go_on(cutting, n)

    async def resting(seconds: float) -> None:
        rests.append(seconds)
        worker.folded_at = monotonic() - quiet_s
        await next_turn(0)

    worker.folded_at = monotonic() - quiet_s
    monkeypatch.setattr(Cutting, "go_on", slow)
    monkeypatch.setattr(ownership, "VALUES_PER_SLICE", 5)
    monkeypatch.setattr("app.worker.ownership.asyncio.sleep", resting)
    asyncio.run(worker.checkpoint(partition))

    assert len(rests) > 3
    assert all(seconds >= 0.002 * rest if rest else seconds == 0 for seconds in rests)
