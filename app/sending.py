"""Sends rows one by one, events as well as entries: bad ones are told and left out, the others acknowledged."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from app.acks import GIVE_UP_S, Acks
from app.kafka import CODEC, has_stopped, partition_counts, start_client, writer
from app.settings import Settings
from models.errors import InvalidEvent, ServiceError
from models.partitioner import partition_of

MAX_LINE_BYTES = 1_048_576
ROOM_BYTES = 65_536
PENDING_SENDS = 1000

R = TypeVar("R")
Report = Callable[[int, str, str], None]
Made = Iterable[tuple[bytes | None, bytes | None]]


@dataclass(slots=True)
class Tally:
    """How many records have been acknowledged, with a value and without one, and how many rows were bad."""

    n_sent: int = 0
    n_deleted: int = 0
    n_bad: int = 0

    def acknowledged(self) -> None:
        """One more has, with a value."""
        self.n_sent += 1

    def deleted(self) -> None:
        """One more has, without a value."""
        self.n_deleted += 1


def kafka_partitioner(name: str) -> Callable[[bytes | None, Sequence[int], Sequence[int]], int]:
    """The partitioner of the settings, as aiokafka wants it; without a key any partition will do."""

    def choose(key: bytes | None, partitions: Sequence[int], available: Sequence[int]) -> int:
        return partition_of(key or b"", len(partitions), name)

    return choose


async def send_rows(
    rows: AsyncIterator[tuple[int, R]],
    make: Callable[[R], Made],
    topic: str,
    settings: Settings,
    tally: Tally,
    report: Report,
    *,
    rate: float | None = None,
    on_row: Callable[[], None] = lambda: None,
) -> None:
    """Send what is made of each row until they end.

    Parameters
    ----------
    rows
        Number and row.
    make
        Keys and values of a row, or `InvalidEvent`.
    tally
        Counted up meanwhile, so that it is right however this ends.
    report
        Called with the number of a bad row, the reason code and the message.
    rate
        Records a second at most; None: as fast as it goes.
    on_row
        Called after each row.

    Raises
    ------
    ServiceError
        If there is no topic to send to.
    """
    if topic not in await partition_counts(settings.kafka, [topic]):
        raise ServiceError(
            f"there is no topic {topic} at {settings.broker}. A worker makes it at its start: run `freshet worker` "
            "first, or check FRESHET_BROKER and FRESHET_NAMESPACE."
        )
    producer = writer(
        settings.kafka,
        linger_ms=2,
        compression_type=CODEC if rate is None else None,
        max_request_size=MAX_LINE_BYTES + ROOM_BYTES,
        partitioner=kafka_partitioner(settings.partitioner),
    )
    await start_client(producer, settings.kafka)
    acks = Acks(PENDING_SENDS, on_answer=tally.acknowledged)
    started = time.monotonic()
    n_tried = 0
    try:
        async for number, row in rows:
            try:
                for key, value in make(row):
                    if rate is not None:
                        await asyncio.sleep(max(0.0, started + n_tried / rate - time.monotonic()))
                    n_tried += 1
                    sent = await _send(producer, topic, key, value)
                    await acks.add(sent, tally.deleted if value is None else None)
            except InvalidEvent as invalid:
                tally.n_bad += 1
                report(number, invalid.reason, invalid.message)
            on_row()
        await acks.all_there()
    finally:
        await has_stopped(producer, GIVE_UP_S)
        acks.let_go()


async def _send(producer: AIOKafkaProducer, topic: str, key: bytes | None, value: bytes | None) -> asyncio.Future[Any]:
    """Send one record; returns the future of its acknowledgement.

    Raises
    ------
    InvalidEvent
        If it is longer than the broker would take.
    """
    try:
        if value is not None and len(value) > MAX_LINE_BYTES:
            raise MessageSizeTooLargeError
        acknowledged: asyncio.Future[Any] = await producer.send(topic, value, key=key)
    except MessageSizeTooLargeError:
        raise InvalidEvent("too_large", f"it has more than {MAX_LINE_BYTES} bytes: send less.") from None
    return acknowledged
