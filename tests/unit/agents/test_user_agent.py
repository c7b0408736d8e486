"""The user agent over an async generator of chunks, with fakes for all that it works with."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from agents.users import RECORDS_PER_SLICE, fold_events, fold_slice
from models.errors import InvalidEvent


@dataclass
class Record:
    offset: int
    value: bytes | None = b"u"
    key: bytes | None = b"k"
    timestamp: int = 7


@dataclass
class Chunk:
    partition: int
    records: list[Record]
    generation: int = 1
    fetched_at: float = 0.0


class State:
    """Folds `u...` as that user; `?` is no event, empty a duplicate, `!` an error."""

    def __init__(self) -> None:
        self.offsets: list[int] = []

    def fold(self, offset: int, record_ms: int, key: bytes | None, value: bytes | None) -> str | InvalidEvent | None:
        self.offsets.append(offset)
        if value == b"!":
            raise RuntimeError("the fold is broken")
        if value == b"?":
            return InvalidEvent("not_json", "what?")
        return (value or b"").decode() or None


@dataclass
class Partition:
    state: State = field(default_factory=State)


class Outputs:
    def __init__(self) -> None:
        self.owned = {(0, 1): Partition()}
        self.letters: list[tuple[int, str]] = []
        self.users: list[Mapping[str, int]] = []
        self.n_records: list[int] = []
        self.lose_after: int | None = None
        self.chunks_done: list[tuple[int, int]] = []

    def partition(self, number: int, generation: int, fetched_at: float) -> Partition | None:
        return self.owned.get((number, generation))

    def done(self, number: int, first_offset: int) -> None:
        self.chunks_done.append((number, first_offset))

    def dead_letter(self, partition: Partition, record: Record, invalid: InvalidEvent) -> None:
        self.letters.append((record.offset, invalid.reason))

    async def touched(self, partition: Partition, users: Mapping[str, int], records: Sequence[Record]) -> None:
        self.users.append(users)
        self.n_records.append(len(records))
        if len(self.users) == self.lose_after:
            self.owned = {}


def run(outputs: Outputs, *chunks: Chunk) -> None:
    """Let the agent take these chunks."""

    async def stream() -> AsyncIterator[Chunk]:
        for chunk in chunks:
            yield chunk

    asyncio.run(fold_events(stream(), outputs=outputs))


def test_slice_names_each_user_once_in_order() -> None:
    """Users are named once, with the time of their first record; dead letters go out; duplicates touch nobody."""
    outputs, partition = Outputs(), Partition()
    values = enumerate([b"ub", b"ua", b"?", b"", b"ub", None])
    records = [Record(n, value, timestamp=100 + n) for n, value in values]

    assert list(fold_slice(partition, records, outputs).items()) == [("ub", 100), ("ua", 101)]

    assert outputs.letters == [(2, "not_json")]
    assert partition.state.offsets == [0, 1, 2, 3, 4, 5]


def test_long_chunk_is_folded_in_slices() -> None:
    """All records are folded in their order, in slices; each slice's users are told at once."""
    outputs = Outputs()
    partition = outputs.owned[0, 1]

    run(outputs, Chunk(0, [Record(n) for n in range(2 * RECORDS_PER_SLICE + 1)]))

    assert partition.state.offsets == list(range(2 * RECORDS_PER_SLICE + 1))
    assert outputs.n_records == [RECORDS_PER_SLICE, RECORDS_PER_SLICE, 1]


def test_partition_not_owned_is_left_alone() -> None:
    """Chunks of a partition that is not owned, or of another generation, are dropped; later ones are folded."""
    outputs = Outputs()
    partition = outputs.owned[0, 1]

    run(outputs, Chunk(3, [Record(1)]), Chunk(0, [Record(2)], generation=0), Chunk(0, [Record(5)]))

    assert partition.state.offsets == [5]
    assert outputs.chunks_done == [(3, 1), (0, 2), (0, 5)], "whatever became of it, the next chunk may come"


def test_partition_lost_in_mid_chunk_is_left_at_once() -> None:
    """Nothing is folded into a state that has been cut and given away."""
    outputs = Outputs()
    partition = outputs.owned[0, 1]
    outputs.lose_after = 1

    run(outputs, Chunk(0, [Record(n) for n in range(3 * RECORDS_PER_SLICE)]))

    assert partition.state.offsets == list(range(RECORDS_PER_SLICE))


def test_error_in_the_fold_ends_the_agent() -> None:
    """An error that is no bad event is not swallowed."""
    with pytest.raises(RuntimeError, match="the fold is broken"):
        run(Outputs(), Chunk(0, [Record(0, b"!")]))
