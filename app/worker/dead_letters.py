"""Dead letters: what could not be folded, as it came, with its reason and its origin in the headers.

What is too large for the topic goes out cut, and says so: a producer that compresses can get more into the log than any
topic takes unpacked, and such a record must neither be lost silently nor hold up its partition.
"""

import asyncio
from typing import NamedTuple

from aiokafka import AIOKafkaProducer, ConsumerRecord

from app.broker import Broker
from app.kafka import CODEC, start_client, topic_limits, writer
from models.errors import InvalidEvent

MAX_REQUEST_BYTES = 64 * 1024**2  # brokers take requests of 100 MiB unless told otherwise
MAX_MESSAGE_BYTES = 4096
OVERHEAD_BYTES = 8192  # the headers, that of the message at its longest, and Kafka's own
KEPT_BYTES = 65_536
LEAST_LIMIT_BYTES = 32_768  # of the topic; the client collects letters up to half of that before it sends them


class Letter(NamedTuple):
    """A dead letter as it is sent."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


def letter_of(record: ConsumerRecord, invalid: InvalidEvent, limit: int) -> Letter:
    """The letter of a record, of `limit` bytes at most.

    Key and value come whole if both fit. If not, either is cut to its first 64 KiB (less if the limit is low); header
    `key_bytes` or `value_bytes` then has its size in the log, and the message says so, too.
    """
    sizes = {"key": len(record.key or b""), "value": len(record.value or b"")}
    room = limit - OVERHEAD_BYTES
    kept = max(sizes.values()) if sum(sizes.values()) <= room else min(KEPT_BYTES, room // 2)
    cut = {name: size for name, size in sizes.items() if size > kept}
    said = [invalid.message.encode()[:MAX_MESSAGE_BYTES]]
    said += [f"Here are the first {kept} of the {size} bytes of its {name}.".encode() for name, size in cut.items()]
    headers = {
        "reason": invalid.reason,
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "timestamp_ms": str(record.timestamp),
        **{f"{name}_bytes": str(size) for name, size in cut.items()},
    }
    return Letter(
        record.key and record.key[:kept],
        record.value and record.value[:kept],
        [("message", b" ".join(said)), *((name, text.encode()) for name, text in headers.items())],
    )


class DeadLetterSender:
    """Sends dead letters; their acknowledgements are futures."""

    def __init__(self, broker: Broker, topic: str) -> None:
        self._broker = broker
        self._topic = topic
        self._limit = LEAST_LIMIT_BYTES
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect, and ask how large a letter may be."""
        limits = await topic_limits(self._broker, [self._topic])
        self._limit = min(limits[self._topic], MAX_REQUEST_BYTES)
        self._producer = writer(
            self._broker, max_request_size=self._limit, request_timeout_ms=60_000, compression_type=CODEC
        )
        await start_client(self._producer, self._broker)

    def send(self, record: ConsumerRecord, invalid: InvalidEvent) -> asyncio.Future[object]:
        """Send one record on; returns the future of its acknowledgement at once."""
        return asyncio.ensure_future(self._send(record, invalid))

    async def _send(self, record: ConsumerRecord, invalid: InvalidEvent) -> object:
        assert self._producer is not None, "start comes first"
        key, value, headers = letter_of(record, invalid, self._limit)
        value = b"" if key is None and value is None else value  # the client wants one of them
        return await self._producer.send_and_wait(self._topic, key=key, value=value, headers=headers)

    async def stop(self) -> None:
        """Flush and disconnect."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await producer.stop()
