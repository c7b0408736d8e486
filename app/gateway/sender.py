"""What the gateway writes to Kafka: acknowledged by all replicas, or said not to be."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from app.acks import GIVE_UP_S
from app.kafka import has_stopped, partition_counts, start_client, writer
from app.refusal import not_allowed
from app.sending import MAX_LINE_BYTES, ROOM_BYTES, kafka_partitioner
from app.settings import Settings
from models.errors import InvalidEvent, ServiceError

logger = logging.getLogger("freshet.gateway")

AGAIN_S: Final = 1.0
BATCH_BYTES: Final = 131_072
PROBE_S: Final = 2.0


class Record(NamedTuple):
    """What is sent; without a value it deletes."""

    key: bytes
    value: bytes | None


class Position(NamedTuple):
    """Where a record lies."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


Outcome: TypeAlias = Position | InvalidEvent | None
"""Where a record lies; why Kafka will never take it; None: not acknowledged in time, it may lie there or not."""


class Sender(Protocol):
    """Sends records."""

    async def send(self, topic: str, records: Sequence[Record], within_s: float) -> list[Outcome]:
        """Send records in order; an outcome for each. ServiceError: none was sent."""

    async def refusal(self) -> str | None:
        """Why it cannot send now; None: it can."""


class KafkaSender:
    """One idempotent producer, started when Kafka is there, and again when it has failed for good."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._why = f"Kafka at {settings.broker} was not asked yet."
        self._failed = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look for Kafka."""
        self._keeping = asyncio.create_task(self._keep())
        self._keeping.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Let what was sent go out, and close."""
        if self._keeping is not None:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeping
        if (producer := self._producer) is not None:
            self._producer = None
            await has_stopped(producer, GIVE_UP_S)

    async def refusal(self) -> str | None:
        """Why it cannot send now, asked of the broker."""
        producer = self._producer
        if producer is None:
            return self._why
        try:
            async with asyncio.timeout(PROBE_S):
                if await producer.client.force_metadata_update():
                    return None
        except TimeoutError:
            pass
        return f"Kafka at {self._settings.broker} does not answer."

    async def send(self, topic: str, records: Sequence[Record], within_s: float) -> list[Outcome]:
        """Send records in order; an outcome for each.

        Raises
        ------
        ServiceError
            If there is no producer, so none was sent.
        """
        producer = self._producer
        if producer is None:
            raise ServiceError(self._why)
        deadline_s = time.monotonic() + within_s
        sent: list[asyncio.Future[Any] | InvalidEvent] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                for record in records:
                    try:
                        sent.append(await producer.send(topic, record.value, key=record.key))
                    except MessageSizeTooLargeError:
                        sent.append(_too_large())
                    except KafkaError as error:
                        self._fail(producer, error)
                        break
        for each in sent:  # one by one: those of a batch are acknowledged together, so few are waited for
            if isinstance(each, asyncio.Future) and not each.done():
                left_s = deadline_s - time.monotonic()
                if left_s <= 0 or not (await asyncio.wait([each], timeout=left_s))[0]:
                    each.add_done_callback(_looked_at)
        outcomes = [self._outcome(producer, each) for each in sent]
        return [*outcomes, *[None] * (len(records) - len(outcomes))]

    def _outcome(self, producer: AIOKafkaProducer, sent: asyncio.Future[Any] | InvalidEvent) -> Outcome:
        if isinstance(sent, InvalidEvent):
            return sent
        if not sent.done() or sent.cancelled():
            return None
        error = sent.exception()
        if error is None:
            return Position(sent.result().partition, sent.result().offset)
        if isinstance(error, MessageSizeTooLargeError | RecordListTooLargeError):
            return _too_large()
        self._fail(producer, error)
        return None

    def _fail(self, producer: AIOKafkaProducer, error: BaseException) -> None:
        """Have a producer that failed replaced: aiokafka has retried by then what could be."""
        if producer is self._producer:
            self._producer = None
            self._say(not_allowed(error) or f"Kafka at {self._settings.broker} refused: {error!r}.")
            self._failed.set()

    def _ended(self, keeping: asyncio.Task[None]) -> None:
        """Tell of a mistake of ours: without that task no producer comes any more, and `/readyz` says so."""
        if not keeping.cancelled() and (error := keeping.exception()) is not None:
            self._why = f"the gateway's own sender has failed: {error!r}. Start the gateway anew."
            logger.critical("%s", self._why, exc_info=error)

    def _say(self, why: str) -> None:
        if why != self._why:
            logger.warning("%s", why)
        self._why = why

    async def _keep(self) -> None:
        while True:
            try:
                producer = await self._started()
            except ServiceError as error:
                self._say(str(error))
            except KafkaError as error:
                self._say(not_allowed(error) or f"Kafka at {self._settings.broker} refused: {error!r}.")
            else:
                logger.info("Kafka at %s takes events", self._settings.broker)
                self._producer, self._why = producer, ""
                try:
                    await self._failed.wait()
                finally:
                    if self._failed.is_set():
                        self._failed.clear()
                        await has_stopped(producer, GIVE_UP_S)
            await asyncio.sleep(AGAIN_S)

    async def _started(self) -> AIOKafkaProducer:
        names = self._settings.names
        topics = (names.events, names.catalogue, names.profiles)
        missing = set(topics) - set(await partition_counts(self._settings.kafka, topics))
        if missing:
            raise ServiceError(
                f"there is no topic {', '.join(sorted(missing))} at {self._settings.broker}. A worker makes them at "
                "its start: run `freshet worker`, or check FRESHET_BROKER and FRESHET_NAMESPACE."
            )
        producer = writer(
            self._settings.kafka,
            max_batch_size=BATCH_BYTES,
            max_request_size=MAX_LINE_BYTES + ROOM_BYTES,
            partitioner=kafka_partitioner(self._settings.partitioner),
        )
        await start_client(producer, self._settings.kafka)
        return producer


def _too_large() -> InvalidEvent:
    return InvalidEvent("too_large", f"it has more bytes than its topic takes, {MAX_LINE_BYTES} by default: send less.")


def _looked_at(sent: asyncio.Future[Any]) -> None:
    if not sent.cancelled():
        sent.exception()
