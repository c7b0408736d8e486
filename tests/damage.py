"""Batches made undecodable where a broker of the tests keeps them: it checks what is sent, not what it has stored."""

import asyncio
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

from app.batches import Batch, first_batch
from app.broker import Broker
from app.kafka import start_client
from app.local.stack import LocalStack
from tests.scene import Sent

CRC_AT, ATTRIBUTES_AT, RECORDS_AT = 17, 21, 61
CODEC_BITS, UNKNOWN_CODEC = 0x07, 5
HEADER = "a-header"

Change = Callable[[bytearray], None]


def send_batch(broker: Broker, topic: str, partition: int, codec: str | None, records: Sequence[Sent]) -> int:
    """Send records as one batch; returns its first offset. Values that name `HEADER` get such a header."""

    async def send() -> int:
        producer = AIOKafkaProducer(**broker.client(), compression_type=codec)
        await start_client(producer, broker)
        try:
            batch = producer.create_batch()
            for record in records:
                headers = [(HEADER, b"")] if record.value and HEADER.encode() in record.value else []
                assert batch.append(key=record.key, value=record.value, timestamp=None, headers=headers) is not None
            place = await (await producer.send_batch(batch, topic, partition=partition))
            return int(place.offset)
        finally:
            await producer.stop()

    return asyncio.run(send())


def unknown_codec(batch: bytearray) -> None:
    """A codec that no release of Kafka has, under a CRC that is right."""
    batch[ATTRIBUTES_AT + 1] = batch[ATTRIBUTES_AT + 1] & ~CODEC_BITS | UNKNOWN_CODEC
    _sign(batch)


def damaged_records(batch: bytearray) -> None:
    """Other bytes where the records begin, under a CRC that is right: the producer itself was broken."""
    batch[RECORDS_AT : RECORDS_AT + 8] = b"\xff" * 8
    _sign(batch)


def latin_header(batch: bytearray) -> None:
    """A header's name in Latin-1, which brokers let through, in a batch that is not compressed."""
    at = batch.rindex(HEADER.encode())  # its value names it as well, before
    batch[at : at + len(HEADER)] = b"\xe9" * len(HEADER)
    _sign(batch)


def damaged_on_disk(batch: bytearray) -> None:
    """One bit in the middle of the records is another one, and the CRC tells."""
    batch[(RECORDS_AT + len(batch)) // 2] ^= 1


def damage(stack: LocalStack, topic: str, partition: int, offset: int, change: Change) -> Batch:
    """Change the stored batch that begins at an offset; returns it as it lies there now."""
    for segment in _segments(stack, topic, partition):
        at, data = 0, segment.read_bytes()
        while at < len(data):
            batch = first_batch(data[at:])
            if batch.first == offset:
                changed = bytearray(batch.data)
                change(changed)
                with segment.open("r+b") as file:
                    file.seek(at)
                    file.write(changed)
                return first_batch(bytes(changed))
            at += len(batch.data)
    raise AssertionError(f"no batch begins at offset {offset} of partition {partition} of {topic}")


def first_of(stack: LocalStack, topic: str, partition: int) -> int:
    """The offset that the first stored batch of a partition begins with."""
    return first_batch(_segments(stack, topic, partition)[0].read_bytes()).first


def _segments(stack: LocalStack, topic: str, partition: int) -> list[Path]:
    return sorted((stack.folder / "kafka" / "data" / f"{topic}-{partition}").glob("*.log"))


def _sign(batch: bytearray) -> None:
    struct.pack_into(">I", batch, CRC_AT, calc_crc32c(bytes(batch[ATTRIBUTES_AT:])))
