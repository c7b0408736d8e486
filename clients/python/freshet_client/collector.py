"""Events to Freshet."""

import time
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Any, Self

from freshet_client.events import RATING_SCALE, UserEvent, event_record
from freshet_client.names import topic
from freshet_client.producer import Position, Producer


class EventCollector:
    """Sends events, each held against the contract first; for the coroutines of one event loop.

    Many may be under way at a time: they go out in batches, those of a user in order.

    Parameters
    ----------
    broker
        `host:port` of Kafka, or several with commas between.
    namespace, topic_prefix
        `FRESHET_NAMESPACE` and `FRESHET_TOPIC_PREFIX` of the workers.
    events_topic
        Their `FRESHET_EVENTS_TOPIC`, if they have one: the topic's whole name.
    extra_event_types
        Event types that their settings add.
    rating_scale
        Their `FRESHET_RATING_SCALE`.
    timeout_s
        Longest wait for an acknowledgement.
    **kafka
        What else `AIOKafkaProducer` takes: `security_protocol`, `ssl_context`, `sasl_mechanism` and so on;
        `partitioner` where the workers have another `FRESHET_PARTITIONER` than `murmur2`.

    Examples
    --------
    >>> async def main():
    ...     async with EventCollector("localhost:9092") as collector:
    ...         await collector.track_event(UserEvent("u42", "sku-1", "view"))
    """

    def __init__(
        self,
        broker: str,
        namespace: str = "",
        *,
        topic_prefix: str = "",
        events_topic: str = "",
        extra_event_types: Collection[str] = (),
        rating_scale: tuple[float, float] = RATING_SCALE,
        timeout_s: float = 10.0,
        **kafka: Any,
    ) -> None:
        self._topic = events_topic or topic("user_events", namespace, topic_prefix)
        self._extra_types = frozenset(extra_event_types)
        self._scale = rating_scale
        self._producer = Producer(broker, timeout_s, kafka)

    async def track_event(self, event: UserEvent | Mapping[str, Any]) -> Position:
        """Send an event; returns where it lies when all replicas have it.

        Raises
        ------
        InvalidEvent
            If the workers would make it a dead letter.
        ServiceError
            If Kafka does not say that it has it. Send the same event again: it is folded once.
        """
        fields = event.as_fields() if isinstance(event, UserEvent) else event
        key, value = event_record(fields, time.time_ns() // 1_000_000, self._extra_types, self._scale)
        return await self._producer.send(self._topic, key, value)

    async def close(self) -> None:
        """Let what was sent go out, and close."""
        await self._producer.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
