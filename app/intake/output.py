"""What the intake writes: plain records, dead letters and the places of what it has read, in one transaction.

The transactional id belongs to the input partition (or to the history of all), so starting a producer for it aborts
what a dead worker left open and fences off a living one.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import KafkaError

from agents.intake import Event, Mapped
from app.broker import Broker
from app.intake.inputs import Input
from app.intake.places import PARTITION
from app.kafka import has_stopped, start_client
from app.sources.rewritten import SOURCE_HEADER, SOURCE_TIME, SOURCE_TOPIC
from app.worker.dead_letters import MAX_REQUEST_BYTES, letter_of
from models.errors import InvalidEvent
from models.partitioner import partition_of
from tables.intake import Place
from tables.names import Names

TRANSACTION_TIMEOUT_MS = 60_000
REQUEST_TIMEOUT_MS = 40_000
STOP_S = 2.0
BATCH_SHARE = 0.85
MAX_HEADERS_BYTES = 4096  # of theirs, that a dead letter keeps

Limits = Mapping[str, int]


class Output:
    """Writes what records come to.

    Parameters
    ----------
    transactional_id
        Of the one that may write.
    codec
        How records are compressed; None where they go out few at a time.
    counts, limits
        Partitions and `max.message.bytes` of each topic that is written to.
    """

    def __init__(
        self,
        transactional_id: str,
        names: Names,
        broker: Broker,
        partitioner: str,
        counts: Mapping[str, int],
        limits: Limits,
        codec: str | None = None,
    ) -> None:
        self._id = transactional_id
        self._codec = codec
        self._names = names
        self._broker = broker
        self._partitioner = partitioner
        self._counts = counts
        self._limits = limits
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Take over: whoever wrote before is fenced off."""
        self._producer = AIOKafkaProducer(
            **self._broker.client(),
            transactional_id=self._id,
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            compression_type=self._codec,
            max_batch_size=int(BATCH_SHARE * min(self._limits[topic] for topic in self._targets)),
            max_request_size=MAX_REQUEST_BYTES,
        )
        await start_client(self._producer, self._broker)

    @property
    def _targets(self) -> tuple[str, ...]:
        return self._names.events, self._names.catalogue, self._names.profiles

    async def write(self, mapped: Mapped[ConsumerRecord], places: Mapping[Input, Place]) -> None:
        """Write all of it or, on any exception, nothing, or it is not known which; then this output is done.

        Raises
        ------
        aiokafka.errors.KafkaError
            If the broker refused; `ProducerFenced` if another worker has taken over.
        TimeoutError
            If the broker did not answer in time.
        """
        producer = self._producer
        assert producer is not None, "start comes first"
        async with asyncio.timeout(TRANSACTION_TIMEOUT_MS / 1000):
            await producer.begin_transaction()
            sending = _Sending(producer)
            for topic, events in mapped.plain.items():
                await self._send_plain(sending, topic, events)
            for record, invalid in mapped.letters:
                await self._send_letter(sending, record, invalid)
            for source, place in places.items():
                await sending.add(self._names.intake, PARTITION, source.key, place.encode())
            await sending.flush()
            await producer.commit_transaction()

    async def _send_plain(self, sending: "_Sending", topic: str, events: Sequence[Event]) -> None:
        n_partitions = self._counts[topic]
        for event in events:
            number = partition_of(event.key, n_partitions, self._partitioner)
            await sending.add(topic, number, event.key, event.value)

    async def _send_letter(self, sending: "_Sending", record: ConsumerRecord, invalid: InvalidEvent) -> None:
        topic = self._names.dead_letters
        limit = min(self._limits[topic], MAX_REQUEST_BYTES)
        theirs, n_bytes = [], 0
        for name, value in record.headers:
            kept = name if record.topic == self._names.redriven else f"{SOURCE_HEADER}{name}"
            n_bytes += len(kept) + len(value or b"") + 10
            is_theirs = kept.startswith(SOURCE_HEADER) or kept in (SOURCE_TOPIC, SOURCE_TIME)
            if is_theirs and n_bytes <= MAX_HEADERS_BYTES:
                theirs.append((kept, value))
        letter = letter_of(record, invalid, limit - MAX_HEADERS_BYTES)
        value = b"" if letter.key is None and letter.value is None else letter.value
        await sending.add(topic, 0, letter.key, value, [*theirs, *letter.headers])

    async def stop(self) -> None:
        """Let the producer go, within seconds; what it left open is aborted by whoever comes next."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            with suppress(KafkaError):  # one that was fenced off says so once more
                await has_stopped(producer, STOP_S)


class _Sending:
    """Records of one transaction, put together in batches: one of each partition at a time."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._open: dict[tuple[str, int], Any] = {}
        self._acks: list[Awaitable[object]] = []

    async def add(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Sequence[Any] = ()
    ) -> None:
        """Add one record."""
        target = topic, partition
        batch = self._open.get(target)
        if batch is None:
            batch = self._open[target] = self._producer.create_batch()
        if batch.append(timestamp=None, key=key, value=value, headers=list(headers)) is None:  # it is full
            await self._send(target)
            self._open[target] = batch = self._producer.create_batch()
            batch.append(timestamp=None, key=key, value=value, headers=list(headers))

    async def flush(self) -> None:
        """Send what is left; returns when everything is acknowledged."""
        for target in list(self._open):
            await self._send(target)
        await asyncio.gather(*self._acks)

    async def _send(self, target: tuple[str, int]) -> None:
        batch = self._open.pop(target)
        self._acks.append(await self._producer.send_batch(batch, target[0], partition=target[1]))
