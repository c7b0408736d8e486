"""Follows the topic of events: what comes in, as a worker would take it."""

import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from aiokafka import ConsumerRecord

from app.decoding import check_decoded, tell_apart
from app.kafka import partitions_of, reader, start_client
from app.settings import Settings
from models.errors import InvalidEvent
from models.events import Event, EventRules, decode

POLL_MS = 200


class Seen(NamedTuple):
    """One record of the topic: an event, or why it is none."""

    partition: int
    offset: int
    record_ms: int
    event: Event | None
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records are shown: those that pass every part that is given.

    Parameters
    ----------
    is_bad
        Records that are no event, and no others.
    """

    users: Collection[str] = ()
    items: Collection[str] = ()
    types: Collection[str] = ()
    is_bad: bool = False

    def passes(self, seen: Seen) -> bool:
        """Whether a record is shown; one that is no event has no user, item or type."""
        event = seen.event
        if event is None:
            return not (self.users or self.items or self.types)
        asked = ((self.users, event.user_id), (self.items, event.item_id), (self.types, event.event_type))
        return not self.is_bad and all(not wanted or value in wanted for wanted, value in asked)


@dataclass(frozen=True, slots=True)
class Mask:
    """Other names for people, the same for the same person as long as this mask lives, and for nobody afterwards."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(16), repr=False)

    def of(self, user_id: str) -> str:
        """The name to be shown."""
        return f"user-{blake2b(user_id.encode(), key=self.key, digest_size=5).hexdigest()}"


def read(record: ConsumerRecord, rules: EventRules) -> Seen:
    """What a record is; whether its partition is the right one is not asked."""
    place = record.partition, record.offset, record.timestamp
    try:
        return Seen(*place, decode(record.key, record.value, record.timestamp, rules))
    except InvalidEvent as error:
        return Seen(*place, None, error.reason, str(error))


async def follow(settings: Settings, handle: Callable[[Seen], bool], n_back: int = 0) -> None:
    """Hand on each record that comes, until the handler answers that it has enough.

    Parameters
    ----------
    n_back
        Begin so many offsets before the end of each partition; 0: with what comes next.

    Raises
    ------
    ServiceError
        If the topic is not there.
    Undecodable
        At a batch that cannot be decoded.
    """
    rules, tps = settings.rules, await partitions_of(settings.kafka, settings.names.events)
    consumer = reader(settings.kafka)
    await start_client(consumer, settings.kafka)
    try:
        failures = tell_apart(consumer)
        consumer.assign(tps)
        starts, ends = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
        for tp in tps:
            consumer.seek(tp, max(starts[tp], ends[tp] - n_back))
        while True:
            fetched = await consumer.getmany(timeout_ms=POLL_MS)
            for record in sorted((each for part in fetched.values() for each in part), key=lambda one: one.timestamp):
                if handle(read(record, rules)):
                    return
            check_decoded(failures)
    finally:
        await consumer.stop()
