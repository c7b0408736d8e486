"""Replay in process: the very fold of the worker, without broker or Redis."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from agents.users import fold_events
from app.replay.fit import fit
from app.replay.records import LogHash, LogRecord
from app.replay.result import ReplayResult
from models.errors import InvalidEvent
from models.partitioner import partition_of
from tables.fold_settings import FoldSettings
from tables.partition import PartitionState


@dataclass(slots=True)
class InlineRecord:
    """A record as the agent sees it; `timestamp` is the start of the replay."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


@dataclass(slots=True)
class InlineChunk:
    """Consecutive records of one partition."""

    records: list[InlineRecord]
    partition: int = 0
    generation: int = 0
    fetched_at: float = 0.0


@dataclass(slots=True)
class InlinePartition:
    """One partition."""

    state: PartitionState


class InlineOutputs:
    """Outputs of a fold that nobody reads from: only the states count."""

    def __init__(self, states: Sequence[PartitionState]) -> None:
        self._partitions = [InlinePartition(state) for state in states]

    def partition(self, number: int, generation: int, fetched_at: float) -> InlinePartition | None:
        """The partition: all are owned."""
        return self._partitions[number]

    def dead_letter(self, partition: object, record: object, invalid: InvalidEvent) -> None:
        """Counted by the state already."""

    def done(self, number: int, first_offset: int) -> None:
        """Nothing waits for it."""

    def touched(self, partition: InlinePartition, users: object, records: object) -> None:
        """Lists are made at the end, and nobody learns from several partitions."""
        partition.state.take_lessons()

    async def hold_back(self, partition: object) -> None:
        """Nothing is on its way."""


def replay_inline(
    records: Iterable[LogRecord],
    settings: FoldSettings,
    *,
    partitions: int = 1,
    chunk_records: int = 1000,
    start_ms: int | None = None,
) -> ReplayResult:
    """Fold a log, in as many partitions as asked for, cut into chunks of `chunk_records`, which changes nothing.

    Parameters
    ----------
    start_ms
        What every record's own time is; now by default.
    """
    states = [PartitionState(number, partitions, settings) for number in range(partitions)]
    started_ms = int(time.time() * 1000) if start_ms is None else start_ms
    log_hash = LogHash()

    async def chunks() -> AsyncIterator[InlineChunk]:
        waiting: list[list[InlineRecord]] = [[] for _ in states]
        offsets = [0] * partitions
        for record in records:
            sent = fit(record)
            log_hash.add(sent)
            number = partition_of(sent.key, partitions, settings.partitioner) if partitions > 1 else 0
            waiting[number].append(InlineRecord(offsets[number], started_ms, sent.key, sent.value))
            offsets[number] += 1
            if len(waiting[number]) == chunk_records:
                yield InlineChunk(waiting[number], number)
                waiting[number] = []
        for number, rest in enumerate(waiting):
            if rest:
                yield InlineChunk(rest, number)

    started = time.perf_counter()
    asyncio.run(fold_events(chunks(), outputs=InlineOutputs(states)))
    n_records = sum(state.next_offset for state in states)
    return ReplayResult(n_records, time.perf_counter() - started, log_hash.hexdigest(), states)
