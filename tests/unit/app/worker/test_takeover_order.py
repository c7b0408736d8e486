"""Partitions taken over: by the newest assignment alone, and never between a revocation and the next assignment."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from app.settings import Settings
from app.worker import ownership
from app.worker.owned import OwnedPartition
from app.worker.ownership import Ownership
from tables.fold_settings import FoldSettings
from tables.partition import PartitionState


class Events(list[str]):
    """What happened, in order."""

    def writer(self, *_: object) -> "Writer":
        """A writer that tells of itself."""
        return Writer(self, sum(event.startswith("start") for event in self) + 1)


class Writer:
    """Stands for a transactional producer: who starts fences off whoever started before."""

    def __init__(self, events: Events, number: int) -> None:
        self.events, self.number = events, number

    async def start(self) -> None:
        self.events.append(f"start {self.number}")

    async def stop(self) -> None:
        await asyncio.sleep(0)
        self.events.append(f"stop {self.number}")


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> Events:
    """What happens to the partition and its writers; the first load never ends by itself."""
    events = Events()

    async def read_partition(number: int, n: int, writer: Any, *_: object) -> OwnedPartition:
        if writer.number == 1:
            await asyncio.Event().wait()
        return OwnedPartition(PartitionState(number, n, FoldSettings()), writer)

    monkeypatch.setattr(ownership, "CheckpointWriter", events.writer)
    monkeypatch.setattr(ownership, "read_partition", read_partition)
    return events


def worker(events: Events) -> Ownership:
    """A worker that tells what it reports."""

    async def fatal(error: BaseException) -> None:
        raise error

    def report(event: str, **fields: Any) -> None:
        events.append(f"{event} {fields.get('generation', '')}".strip())

    return Ownership(Settings(), {}, changed=lambda owned: None, fatal=fatal, report=report)


def assign(one: Ownership, generation: int) -> None:
    """One partition is assigned."""

    async def ranges() -> Mapping[int, tuple[int, int]]:
        return {0: (0, 0)}

    async def seek(offsets: Mapping[int, int]) -> None:
        pass

    one.n_partitions = 1
    one.assign(generation, {0}, ranges, seek)


async def settle() -> None:
    """Let every task run on as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_a_second_assignment_ends_the_first_load(events: Events) -> None:
    """Two loads side by side would fence each other off: the older one gives its producer back first."""

    async def main() -> None:
        one = worker(events)
        assign(one, 1)
        await settle()
        assign(one, 2)
        await settle()
        assert one.ready

    asyncio.run(main())
    assert events == ["start 1", "stop 1", "start 2", "ready 2"]


def test_nothing_is_taken_over_after_a_revocation(events: Events) -> None:
    """Faust may ask for the old generation's positions once it is given back: only the next assignment counts."""

    async def main() -> None:
        one = worker(events)
        one.given()
        await one.revoke(1.0)
        assign(one, 1)
        await settle()
        assert events == []
        assert not one.assigned
        one.given()
        events.append("start 0")  # so that the next load is one that ends
        assign(one, 2)
        await settle()
        assert one.ready

    asyncio.run(main())
    assert events == ["start 0", "start 2", "ready 2"]
