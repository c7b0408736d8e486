"""The catalogue agent: what is known of items besides events."""

import asyncio
from collections.abc import AsyncIterable, Sequence
from typing import Protocol, TypeVar

from models.errors import InvalidEvent
from tables.catalogue import Entry, parse_entry
from tables.entry_fields import entry_key

RECORDS_BETWEEN_TURNS = 500  # of the event loop


class Record(Protocol):
    """One record of `items`."""

    @property
    def key(self) -> bytes | None:
        """Its item."""

    @property
    def value(self) -> bytes | None:
        """Its entry; None: it is gone."""


R = TypeVar("R", bound=Record)
R_co = TypeVar("R_co", bound=Record, covariant=True)
R_contra = TypeVar("R_contra", bound=Record, contravariant=True)


class Batch(Protocol[R_co]):
    """What has come."""

    @property
    def records(self) -> Sequence[R_co]:
        """In the order of each partition."""

    @property
    def is_caught_up(self) -> bool:
        """Whether all that the topic held at the start has come."""


class View(Protocol):
    """What lists are made from."""

    knows_catalogue: bool


V = TypeVar("V", bound=View)
V_contra = TypeVar("V_contra", bound=View, contravariant=True)


class Catalogue(Protocol[R_contra, V_contra]):
    """What is known of items."""

    def take(self, item_id: str, entry: Entry | None) -> None:
        """Take an entry; None: the item is gone."""

    def leave_out(self, record: R_contra, invalid: InvalidEvent) -> None:
        """Tell of a record that is no entry."""

    def apply_to(self, view: V_contra) -> None:
        """Tell the view which items may not be offered."""


async def follow_catalogue(batches: AsyncIterable[Batch[R]], *, catalogue: Catalogue[R, V], view: V) -> None:
    """Take each entry; other tasks have their turn in between.

    Reads `items`; writes the catalogue, and once which items the view may not offer; key: item_id. A record that is no
    entry is told and left out. The view waits for what the topic held at the start: until then it cannot know what may
    not be offered.
    """
    async for batch in batches:
        for number, record in enumerate(batch.records, 1):
            try:
                item_id = entry_key("item_id", record.key)
                catalogue.take(item_id, parse_entry(record.value) if record.value is not None else None)
            except InvalidEvent as invalid:
                catalogue.leave_out(record, invalid)
            if number % RECORDS_BETWEEN_TURNS == 0:
                await asyncio.sleep(0)
        if batch.is_caught_up and not view.knows_catalogue:
            catalogue.apply_to(view)
            view.knows_catalogue = True
