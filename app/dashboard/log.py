"""The log of events as Kafka has it: how long it is, how far it is folded, who folds it, and what comes in."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from app.decoding import Failures, tell_apart
from app.kafka import partitions_of, start_client
from app.refusal import not_allowed
from app.settings import Settings
from models.errors import ServiceError

KEPT: Final = 500
LOOK_S: Final = 2.0
AGAIN_S: Final = 2.0
PATIENCE_S: Final = 10.0
BEHIND: Final = 2000  # records that the tail lets pass rather than read
CAUGHT_UP: Final = 100
FETCH_BYTES: Final = 262_144
MAX_RECORDS: Final = 500
MAX_SHOWN: Final = 256


class Event(NamedTuple):
    """A record of the log, as far as it can be read as an event; `event_type` is None where it cannot."""

    partition: int
    offset: int
    at_ms: int
    user_id: str
    item_id: str
    event_type: str | None
    value: float | None


@dataclass(slots=True)
class Range:
    """One partition: its first offset, its end, and up to where saved state holds it; None: nothing is saved."""

    start: int
    end: int
    committed: int | None = None


@dataclass(slots=True)
class LogState:
    """What is known of the log.

    Parameters
    ----------
    error
        Why Kafka cannot be asked; None: it can.
    group_state, members
        Of the workers' group, in Kafka's words.
    events
        The newest that were seen, oldest first.
    n_seen, n_passed
        Records read here since the start, and those that came too fast to be.
    types
        Of those read, since the start.
    """

    error: str | None = "Kafka was not asked yet."
    ranges: dict[int, Range] = field(default_factory=dict)
    group_state: str = ""
    members: tuple[str, ...] = ()
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=KEPT))
    n_seen: int = 0
    n_passed: int = 0
    types: Counter[str] = field(default_factory=Counter)


class Log(Protocol):
    """Keeps a state of the log."""

    state: LogState

    async def run(self, on_events: Callable[[], None]) -> None:
        """Follow the log until cancelled."""


class KafkaLog:
    """Follows the log with a consumer without a group, which nobody is disturbed by."""

    def __init__(self, settings: Settings) -> None:
        self.state = LogState()
        self._settings = settings
        self._topic = settings.names.events

    async def run(self, on_events: Callable[[], None]) -> None:
        """Follow the log until cancelled; after an error anew, from its end.

        Parameters
        ----------
        on_events
            Called when something came.
        """
        while True:
            try:
                async with self._clients() as (consumer, admin):
                    await self._follow(consumer, admin, on_events)
            except ServiceError as error:
                self.state.error = str(error)
            except KafkaError as error:
                self.state.error = not_allowed(error) or f"Kafka at {self._settings.broker} refused: {error!r}."
            except OSError:  # what is not there in time as well
                self.state.error = f"Kafka at {self._settings.broker} does not answer."
            await asyncio.sleep(AGAIN_S)

    @asynccontextmanager
    async def _clients(self) -> AsyncIterator[tuple[AIOKafkaConsumer, AIOKafkaAdminClient]]:
        broker = self._settings.kafka
        consumer = AIOKafkaConsumer(
            **broker.client(),
            isolation_level="read_committed",
            auto_offset_reset="latest",
            enable_auto_commit=False,
            max_partition_fetch_bytes=FETCH_BYTES,
        )
        admin = AIOKafkaAdminClient(**broker.client())
        await start_client(consumer, broker)
        try:
            await start_client(admin, broker)
            try:
                yield consumer, admin
            finally:
                await admin.close()
        finally:
            await consumer.stop()

    async def _follow(
        self, consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient, on_events: Callable[[], None]
    ) -> None:
        tps = await partitions_of(self._settings.kafka, self._topic)
        consumer.assign(tps)
        failures = tell_apart(consumer)
        ends = await consumer.end_offsets(tps)
        starts = await consumer.beginning_offsets(tps)
        for tp in tps:
            consumer.seek(tp, max(starts[tp], ends[tp] - CAUGHT_UP))
        due_s = 0.0
        while True:
            if time.monotonic() >= due_s:
                async with asyncio.timeout(PATIENCE_S):
                    await self._look(consumer, admin, tps)
                due_s = time.monotonic() + LOOK_S
            fetched = await consumer.getmany(timeout_ms=200, max_records=MAX_RECORDS)
            records = [record for records in fetched.values() for record in records]
            self._take(sorted(records, key=lambda record: record.timestamp))
            if records:
                on_events()
            await self._keep_up(consumer, tps, failures)

    async def _look(self, consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient, tps: list[TopicPartition]) -> None:
        """Ask how long the log is, how far it is saved, and who is in the group."""
        group = self._settings.names.group
        starts, ends = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
        committed: Mapping[TopicPartition, Any] = await admin.list_consumer_group_offsets(group, partitions=tps)
        (response,) = await admin.describe_consumer_groups([group])
        (found,) = response.groups
        state = self.state
        saved = {tp: entry.offset for tp, entry in committed.items() if entry.offset >= 0}
        state.ranges = {tp.partition: Range(starts[tp], ends[tp], saved.get(tp)) for tp in tps}
        state.group_state = found[2]
        state.members = tuple(sorted(f"{member[1]} at {member[2].lstrip('/')}" for member in found[5]))
        state.error = None

    def _take(self, records: list[ConsumerRecord]) -> None:
        state = self.state
        state.n_seen += len(records)
        for record in records:
            event = event_of(record)
            state.events.append(event)
            kind = event.event_type or ""
            if kind in state.types or len(state.types) < KEPT:
                state.types[kind] += 1

    async def _keep_up(self, consumer: AIOKafkaConsumer, tps: list[TopicPartition], failures: Failures) -> None:
        """Pass over what is too much to be shown, and what nothing can decode."""
        stuck = list(failures)
        failures.clear()
        if stuck:
            await consumer.seek_to_end(*stuck)
        for tp in tps:
            end = consumer.highwater(tp)
            if end is None:
                continue
            behind = end - await consumer.position(tp)
            if behind > BEHIND:
                consumer.seek(tp, end - CAUGHT_UP)
                self.state.n_passed += behind - CAUGHT_UP


def event_of(record: ConsumerRecord) -> Event:
    """What a record says, whatever it is; texts are cut to 256 characters."""
    key = (record.key or b"").decode("utf-8", "replace")
    try:
        fields = orjson.loads(record.value or b"")
    except orjson.JSONDecodeError:
        fields = None
    if not isinstance(fields, dict):
        return Event(record.partition, record.offset, record.timestamp, key[:MAX_SHOWN], "", None, None)
    value, kind = fields.get("value"), fields.get("event_type")
    return Event(
        record.partition,
        record.offset,
        record.timestamp,
        _text(fields.get("user_id", key)),
        _text(fields.get("item_id")),
        _text(kind) if kind is not None else None,
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None,
    )


def _text(found: object) -> str:
    return "" if found is None else str(found)[:MAX_SHOWN]
