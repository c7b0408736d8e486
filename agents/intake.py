"""The intake agent: their records in, plain events out."""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from models.errors import InvalidEvent, SchemaUnavailable

RECORDS_BETWEEN_TURNS = 50  # of the event loop: lists wait for each slice


class Record(Protocol):
    """One record of a topic of theirs."""

    @property
    def topic(self) -> str:
        """Where it lies."""

    @property
    def partition(self) -> int:
        """Where it lies in its topic."""

    @property
    def offset(self) -> int:
        """Where it lies in its partition."""


class Event(Protocol):
    """A record in the plain form."""

    @property
    def key(self) -> bytes:
        """Its user, or its item."""

    @property
    def value(self) -> bytes | None:
        """What is told; None: it is gone."""


R = TypeVar("R", bound=Record)
R_contra = TypeVar("R_contra", bound=Record, contravariant=True)


class Reads(Protocol[R_contra]):
    """Knows what their records mean."""

    def prepare(self, records: Sequence[R_contra]) -> Awaitable[None]:
        """Fetch what reading these records takes; raises SchemaUnavailable."""

    def read(self, record: R_contra) -> tuple[str, Iterable[Event]]:
        """The topic that it belongs to and its plain records; raises InvalidEvent and SchemaUnavailable."""


@dataclass(slots=True)
class Mapped(Generic[R]):
    """What some records come to.

    Parameters
    ----------
    positions
        Topic and partition -> the offset behind the last record looked at.
    plain
        Topic -> plain records, in the order of what they come from.
    letters
        Records that are no events, and why.
    n_read
        Records looked at.
    waiting, missing
        The record whose schema cannot be had, and why: it waits, and what comes after it.
    """

    positions: dict[tuple[str, int], int] = field(default_factory=dict)
    plain: dict[str, list[Event]] = field(default_factory=dict)
    letters: list[tuple[R, InvalidEvent]] = field(default_factory=list)
    n_read: int = 0
    waiting: R | None = None
    missing: SchemaUnavailable | None = None


class Writes(Protocol[R]):
    """Where results go."""

    def write(self, mapped: Mapped[R]) -> Awaitable[None]:
        """Write everything and the positions, all or nothing."""


async def take_in(batches: AsyncIterable[Sequence[R]], *, source: Reads[R], output: Writes[R]) -> None:
    """Map each batch, fan it out, and write it in one transaction with the input positions that it leads to.

    Reads topics of theirs; writes `user_events`, `items` or `users`, and dead letters; key: user_id or item_id. A
    record with a bad element is a dead letter as a whole. Where a schema cannot be had, what comes before is written
    and SchemaUnavailable raised: the partition waits. Any other error leaves the transaction undone.
    """
    async for records in batches:
        mapped = await map_records(records, source)
        await output.write(mapped)
        if mapped.missing is not None:
            raise mapped.missing


async def map_records(records: Sequence[R], source: Reads[R]) -> Mapped[R]:
    """What some records come to, up to the first one whose schema cannot be had; others get their turn in between."""
    mapped: Mapped[R] = Mapped()
    is_prepared = await _is_prepared(records, source)
    for record in records:
        try:
            if not is_prepared:
                await source.prepare([record])
            topic, events = source.read(record)
            mapped.plain.setdefault(topic, []).extend(events)
        except InvalidEvent as invalid:
            mapped.letters.append((record, invalid))
        except SchemaUnavailable as missing:
            mapped.waiting, mapped.missing = record, missing
            return mapped
        mapped.positions[record.topic, record.partition] = record.offset + 1
        mapped.n_read += 1
        if mapped.n_read % RECORDS_BETWEEN_TURNS == 0:
            await asyncio.sleep(0)
    return mapped


async def _is_prepared(records: Sequence[R], source: Reads[R]) -> bool:
    try:
        await source.prepare(records)
    except (SchemaUnavailable, InvalidEvent):
        return False  # each for itself, up to the one it is about
    return True
