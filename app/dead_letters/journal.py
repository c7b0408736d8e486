"""Who re-drives, and what has been sent: kept in the topic of dead letters itself."""

from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import InvalidProducerEpoch, ProducerFenced

from app.batches import step_behind
from app.broker import Broker
from app.dead_letters.marks import Headers, Origin, begin_headers, mark_headers, sent_origin
from app.decoding import tell_apart
from app.kafka import FETCH_BYTES, start_client
from models.errors import ServiceError
from tables.names import Names

TRANSACTION_TIMEOUT_MS = 60_000
PARTITION = 0  # all of a journal in one, so that its order is kept

Sent = tuple[Origin, int, int]
"""The origin of a letter, and partition and offset where its event went."""


class Journal:
    """Writes marks, each lot of them in one transaction.

    The transactional id belongs to the namespace: who starts fences off whoever is still at it.
    """

    def __init__(self, broker: Broker, names: Names) -> None:
        self._broker = broker
        self._topic = names.dead_letters
        self._producer = AIOKafkaProducer(
            **broker.client(),
            transactional_id=names.redrive_id,
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
        )

    async def __aenter__(self) -> "Journal":
        await start_client(self._producer, self._broker)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    async def begin(self, ends: dict[int, int], found: Iterable[Sent]) -> None:
        """Say from where on events will be sent; at once mark what one that died was found to have sent."""
        await self._write([*_marks(found), begin_headers(ends)])

    async def mark(self, sent: Iterable[Sent]) -> None:
        """Say which letters have been sent."""
        await self._write(_marks(sent))

    async def end(self) -> None:
        """Say that everything sent is marked."""
        await self._write([begin_headers({})])

    async def _write(self, records: list[Headers]) -> None:
        try:
            async with self._producer.transaction():
                acks = [
                    await self._producer.send(self._topic, b"", headers=headers, partition=PARTITION)
                    for headers in records
                ]
                for ack in acks:
                    await ack
        except (ProducerFenced, InvalidProducerEpoch) as error:
            raise ServiceError(
                "another `freshet dead-letters redrive` was started meanwhile and has taken over; this one has "
                "stopped. Look at what that one says."
            ) from error


def _marks(sent: Iterable[Sent]) -> list[Headers]:
    return [mark_headers(origin, partition, offset) for origin, partition, offset in sent]


async def log_ends(consumer: AIOKafkaConsumer, topic: str) -> dict[int, int]:
    """End offset of each partition that the consumer has: of the topic by its number, of another one by -1 - that."""
    ends: Mapping[TopicPartition, int] = await consumer.end_offsets(consumer.assignment())
    return {_number(tp, topic): end for tp, end in ends.items()}


def _number(tp: TopicPartition, topic: str) -> int:
    return int(tp.partition if tp.topic == topic else -1 - tp.partition)


async def log_reader(broker: Broker, partitions: Iterable[TopicPartition]) -> AIOKafkaConsumer:
    """A consumer of the log that sees every record, also behind an open transaction, where the workers wait.

    What a redrive sends is in no transaction: it has been sent once it is acknowledged, and must be found from then on.
    """
    consumer = AIOKafkaConsumer(
        **broker.client(),
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    await start_client(consumer, broker)
    consumer.assign(list(partitions))
    return consumer


async def sent_since(consumer: AIOKafkaConsumer, topic: str, starts: Mapping[int, int]) -> list[Sent]:
    """What has been re-driven from these offsets on, see `log_ends`; a partition not named is read from its start.

    A batch that cannot be decoded is passed over: what a redrive sends is decoded by the broker before it is taken.
    """
    failures = tell_apart(consumer)
    found: list[Sent] = []
    ends = await log_ends(consumer, topic)
    waiting: dict[Any, int] = {}
    for tp in consumer.assignment():
        number = _number(tp, topic)
        if starts.get(number, 0) < ends[number]:
            consumer.seek(tp, starts.get(number, 0))
            waiting[tp] = ends[number]
    while waiting:
        fetched = await consumer.getmany(*waiting, timeout_ms=100, max_records=20_000)
        for records in fetched.values():
            for record in records:
                if origin := sent_origin(record):
                    found.append((origin, record.partition, record.offset))
        for tp, failure in list(failures.items()):
            del failures[tp]
            await step_behind(consumer, tp, failure.offset)
        waiting = {tp: end for tp, end in waiting.items() if await consumer.position(tp) < end}
    return found
