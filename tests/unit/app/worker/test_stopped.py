"""Stopped partitions: told once, no standstill, and on when they can."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from app.batches import Batch, first_batch
from app.settings import Settings
from app.worker import stopped as module
from app.worker.owned import OwnedPartition
from app.worker.ownership import Ownership
from app.worker.stop import Stop
from app.worker.stopped import StoppedPartitions
from tables.fold_settings import FoldSettings
from tables.partition import PartitionState
from tables.skips import Skip
from tests.batches import batch_bytes, damaged
from tests.logs import made_log
from tests.saved import fold_all

AT, BEHIND = 200, 230
STOP = Stop("user_events", 0, AT, "EOFError", AT, 1)
BAD, GOOD = first_batch(damaged(batch_bytes(AT, 30))), first_batch(batch_bytes(AT, 30))
SKIP = Skip("user_events", 0, AT, BEHIND, BAD.sha256, "EOFError", len(BAD.data), 0)


class Scene:
    """One partition with records up to a batch, and whoever looks after it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, n_folded: int = AT) -> None:
        self.batch, self.skips = BAD, list[Skip]()
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.went_on: list[int] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.owned = OwnedPartition(PartitionState(0, 1, FoldSettings()), None)  # type: ignore[arg-type]  # saves nothing
        fold_all(self.owned.state, made_log(3, n_folded))
        self.owned.end_offset = AT + 1000
        parts: dict[str, Any] = {"changed": lambda owned: None, "fatal": None}
        self.ownership = Ownership(Settings(), {}, report=self.report, **parts)
        self.ownership.owned = {0: self.owned}
        self.stopped = StoppedPartitions(Settings(), self.ownership, self.go_on, self.report)
        for name, fake in (("reader", lambda kafka: self), ("start_client", nothing), ("raw_batch", self.raw_batch)):
            monkeypatch.setattr(module, name, fake)
        monkeypatch.setattr(module, "read_skips", self.read_skips)

    def report(self, event: str, **fields: Any) -> None:
        self.told.append((event, fields))

    async def go_on(self, stop: Stop, offset: int) -> None:
        self.went_on.append(offset)

    async def raw_batch(self, *_: object) -> Batch:
        self.meanwhile()
        return self.batch

    async def read_skips(self, settings: Settings) -> list[Skip]:
        return self.skips

    async def stop(self) -> None:
        """As a consumer."""

    def look(self) -> None:
        asyncio.run(self.stopped._look())


async def nothing(*_: object) -> None:
    """Start no client."""


def test_a_stop_is_told_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """However often it is looked at, and taken over anew: place, batch, codec and the command."""
    scene = Scene(monkeypatch)
    for _ in range(3):
        scene.stopped.take(STOP)
        scene.look()

    assert scene.told == [
        (
            "partition_stopped",
            {"topic": "user_events", "partition": 0, "offset": AT, "why": "EOFError"}
            | {"first": AT, "behind": BEHIND, "bytes": len(BAD.data), "codec": "none"},
        )
    ]
    assert len(caplog.messages) == 1 and "`freshet stopped skip 0 200`" in caplog.messages[0]
    assert scene.stopped.as_json() == {0: {"topic": "user_events", "offset": AT, "why": "EOFError"}}


def test_records_behind_a_stop_do_not_wait_for_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are lag, but no standstill; those before it, not yet folded, still are."""
    scene = Scene(monkeypatch, n_folded=150)
    assert scene.ownership.n_waiting == 1050
    scene.stopped.take(STOP)
    assert scene.ownership.n_waiting == 50

    fold_all(scene.owned.state, made_log(3, AT)[150:])
    scene.ownership.handed_out[0] = AT
    assert (scene.ownership.n_waiting, scene.owned.lag) == (0, 1000)


def test_a_skip_waits_for_what_lies_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The state steps over the batch when it has folded all before it, and then goes on behind it; both are counted."""
    scene = Scene(monkeypatch, n_folded=150)
    scene.skips = [SKIP]
    scene.stopped.take(STOP)
    scene.look()
    assert (scene.went_on, scene.owned.state.next_offset) == ([], 150)

    fold_all(scene.owned.state, made_log(3, AT)[150:])
    scene.look()

    assert (scene.went_on, scene.owned.state.next_offset, scene.owned.stop) == ([BEHIND], BEHIND, None)
    counts = scene.owned.state.metrics.counts
    assert (counts["undecodable.batches"], counts["undecodable.offsets"]) == (1, 30)
    assert [event for event, _ in scene.told] == ["partition_goes_on"]


def test_a_batch_that_can_be_read_again_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log was mended: from the stop on, with nothing stepped over, whatever was ordered."""
    scene = Scene(monkeypatch)
    scene.skips, scene.batch = [SKIP], GOOD
    scene.stopped.take(STOP)
    scene.look()

    assert (scene.went_on, scene.owned.state.next_offset, scene.owned.stop) == ([AT], AT, None)
    assert "undecodable.batches" not in scene.owned.state.metrics.counts


def test_nothing_happens_to_what_was_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Revoked while the broker was asked: the state is another worker's by now."""
    scene = Scene(monkeypatch)
    scene.skips = [SKIP]
    scene.stopped.take(STOP)
    scene.meanwhile = scene.ownership.owned.clear
    scene.look()

    assert (scene.went_on, scene.told, scene.owned.state.next_offset) == ([], [], AT)


def test_a_stop_of_a_partition_that_is_gone_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It came too late."""
    scene = Scene(monkeypatch)
    scene.ownership.owned = {}
    scene.stopped.take(STOP)

    assert scene.owned.stop is None
