"""Sends dead letters to the log again, once they are valid events under today's settings."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import NamedTuple

from aiokafka import AIOKafkaProducer

from app.dead_letters.journal import Journal, Sent, log_ends, log_reader, sent_since
from app.dead_letters.marks import sent_headers
from app.dead_letters.read import (
    UNDECODABLE,
    DeadLetter,
    Once,
    Progress,
    half,
    read_dead_letters,
    read_letters,
    read_marks,
)
from app.intake.reading import Reading, make_reading
from app.kafka import CODEC, partitions_of, start_client, writer
from app.produce import checked_key
from app.sending import MAX_LINE_BYTES, kafka_partitioner
from app.settings import Settings
from app.sources.rewritten import Header, as_first_written, rewritten_headers
from models.errors import InvalidEvent
from models.events import EventRules
from tables.names import Names

BATCH = 500
CUT = "cut"


@dataclass(slots=True)
class Tally:
    """What becomes of the letters.

    Parameters
    ----------
    redriven
        Sent, or to be sent, by the reason that they had.
    stay
        Not valid, by the reason that they have today; `cut` are those of whose event the beginning alone is here,
        `undecodable` whole batches that were stepped over.
    n_already, n_repeats
        Left out: re-driven before, and of the same origin as another.
    n_found
        Of those re-driven before, the ones that a redrive that died had sent but not marked.
    n_refolded
        Left out: from before a reset, which has the log folded anew.
    """

    redriven: Counter[str] = field(default_factory=Counter)
    stay: Counter[str] = field(default_factory=Counter)
    n_already: int = 0
    n_repeats: int = 0
    n_found: int = 0
    n_refolded: int = 0


class Ready(NamedTuple):
    """A letter that is valid now: where its record goes, under which key, and with which headers beside its origin."""

    letter: DeadLetter
    topic: str
    key: bytes | None
    headers: list[Header]


class Sorter:
    """Sorts letters into those that are valid now and those that stay.

    Parameters
    ----------
    reading
        Knows the topics of the intake; None: it is off. Their letters are for it to read once more.
    """

    def __init__(
        self, names: Names, rules: EventRules, reason: str | None, tally: Tally, reading: Reading | None = None
    ) -> None:
        self.ready: list[Ready] = []
        self._names = names
        self._rules = rules
        self._reason = reason
        self._tally = tally
        self._reading = reading
        self._foreign: list[DeadLetter] = []

    def take(self, letter: DeadLetter) -> None:
        """Look at one; those of another reason than the one asked for are left alone."""
        if self._reason is not None and letter.reason != self._reason:
            return
        if letter.value_bytes is not None or letter.reason == UNDECODABLE:
            self._tally.stay[CUT if letter.value_bytes is not None else UNDECODABLE] += 1
            return
        if self._reading is not None and self._reading.knows(letter.source_topic or letter.topic):
            self._foreign.append(letter)
            return
        try:
            key = checked_key(letter.value or b"", self._rules)
            self.ready.append(Ready(letter, self._names.events, key, []))
        except InvalidEvent as invalid:
            self._tally.stay[invalid.reason] += 1

    async def sort_foreign(self) -> None:
        """Look at those of the intake's topics, as the intake would.

        Raises
        ------
        SchemaUnavailable
            If one needs a schema that cannot be had now.
        """
        foreign, self._foreign = self._foreign, []
        for letter in foreign:
            headers = rewritten_headers(letter.source_topic or letter.topic, letter.time_ms, letter.headers)
            written = as_first_written("", letter.key, letter.value, headers, letter.time_ms)
            assert self._reading is not None
            try:
                await self._reading.check(written)
                self.ready.append(Ready(letter, self._names.redriven, letter.key, headers))
            except InvalidEvent as invalid:
                self._tally.stay[invalid.reason] += 1


def _sorter(settings: Settings, reason: str | None, tally: Tally) -> Sorter:
    reading = make_reading(settings) if settings.has_intake else None
    return Sorter(settings.names, settings.rules, reason, tally, reading)


async def plan_redrive(settings: Settings, reason: str | None, progress: Progress) -> Tally:
    """What a redrive would do; changes nothing.

    Raises
    ------
    ServiceError
        If the topic of dead letters or the broker is not there.
    """
    tally = Tally()
    sorter = _sorter(settings, reason, tally)

    async def counted(done: int, total: int) -> None:
        await sorter.sort_foreign()
        tally.redriven.update(ready.letter.reason for ready in sorter.ready)
        sorter.ready.clear()
        await progress(done, total)

    once = await read_dead_letters(settings.kafka, settings.names.dead_letters, sorter.take, counted)
    tally.n_already, tally.n_repeats, tally.n_refolded = once.n_redriven, once.n_repeats, once.n_refolded
    return tally


async def redrive(settings: Settings, reason: str | None, tally: Tally, progress: Progress) -> None:
    """Send every dead letter that is a valid event now, once, keyed by its user, and remember that it was.

    One that came from a topic of the intake goes as it is to a topic of our own, which the intake reads.

    The events carry the origin in a header, and are marked in the topic of dead letters when they are acknowledged.
    After a crash the next redrive finds by that header what was sent and not marked. A second one at the same time
    fences off the first, which then stops at its next mark.

    Parameters
    ----------
    reason
        Letters of this reason alone.
    tally
        Counted up meanwhile, so that it is right however this ends.

    Raises
    ------
    ServiceError
        If a topic is missing, Kafka fails, or another redrive takes over.
    """
    names, broker = settings.names, settings.kafka
    letters, log = await partitions_of(broker, names.dead_letters), await partitions_of(broker, names.events)
    log += await partitions_of(broker, names.redriven) if settings.has_intake else []
    async with AsyncExitStack() as stack:
        journal = await stack.enter_async_context(Journal(broker, names))  # first: whoever was at it is fenced off
        marks = await read_marks(broker, letters, half(progress, 0))
        consumer = await log_reader(broker, log)
        stack.push_async_callback(consumer.stop)
        found: list[Sent] = []
        if marks.open_ends is not None:
            found = [
                sent
                for sent in await sent_since(consumer, names.events, marks.open_ends)
                if marks.redriven.add(sent[0])
            ]
        tally.n_found = len(found)
        await journal.begin(await log_ends(consumer, names.events), found)
        producer = writer(
            broker,
            linger_ms=2,
            compression_type=CODEC,
            max_request_size=2 * MAX_LINE_BYTES,
            partitioner=kafka_partitioner(settings.partitioner),
        )
        await start_client(producer, broker)
        stack.push_async_callback(producer.stop)
        sorter = _sorter(settings, reason, tally)
        once = Once(sorter.take, marks.redriven, marks.refolds)

        async def send_ready(done: int, total: int) -> None:
            await sorter.sort_foreign()
            ready, sorter.ready = sorter.ready, []
            for start in range(0, len(ready), BATCH):
                await _send(producer, names.events, ready[start : start + BATCH], journal, tally)
            tally.n_already, tally.n_repeats, tally.n_refolded = once.n_redriven, once.n_repeats, once.n_refolded
            await progress(done, total)

        await read_letters(broker, letters, once, half(send_ready, 1))
        await journal.end()


async def _send(producer: AIOKafkaProducer, events: str, batch: list[Ready], journal: Journal, tally: Tally) -> None:
    acks = [
        await producer.send(
            one.topic,
            one.letter.value,
            key=one.key,
            headers=[*sent_headers(one.letter.origin), *one.headers],
            partition=None if one.topic == events else 0,
        )
        for one in batch
    ]
    places = await asyncio.gather(*acks, return_exceptions=True)
    sent = [(one, place) for one, place in zip(batch, places, strict=True) if not isinstance(place, BaseException)]
    await journal.mark((one.letter.origin, place.partition, place.offset) for one, place in sent)
    tally.redriven.update(one.letter.reason for one, _ in sent)
    for place in places:
        if isinstance(place, BaseException):
            raise place
