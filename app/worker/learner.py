"""Runs the one learner of factors in the worker that holds partition 0, for as long as it does.

held ──► producer first (whoever learned before is fenced off), then the rows, then the position ──► learn, save ──┐
▲                                                                                                                 │
└──── a second later ◄──── no broker, fenced off, or given back: nothing is lost that was not saved ◄─────────────┘
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from time import monotonic
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from agents.learner import learn_lessons
from app.decoding import check_decoded, tell_apart
from app.kafka import has_stopped, read_to_end, reader, start_client
from app.settings import Settings
from app.worker.checkpoints import (
    BATCH_SHARE,
    REQUEST_TIMEOUT_S,
    STOP_S,
    TRANSACTION_TIMEOUT_MS,
    readable,
    send_entries,
)
from tables.learner import LearnerState

logger = logging.getLogger("freshet")

PARTITION = 0
RECORDS_PER_BATCH = 16  # of up to 512 lessons each: a tenth of a second
POLL_MS = 200
SAVE_S = 1.0  # from one transaction to the next, while there is something to save
RETRY_S = 1.0


class Batch(NamedTuple):
    """Records that one fetch gave."""

    values: Sequence[bytes | None]
    position: int


class LearnerService:
    """The learner of this worker, if it is here.

    Parameters
    ----------
    limits
        `max.message.bytes` of the topic of factors.
    report
        Told when it begins to learn.

    Attributes
    ----------
    n_lessons
        Learned and saved, in all, as far as this worker knows.
    lag
        Records of its topic that are not learned, as far as is known.
    idle_since
        When it began to look for more, found nothing and had saved all, monotonic s; 0 while it has something to do.
    """

    def __init__(self, settings: Settings, limit: int, report: Callable[..., None]) -> None:
        self._settings = settings
        self._names = settings.names
        self._limit = limit
        self._report = report
        self._is_here = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self.n_lessons = 0
        self.lag = 0
        self.idle_since = 0.0

    def own(self, *, is_here: bool) -> None:
        """Learn from now on, or no more."""
        if is_here:
            self._is_here.set()
            return
        self._is_here.clear()
        if self._running is not None:
            self._running.cancel()

    @property
    def is_here(self) -> bool:
        """Whether this worker is to learn."""
        return self._is_here.is_set()

    def progress(self, lessons_at: float) -> dict[str, Any]:
        """How far it is, and whether anything is still to be learned or saved.

        Parameters
        ----------
        lessons_at
            When lessons of this worker's partitions were committed last, monotonic s.
        """
        return {"lessons": self.n_lessons, "lag": self.lag, "waiting": self.idle_since <= lessons_at}

    async def run(self) -> None:
        """Learn whenever this worker is to, for ever.

        Raises
        ------
        StateError
            If what is stored, or what is to be learned, cannot be read.
        """
        try:
            while True:
                await self._is_here.wait()
                self._running = asyncio.create_task(self._learn())
                await asyncio.wait([self._running])
                self.idle_since = 0.0
                if not self._running.cancelled() and (error := self._running.exception()) is not None:
                    if not isinstance(error, KafkaError | TimeoutError):
                        raise error
                    logger.warning("factors are not learned: %r. Lists are made from those known; trying again.", error)
                    await asyncio.sleep(RETRY_S)
        finally:
            if self._running is not None:
                self._running.cancel()
                await asyncio.wait([self._running])

    async def _learn(self) -> None:
        learning = Learning(self._settings, self._limit, self)
        try:
            await learning.open()
            self._report("learning", position=learning.state.position, lessons=learning.state.n_lessons)
            await learn_lessons(learning.batches(), learner=learning)
        finally:
            await learning.close()


class Learning:
    """One stretch of learning, from taking over to giving back.

    Parameters
    ----------
    shown
        Told how far it is.
    """

    def __init__(self, settings: Settings, limit: int, shown: LearnerService) -> None:
        self.state = LearnerState(settings.fold)
        self._names = settings.names
        self._broker = settings.kafka
        self._shown = shown
        self._producer = learner_producer(settings, limit)
        self._consumer: AIOKafkaConsumer = reader(self._broker)
        self._lessons = TopicPartition(self._names.interactions, PARTITION)
        self._n_saved = 0
        self._saved_at = monotonic()

    async def open(self) -> None:
        """Take over, and load what was saved.

        Raises
        ------
        StateError
            If it cannot be read.
        """
        await start_client(self._producer, self._broker)

        def apply(record: ConsumerRecord) -> None:
            self.state.apply(record.key, record.value)

        with readable():
            await read_to_end(self._broker, [TopicPartition(self._names.factors, PARTITION)], apply)
        self.state.finish_load()
        self._n_saved = self._shown.n_lessons = self.state.n_lessons
        await start_client(self._consumer, self._broker)
        self._consumer.assign([self._lessons])
        first = (await self._consumer.beginning_offsets([self._lessons]))[self._lessons]
        if first > self.state.position > 0:
            logger.error(
                "records %d to %d of %s were deleted before being learned: its retention is too short for this lag.",
                self.state.position,
                first - 1,
                self._lessons.topic,
            )
        self.state.position = max(first, self.state.position)
        self._consumer.seek(self._lessons, self.state.position)

    async def close(self) -> None:
        """Let go of both clients; a transaction that is open is taken back by whoever learns next."""
        await self._consumer.stop()
        try:
            await has_stopped(self._producer, STOP_S)
        except KafkaError as error:  # one that was fenced off says so once more
            logger.debug("while the learner stops: %r", error)

    async def batches(self) -> AsyncIterator[Batch]:
        """What comes; an empty batch when nothing does."""
        failures = tell_apart(self._consumer)
        while True:
            began = monotonic()
            fetched = await self._consumer.getmany(self._lessons, timeout_ms=POLL_MS, max_records=RECORDS_PER_BATCH)
            with readable():
                check_decoded(failures)
            position = await self._consumer.position(self._lessons)
            self._shown.lag = max(0, (self._consumer.last_stable_offset(self._lessons) or 0) - position)
            records = fetched.get(self._lessons, ())
            is_idle = not records and self.state.n_lessons == self._n_saved
            self._shown.idle_since = began if is_idle else 0.0
            yield Batch([record.value for record in records], position)

    async def learn(self, values: Sequence[bytes | None], position: int) -> None:
        """Learn from records, in a thread: the compiled part holds nobody up."""
        if values:
            await asyncio.to_thread(self._take, values)
        self.state.position = position

    def _take(self, values: Sequence[bytes | None]) -> None:
        for value in values:
            self.state.take(value)

    async def save_if_due(self) -> None:
        """Save what was learned since the last time, if that is a while ago."""
        if self.state.n_lessons == self._n_saved or monotonic() - self._saved_at < SAVE_S:
            return
        n_lessons = self.state.n_lessons
        entries = await asyncio.to_thread(self.state.cut)
        await self._producer.begin_transaction()
        for ack in await send_entries(self._producer, self._names.factors, PARTITION, entries):
            await ack
        await self._producer.commit_transaction()
        self._n_saved = self._shown.n_lessons = n_lessons
        self._saved_at = monotonic()


def learner_producer(settings: Settings, limit: int) -> AIOKafkaProducer:
    """The producer that fences off whoever learned before; `limit` is `max.message.bytes` of the topic of factors."""
    return AIOKafkaProducer(
        **settings.kafka.client(),
        transactional_id=settings.names.learner_id,
        transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
        request_timeout_ms=int(REQUEST_TIMEOUT_S * 1000),
        max_batch_size=int(BATCH_SHARE * limit),
        max_request_size=limit,
    )
