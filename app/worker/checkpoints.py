"""Checkpoints of one partition in Kafka: written in one transaction, read back in bulk.

The transactional id belongs to the partition, so starting a producer for it aborts what a dead owner left open and
fences off a living one: from then on its checkpoints are refused.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition

from app.broker import Broker
from app.kafka import has_stopped, read_to_end, start_client
from models.errors import StateError, Undecodable, ValueTooLarge
from tables.cutting import Cut
from tables.marker import MARKER_KEY
from tables.names import Names
from tables.partition import PartitionState

logger = logging.getLogger("freshet")

TRANSACTION_TIMEOUT_MS = 120_000
REQUEST_TIMEOUT_S = 60.0
STOP_S = 2.0
BATCH_SHARE = 0.85  # of the topic's limit: headers and keys need room as well
ENTRY_OVERHEAD_BYTES = 100

Keyed = tuple[bytes | None, bytes | None]


class CheckpointWriter:
    """Writes the checkpoints of one partition.

    Parameters
    ----------
    limits
        `max.message.bytes` of the two checkpoint topics, and of that of lessons if there are several partitions.
    """

    def __init__(self, partition: int, names: Names, broker: Broker, limits: dict[str, int]) -> None:
        self.partition = partition
        self._names = names
        self._broker = broker
        self._limits = limits
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Take the partition over: whoever wrote before is fenced off."""
        producer = AIOKafkaProducer(
            **self._broker.client(),
            transactional_id=self._names.transactional_id(self.partition),
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            request_timeout_ms=int(REQUEST_TIMEOUT_S * 1000),
            max_batch_size=int(BATCH_SHARE * min(self._limits.values())),
            max_request_size=max(self._limits.values()),
        )
        self._producer = producer
        await start_client(producer, self._broker)

    async def write(self, cut: Cut) -> None:
        """Write a cut: all of it or, on any exception, nothing, or it is not known which; then this writer is done.

        An abort would have to wait for the broker, with no end. Whoever starts the next writer of the partition aborts
        what this one has left open.

        Raises
        ------
        ValueTooLarge
            Before anything is sent.
        aiokafka.errors.KafkaError
            If the broker refused; `ProducerFenced` if another worker owns the partition now.
        """
        producer = self._producer
        assert producer is not None, "start comes first"
        names, partition = self._names, self.partition
        topics: list[tuple[str, int, Sequence[Keyed]]] = [
            (names.item_checkpoints, partition, cut.items),
            (names.user_checkpoints, partition, cut.users),
        ]
        if cut.lessons:
            topics.append((names.interactions, 0, [(None, value) for value in cut.lessons]))
        for topic, _, entries in topics:
            check_sizes(topic, entries, self._limits[topic])
        await producer.begin_transaction()
        for ack in [ack for topic in topics for ack in await send_entries(producer, *topic)]:
            await ack
        await producer.commit_transaction()

    async def stop(self) -> None:
        """Let the producer go, within seconds."""
        if self._producer is None:
            return
        producer, self._producer = self._producer, None
        if not await has_stopped(producer, STOP_S):
            logger.warning("the broker does not answer: partition %d is given back without it", self.partition)


async def send_entries(
    producer: AIOKafkaProducer, topic: str, partition: int, entries: Iterable[Keyed]
) -> list[Awaitable[object]]:
    """Send entries in batches as large as they may be; returns what is to be awaited."""
    acks: list[Awaitable[object]] = []
    batch = producer.create_batch()
    for key, value in entries:
        if batch.append(key=key, value=value, timestamp=None) is None:
            acks.append(await producer.send_batch(batch, topic, partition=partition))
            await asyncio.sleep(0)
            batch = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None)
    if batch.record_count():
        acks.append(await producer.send_batch(batch, topic, partition=partition))
    return acks


def check_sizes(topic: str, entries: Iterable[Keyed], limit: int) -> None:
    """Refuse values that the topic would.

    Raises
    ------
    ValueTooLarge
        Naming the key, the size and what to do.
    """
    for key, value in entries:
        size = len(key or b"") + len(value or b"") + ENTRY_OVERHEAD_BYTES
        if size > BATCH_SHARE * limit:
            raise ValueTooLarge(
                f"the state of {(key or b'').decode(errors='replace')!r} has {size} bytes, topic {topic} takes "
                f"{int(BATCH_SHARE * limit)}. Raise its max.message.bytes, or lower FRESHET_MAX_SEEN or "
                "FRESHET_NEIGHBOURS."
            )


async def load_checkpoint(
    state: PartitionState,
    names: Names,
    broker: Broker,
    progress: Callable[[int, int], Awaitable[None]] | None = None,
) -> tuple[int, int]:
    """Fill an empty state from its partition's checkpoints.

    Returns
    -------
    tuple[int, int]
        Records read, and when the last marker was written (Unix ms; 0 without one).

    Raises
    ------
    StateError
        If a batch or a value cannot be read: less than all of a state is none.
    """
    users = TopicPartition(names.user_checkpoints, state.number)
    items = TopicPartition(names.item_checkpoints, state.number)

    marked_ms = 0

    def apply(record: ConsumerRecord) -> None:
        nonlocal marked_ms
        if record.topic == users.topic:
            state.apply_user(record.key, record.value)
            if record.key == MARKER_KEY:
                marked_ms = record.timestamp
        else:
            state.items.apply(record.key.decode(), record.value)

    with readable():
        n = await read_to_end(broker, (users, items), apply, progress)
    state.finish_load()
    return n, marked_ms


@contextmanager
def readable() -> Iterator[None]:
    """Say of saved state that cannot be decoded what is wrong with it, and what to do.

    Raises
    ------
    StateError
        In place of `Undecodable`.
    """
    try:
        yield
    except Undecodable as error:
        raise StateError(
            f"saved state cannot be read: {error}. Nothing was changed. Restore the topic, or run `freshet reset`: it "
            "makes the topics of saved state anew, and the workers fold the log from its start."
        ) from error
