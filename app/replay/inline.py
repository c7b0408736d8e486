"""Replay in process: the very fold of the worker, without broker or Redis."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass

from agents.users import fold_events
from app.replay.fit import fit
from app.replay.records import LogHash, LogRecord
from app.replay.result import ReplayResult
from models.errors import InvalidEvent
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
    """Consecutive records of the one partition."""

    records: list[InlineRecord]
    partition: int = 0
    generation: int = 0


@dataclass(slots=True)
class InlinePartition:
    """The one partition."""

    state: PartitionState


class InlineOutputs:
    """Outputs of a fold that nobody reads from: only the state counts."""

    def __init__(self, state: PartitionState) -> None:
        self._partition = InlinePartition(state)

    def partition(self, number: int, generation: int) -> InlinePartition | None:
        """The one there is."""
        return self._partition

    def dead_letter(self, partition: object, record: object, invalid: InvalidEvent) -> None:
        """Counted by the state already."""

    async def touched(self, partition: object, user_ids: Sequence[str], n_records: int) -> None:
        """Lists are made at the end."""


def replay_inline(
    records: Iterable[LogRecord], settings: FoldSettings, *, chunk_records: int = 1000, start_ms: int | None = None
) -> ReplayResult:
    """Fold a log in one partition, cut into chunks of `chunk_records`, which changes nothing but the speed."""
    state = PartitionState(0, 1, settings)
    started_ms = int(time.time() * 1000) if start_ms is None else start_ms
    log_hash = LogHash()

    def numbered() -> Iterator[InlineRecord]:
        for offset, record in enumerate(records):
            sent = fit(record)
            log_hash.add(sent)
            yield InlineRecord(offset, started_ms, sent.key, sent.value)

    async def chunks() -> AsyncIterator[InlineChunk]:
        chunk: list[InlineRecord] = []
        for record in numbered():
            chunk.append(record)
            if len(chunk) == chunk_records:
                yield InlineChunk(chunk)
                chunk = []
        if chunk:
            yield InlineChunk(chunk)

    started = time.perf_counter()
    asyncio.run(fold_events(chunks(), outputs=InlineOutputs(state)))
    return ReplayResult(state.next_offset, time.perf_counter() - started, log_hash.hexdigest(), [state])
