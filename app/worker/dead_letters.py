"""Dead letters: what could not be folded, as it came, with its reason and its origin in the headers."""

import asyncio

from aiokafka import AIOKafkaProducer, ConsumerRecord

from app.kafka import start_client, writer
from models.errors import InvalidEvent

MAX_REQUEST_BYTES = 2 * 1_048_588


class DeadLetterSender:
    """Sends dead letters; their acknowledgements are futures."""

    def __init__(self, broker: str, topic: str) -> None:
        self._broker = broker
        self._topic = topic
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect."""
        self._producer = writer(self._broker, max_request_size=MAX_REQUEST_BYTES, request_timeout_ms=60_000)
        await start_client(self._producer, self._broker)

    def send(self, record: ConsumerRecord, invalid: InvalidEvent) -> asyncio.Future[object]:
        """Send one record on; returns the future of its acknowledgement at once."""
        return asyncio.ensure_future(self._send(record, invalid))

    async def _send(self, record: ConsumerRecord, invalid: InvalidEvent) -> object:
        assert self._producer is not None, "start comes first"
        headers = {
            "reason": invalid.reason,
            "message": invalid.message,
            "topic": record.topic,
            "partition": str(record.partition),
            "offset": str(record.offset),
            "timestamp_ms": str(record.timestamp),
        }
        return await self._producer.send_and_wait(
            self._topic,
            key=record.key,
            value=record.value if record.value is not None or record.key is not None else b"",
            headers=[(name, text.encode()) for name, text in headers.items()],
        )

    async def stop(self) -> None:
        """Flush and disconnect."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await producer.stop()
