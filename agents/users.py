"""The user agent: the one pass over the events."""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from functools import partial
from typing import Protocol, TypeVar

from agents.slices import LONG, Arrivals, Chunk
from models.errors import InvalidEvent


class Record(Protocol):
    """One record of `user_events`."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


R = TypeVar("R", bound=Record)
R_contra = TypeVar("R_contra", bound=Record, contravariant=True)


class State(Protocol):
    """What records are folded into."""

    def fold_many(self, records: Iterable[Record]) -> Sequence[str | InvalidEvent | None]:
        """Take records: for each the user touched, why it is no event, or None."""

    def give_up(self) -> None:
        """Never let this state be saved: something that belongs to it is lost."""


class Partition(Protocol):
    """A partition that this worker owns."""

    @property
    def state(self) -> State:
        """Its state."""


P = TypeVar("P", bound=Partition)
T = TypeVar("T")


class Outputs(Protocol[P, R_contra]):
    """Where results go."""

    def partition(self, number: int, generation: int, fetched_at: float) -> P | None:
        """The partition, if it is owned and loaded in this very generation; it is the turn of records fetched then."""

    def dead_letter(self, partition: P, record: R_contra, invalid: InvalidEvent) -> None:
        """Send a record that is no event on; from now on every checkpoint waits for its acknowledgement."""

    def done(self, number: int, first_offset: int) -> None:
        """A chunk has been folded, or left: the next one may come."""

    def touched(self, partition: P, users: Mapping[str, int], records: Sequence[R_contra]) -> None:
        """Take note of users whose state changed, each with the time that its first event was appended at (Unix ms)."""

    def hold_back(self, partition: P) -> Awaitable[None]:
        """Wait while too much is on its way out."""


async def fold_events(
    chunks: AsyncIterable[Chunk[R]], *, outputs: Outputs[P, R], threads: Executor | None = None, n_together: int = 1
) -> None:
    """Fold each chunk, record by record; the event loop gets its turn between slices.

    Reads `user_events`; writes the partition's state, dead letters, and who was touched; key: user_id. A record that
    is no event goes to the dead letters; any other error ends the worker, and the log is folded again from the last
    checkpoint. A partition that is taken away in between is left at once: its state was cut where the fold stood.

    Parameters
    ----------
    threads, n_together
        Slices of up to so many partitions are folded side by side, here and in these threads, while nothing else
        runs: whoever reads a state still finds it between two records.
    """
    arrivals, n = Arrivals(chunks), n_together if threads else 1
    try:
        while await arrivals.wait(n):
            slices: list[tuple[P, Sequence[R]]] = []
            cursors = arrivals.first(n)
            for cursor in cursors:
                chunk = cursor.chunk
                partition = outputs.partition(chunk.partition, chunk.generation, chunk.fetched_at)
                if partition is None:
                    cursor.leave()
                else:
                    slices.append((partition, cursor.take()))
            fold_slices(slices, outputs, threads)
            for partition, _ in slices:
                await outputs.hold_back(partition)
            for cursor in cursors:
                if arrivals.turn(cursor):
                    outputs.done(cursor.chunk.partition, cursor.chunk.records[0].offset)
            await asyncio.sleep(0)
    finally:
        arrivals.close()


def fold_slices(
    slices: Sequence[tuple[P, Sequence[R]]], outputs: Outputs[P, R], threads: Executor | None = None
) -> None:
    """Fold some records of each of some partitions, and tell the outputs, without letting go of the event loop.

    An error in one of them is raised when the outputs know of all others: these may be saved, and what a state has
    folded must be on its way out by then.
    """
    folds = [partial(partition.state.fold_many, records) for partition, records in slices]
    errors: list[BaseException] = []
    n_records = sum(len(records) for _, records in slices)
    outcomes = _side_by_side(folds, threads) if threads and n_records >= LONG else [_here(fold) for fold in folds]
    for (partition, records), outcome in zip(slices, outcomes, strict=True):
        try:
            _tell(partition, records, outcome.result(), outputs)
        except BaseException as error:  # noqa: BLE001 raised below
            partition.state.give_up()
            errors.append(error)
    if errors:
        raise errors[0]


def _side_by_side(folds: Sequence[Callable[[], T]], threads: Executor) -> list[Future[T]]:
    """Do work here and in threads, whoever is free first; returns when all of it has ended, well or not."""
    elsewhere = [threads.submit(fold) for fold in folds[1:]]
    outcomes = [_here(folds[0]), *elsewhere]
    for place in range(len(folds) - 1, 0, -1):
        if elsewhere[place - 1].cancel():
            outcomes[place] = _here(folds[place])
    wait(outcomes)  # nobody may see a state that is still being folded
    return outcomes


def _here(fold: Callable[[], T]) -> Future[T]:
    """What came of work done at once."""
    outcome: Future[T] = Future()
    try:
        outcome.set_result(fold())
    except BaseException as error:  # noqa: BLE001 the caller's to raise
        outcome.set_exception(error)
    return outcome


def _tell(
    partition: P, records: Sequence[R], results: Sequence[str | InvalidEvent | None], outputs: Outputs[P, R]
) -> None:
    """Send dead letters on, and name the users touched, each with the time of the first of its records."""
    users: dict[str, int] = {}
    for record, result in zip(records, results, strict=True):
        if isinstance(result, InvalidEvent):
            outputs.dead_letter(partition, record, result)
        elif result is not None:
            users.setdefault(result, record.timestamp)
    outputs.touched(partition, users, records)
