"""The user agent: the one pass over the events."""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from models.errors import InvalidEvent

RECORDS_PER_SLICE = 200


class Record(Protocol):
    """One record of `user_events`."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


R = TypeVar("R", bound=Record)
R_co = TypeVar("R_co", bound=Record, covariant=True)
R_contra = TypeVar("R_contra", bound=Record, contravariant=True)


class Chunk(Protocol[R_co]):
    """Consecutive records of one partition."""

    @property
    def partition(self) -> int:
        """Which partition."""

    @property
    def generation(self) -> int:
        """The generation of the group in which they were fetched."""

    @property
    def fetched_at(self) -> float:
        """When they were fetched, s of a clock that never goes back."""

    @property
    def records(self) -> Sequence[R_co]:
        """The records, in offset order."""


class State(Protocol):
    """What records are folded into."""

    def fold_many(self, records: Iterable[Record]) -> Sequence[str | InvalidEvent | None]:
        """Take records: for each the user touched, why it is no event, or None."""


class Partition(Protocol):
    """A partition that this worker owns."""

    @property
    def state(self) -> State:
        """Its state."""


P = TypeVar("P", bound=Partition)


class Outputs(Protocol[P, R_contra]):
    """Where results go."""

    def partition(self, number: int, generation: int, fetched_at: float) -> P | None:
        """The partition, if it is owned and loaded in this very generation; it is the turn of records fetched then."""

    def dead_letter(self, partition: P, record: R_contra, invalid: InvalidEvent) -> None:
        """Send a record that is no event on; from now on every checkpoint waits for its acknowledgement."""

    def done(self, number: int, first_offset: int) -> None:
        """A chunk has been folded, or left: the next one may come."""

    def touched(self, partition: P, users: Mapping[str, int], records: Sequence[R_contra]) -> Awaitable[None]:
        """Take note of users whose state changed, each with the time that its first event was appended at (Unix ms).

        Waits while too much is on its way out.
        """


async def fold_events(chunks: AsyncIterable[Chunk[R]], *, outputs: Outputs[P, R]) -> None:
    """Fold each chunk, record by record; the event loop gets its turn between slices.

    Reads `user_events`; writes the partition's state, dead letters, and who was touched; key: user_id. A record that
    is no event goes to the dead letters; any other error ends the worker, and the log is folded again from the last
    checkpoint. A partition that is taken away in between is left at once: its state was cut where the fold stood.
    """
    async for chunk in chunks:
        for start in range(0, len(chunk.records), RECORDS_PER_SLICE):
            partition = outputs.partition(chunk.partition, chunk.generation, chunk.fetched_at)
            if partition is None:
                break
            records = chunk.records[start : start + RECORDS_PER_SLICE]
            users = fold_slice(partition, records, outputs)
            await outputs.touched(partition, users, records)
            await asyncio.sleep(0)
        outputs.done(chunk.partition, chunk.records[0].offset)


def fold_slice(partition: P, records: Sequence[R], outputs: Outputs[P, R]) -> dict[str, int]:
    """Fold some records of one partition without letting go of the event loop; the users touched, and since when."""
    users: dict[str, int] = {}
    for record, result in zip(records, partition.state.fold_many(records), strict=True):
        if isinstance(result, InvalidEvent):
            outputs.dead_letter(partition, record, result)
        elif result is not None:
            users.setdefault(result, record.timestamp)
    return users
