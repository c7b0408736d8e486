"""What lies in Kafka before a benchmark's clock runs: one log, several times over if asked for."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata

from app.bench.workload import Sent
from app.broker import Broker
from app.kafka import start_client, writer
from app.replay.records import LogRecord
from models.errors import LogError, ServiceError
from models.partitioner import partition_of

SHIFT = 10_000
BATCH_BYTES = 256 * 1024
ADVANCE_EVERY = 5000


class Last(NamedTuple):
    """Where a user's last event lies."""

    partition: int
    offset: int


class Backlog:
    """A log whose users are numbers, in several copies with shifted user ids, interleaved by timestamp.

    Parameters
    ----------
    records
        The log, in its order.
    copies
        How often; copy k adds k times `SHIFT` to every user id.
    """

    def __init__(self, records: Sequence[LogRecord], copies: int) -> None:
        self._records = records
        self._copies = copies

    def __len__(self) -> int:
        return len(self._records) * self._copies

    def __iter__(self) -> Iterator[Sent]:
        """Each record, followed by its copies.

        Raises
        ------
        LogError
            If a user's id is no number below `SHIFT`, so that copies could mix.
        """
        for record in self._records:
            event = orjson.loads(record.value)
            user_id = event.get("user_id", "")
            if not (user_id.isdecimal() and int(user_id) < SHIFT):
                raise LogError(f"user_id {user_id!r} cannot be shifted: use a log whose ids are 0 to {SHIFT - 1}.")
            for copy in range(self._copies):
                event["user_id"] = str(int(user_id) + copy * SHIFT)
                yield Sent(event["user_id"].encode(), orjson.dumps(event))


async def preload(
    broker: Broker, topic: str, n_partitions: int, records: Iterable[Sent], advance: Callable[[int], None]
) -> dict[str, Last]:
    """Send a backlog into an empty topic, in full batches; returns where each user's last event lies.

    Parameters
    ----------
    advance
        Told how many more have been sent.

    Raises
    ------
    ServiceError
        If the topic was not empty.
    """
    producer = writer(broker, max_batch_size=BATCH_BYTES, linger_ms=0)
    await start_client(producer, broker)
    try:
        log = _Log(producer, topic, n_partitions)
        for number, record in enumerate(records, 1):
            await log.append(record)
            if number % ADVANCE_EVERY == 0:
                advance(ADVANCE_EVERY)
        await log.flush()
        return log.last
    finally:
        await producer.stop()


class _Log:
    """The batches on their way."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, n_partitions: int) -> None:
        self.last: dict[str, Last] = {}
        self._producer = producer
        self._topic = topic
        self._batches = [producer.create_batch() for _ in range(n_partitions)]
        self._ends = [0] * n_partitions
        self._acks: list[tuple[int, asyncio.Future[RecordMetadata]]] = []

    async def append(self, record: Sent) -> None:
        user_id = record.key.decode()
        known = self.last.get(user_id)
        number = partition_of(record.key, len(self._batches), "murmur2") if known is None else known.partition
        if self._batches[number].append(key=record.key, value=record.value, timestamp=None) is None:
            await self._send(number)
            self._batches[number].append(key=record.key, value=record.value, timestamp=None)
        self.last[user_id] = Last(number, self._ends[number])
        self._ends[number] += 1

    async def flush(self) -> None:
        for number, batch in enumerate(self._batches):
            if batch.record_count():
                await self._send(number)
        for base_offset, ack in self._acks:
            acknowledged = await ack
            if acknowledged.offset != base_offset:
                raise ServiceError(
                    f"a batch for offset {base_offset} of {self._topic} lies at {acknowledged.offset}: somebody else "
                    "writes there, too. Run it again."
                )

    async def _send(self, number: int) -> None:
        batch = self._batches[number]
        base_offset = self._ends[number] - batch.record_count()
        self._acks.append((base_offset, await self._producer.send_batch(batch, self._topic, partition=number)))
        self._batches[number] = self._producer.create_batch()
