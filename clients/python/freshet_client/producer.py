"""Records to Kafka, each acknowledged by all replicas."""

import asyncio
import contextlib
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from freshet_client.errors import InvalidEvent, ServiceError

MAX_REQUEST_BYTES: Final = 1_114_112  # the longest profile, and room for what stands around it
CLOSE_S: Final = 5.0  # aiokafka would wait for a broker that is gone for ever


class Position(NamedTuple):
    """Where a record lies; as text what the gateway takes as `after`."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


class Producer:
    """One idempotent producer, started when it is first needed, and anew after it has failed.

    Parameters
    ----------
    broker
        `host:port`, or several with commas between.
    timeout_s
        Longest wait for the broker at the start, and for an acknowledgement.
    options
        What else aiokafka's producer is told.
    """

    def __init__(self, broker: str, timeout_s: float, options: dict[str, Any]) -> None:
        self._broker = broker
        self._timeout_s = timeout_s
        self._options = {
            "enable_idempotence": True,
            "acks": "all",
            "max_request_size": MAX_REQUEST_BYTES,
            **options,
            "bootstrap_servers": broker,
        }
        self._starting = asyncio.Lock()
        self._producer: AIOKafkaProducer | None = None

    async def send(self, topic: str, key: bytes, value: bytes | None) -> Position:
        """Send a record and wait until all replicas have it.

        Raises
        ------
        ServiceError
            If there is no broker, or it does not say in time that it has it: it may lie there or not.
        InvalidEvent
            If the topic takes no record as large.
        """
        producer = await self._started()
        try:
            async with asyncio.timeout(self._timeout_s):
                found = await producer.send_and_wait(topic, value, key=key)
        except (MessageSizeTooLargeError, RecordListTooLargeError) as error:
            raise InvalidEvent("too_large", f"it has more bytes than topic {topic} takes: send less.") from error
        except TimeoutError:
            raise ServiceError(
                f"Kafka at {self._broker} has not acknowledged a record within {self._timeout_s:g} s; it may lie there "
                "or not. Send it again: an event with the same event_id is folded once."
            ) from None
        except KafkaError as error:
            if producer is self._producer:
                self._producer = None
                await _stopped(producer)
            raise ServiceError(
                f"Kafka at {self._broker} refused a record for topic {topic}: {error!r}. Check that the topic is there "
                "(workers make it at their start), and that this client may write to it."
            ) from error
        return Position(found.partition, found.offset)

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(**self._options)
                try:
                    async with asyncio.timeout(self._timeout_s):
                        await producer.start()
                except (KafkaError, TimeoutError) as error:
                    await _stopped(producer)
                    raise ServiceError(
                        f"Kafka at {self._broker} cannot be reached: {error or 'no answer in time'}. Start it, or "
                        "check host, port and login."
                    ) from error
                self._producer = producer
            return self._producer

    async def close(self) -> None:
        """Let what was sent go out, and close."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stopped(producer)


async def _stopped(producer: AIOKafkaProducer) -> None:
    with contextlib.suppress(KafkaError):
        try:
            async with asyncio.timeout(CLOSE_S):
                await producer.stop()
        except TimeoutError:
            await producer.client.close()
            producer._sender.sender_task.cancel()
