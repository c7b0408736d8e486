"""The share agent: what other workers' partitions know of items."""

import asyncio
from collections.abc import AsyncIterable, Callable, Collection, Mapping, Sequence
from typing import Protocol, TypeVar

SLICE_S = 0.001  # of values applied between two turns of the event loop


class Record(Protocol):
    """One record of `<app>.items`."""

    @property
    def key(self) -> bytes:
        """Its item."""

    @property
    def value(self) -> bytes | None:
        """What its partition knows of it; None: nothing any more."""


R_co = TypeVar("R_co", bound=Record, covariant=True)


class Batch(Protocol[R_co]):
    """What has come."""

    @property
    def records(self) -> Mapping[int, Sequence[R_co]]:
        """By partition, in the order of each."""

    @property
    def reached(self) -> Collection[int]:
        """Partitions of which all has come that they held when they began to be followed."""


class Share(Protocol):
    """What one partition knows of items."""

    def apply(self, item_id: str, data: bytes | None, /) -> None:
        """Take one record."""


class Shares(Protocol):
    """Those of the partitions that are followed."""

    def of(self, number: int) -> Share | None:
        """That of a partition; None if it is not followed."""

    def show(self, reached: Collection[int]) -> None:
        """Put those that are read as far as they were awaited into the view."""


async def follow_shares(batches: AsyncIterable[Batch[Record]], *, shares: Shares, clock: Callable[[], float]) -> None:
    """Apply what comes of each share, and show those that are whole; other tasks have their turn in between.

    Reads `<app>.items`; writes the shares of other workers' partitions in the item view; key: item_id. A value that
    cannot be read ends the worker: whoever holds that partition next cannot read it either.

    Parameters
    ----------
    clock
        Seconds, for slices of equal length: values differ in size.
    """
    async for batch in batches:
        for number, records in batch.records.items():
            share = shares.of(number)
            if share is None:
                continue
            began = clock()
            for record in records:
                share.apply(record.key.decode(), record.value)
                if clock() - began > SLICE_S:
                    await asyncio.sleep(0)
                    began = clock()
        shares.show(batch.reached)
