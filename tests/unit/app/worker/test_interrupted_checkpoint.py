"""A checkpoint that is broken off: nothing of what it was about to save may count as saved."""

import asyncio
from typing import Any

import pytest

from app.settings import Settings
from app.worker import ownership
from app.worker.owned import OwnedPartition
from app.worker.ownership import Ownership
from tables.cutting import Cut
from tables.fold_settings import FoldSettings
from tables.partition import PartitionState
from tests.logs import made_log
from tests.saved import Topics, everything, fold_all


class Writer:
    """Writes into memory, or fails."""

    def __init__(self, *, fails: bool = False) -> None:
        self.topics = Topics()
        self.fails = fails

    async def write(self, cut: Cut) -> None:
        if self.fails:
            raise OSError("the broker is gone")
        self.topics.save(cut)


def owned(writer: Writer) -> tuple[Ownership, OwnedPartition]:
    """One partition with 200 events folded and nothing saved."""

    async def fatal(error: BaseException) -> None:
        raise error

    partition = OwnedPartition(PartitionState(0, 1, FoldSettings()), writer)  # type: ignore[arg-type]  # a fake
    fold_all(partition.state, made_log(3, 200))
    parts: dict[str, Any] = {"changed": lambda owned: None, "fatal": fatal, "report": lambda event, **fields: None}
    return Ownership(Settings(), {}, **parts), partition


async def cancelled_while_encoding(worker: Ownership, partition: OwnedPartition) -> None:
    """What a revocation does that has no time left."""
    checkpoint = asyncio.create_task(worker.checkpoint(partition))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    checkpoint.cancel()
    with pytest.raises(asyncio.CancelledError):
        await checkpoint


async def refused(worker: Ownership, partition: OwnedPartition) -> None:
    """The broker does not take it."""
    with pytest.raises(OSError, match="the broker is gone"):
        await worker.checkpoint(partition)


@pytest.mark.parametrize("broken_off", [cancelled_while_encoding, refused])
def test_what_was_not_saved_is_saved_by_the_next_one(broken_off: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The partition may come back to the same worker with its memory: then the next checkpoint has to hold it all."""
    monkeypatch.setattr(ownership, "VALUES_PER_SLICE", 1)
    writer = Writer(fails=broken_off is refused)
    worker, partition = owned(writer)

    async def run() -> None:
        await broken_off(worker, partition)
        assert not writer.topics.history
        assert partition.durable_offset != partition.state.next_offset
        writer.fails = False
        fold_all(partition.state, made_log(3, 250)[200:])
        await worker.checkpoint(partition)

    asyncio.run(run())
    loaded = Topics.load(PartitionState(0, 1, FoldSettings()), writer.topics.history)
    assert everything(loaded) == everything(partition.state)


class FrozenWriter(Writer):
    """Its broker answers no more."""

    async def write(self, cut: Cut) -> None:
        await asyncio.sleep(3600.0)

    async def stop(self) -> None:
        """Takes no time."""


def test_a_checkpoint_without_an_answer_holds_up_neither_revocation_nor_the_next_generation() -> None:
    """The partition is given back in the time there is; what it wanted to save is dirty again; others are saved."""
    worker, frozen = owned(FrozenWriter())
    thawed = Writer()
    _, other = owned(Writer())

    async def saved_by(partition: OwnedPartition, owned: dict[int, OwnedPartition]) -> asyncio.Task[None]:
        partition.last_checkpoint -= 100.0
        worker.owned = owned
        saving = asyncio.create_task(worker.checkpoint_due())
        await asyncio.sleep(0.05)
        return saving

    async def run() -> None:
        saving = await saved_by(frozen, {0: frozen})
        assert not saving.done()
        await asyncio.wait_for(worker.revoke(0.1), 5.0)
        await asyncio.wait_for(saving, 5.0)
        assert frozen.durable_offset is None and not frozen.checkpoint_lock.locked()
        await asyncio.wait_for(await saved_by(other, {0: other}), 5.0)
        frozen.writer = thawed  # type: ignore[assignment]  # a fake
        await asyncio.wait_for(await saved_by(frozen, {0: frozen}), 5.0)

    asyncio.run(run())

    assert other.durable_offset == other.state.next_offset
    loaded = Topics.load(PartitionState(0, 1, FoldSettings()), thawed.topics.history)
    assert everything(loaded) == everything(frozen.state)


def test_an_error_of_a_partition_that_is_owned_ends_the_worker() -> None:
    """The loop raises it; one of a partition that was given back meanwhile is nobody's any more."""
    worker, partition = owned(Writer(fails=True))
    partition.last_checkpoint -= 100.0
    worker.owned = {0: partition}
    with pytest.raises(OSError, match="the broker is gone"):
        asyncio.run(worker.checkpoint_due())

    async def given_back() -> None:
        saving = asyncio.create_task(worker.checkpoint_due())
        await asyncio.sleep(0)
        worker.owned = {}
        await saving

    asyncio.run(given_back())
