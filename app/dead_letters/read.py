"""Reads the dead letters of a namespace, each once."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aiokafka import ConsumerRecord, TopicPartition

from app.kafka import partition_counts, read_to_end
from models.errors import ServiceError

UNKNOWN = "unknown"


class DeadLetter(NamedTuple):
    """A record that could not be folded.

    `topic`, `partition`, `offset` and `time_ms` are those it had in the log; `sent_ms` is when it became a dead letter.
    """

    reason: str
    message: str
    topic: str
    partition: int
    offset: int
    time_ms: int
    sent_ms: int
    key: bytes | None
    value: bytes | None


def dead_letter(record: ConsumerRecord) -> DeadLetter:
    """Read a record; one that others have put there without our headers has itself as its origin."""
    headers = {name: value.decode("utf-8", "backslashreplace") for name, value in record.headers if value is not None}
    origin = (headers.get("topic"), _number(headers.get("partition")), _number(headers.get("offset")))
    topic, partition, offset = origin
    if topic is None or partition is None or offset is None:
        topic, partition, offset = record.topic, record.partition, record.offset
    time_ms = _number(headers.get("timestamp_ms"))
    return DeadLetter(
        reason=headers.get("reason", UNKNOWN),
        message=headers.get("message", ""),
        topic=topic,
        partition=partition,
        offset=offset,
        time_ms=record.timestamp if time_ms is None else time_ms,
        sent_ms=record.timestamp,
        key=record.key,
        value=record.value,
    )


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


class Once:
    """Hands each dead letter on once: after a crash, or a reset, the same ones are sent again."""

    def __init__(self, handle: Callable[[DeadLetter], None]) -> None:
        self.n_repeats = 0
        self._handle = handle
        self._known: dict[tuple[str, int], set[int]] = {}

    def take(self, letter: DeadLetter) -> None:
        """Hand it on, unless one of the same origin was."""
        known = self._known.setdefault((letter.topic, letter.partition), set())
        if letter.offset in known:
            self.n_repeats += 1
            return
        known.add(letter.offset)
        self._handle(letter)


async def read_dead_letters(
    broker: str,
    topic: str,
    handle: Callable[[DeadLetter], None],
    progress: Callable[[int, int], Awaitable[None]] | None = None,
) -> int:
    """Read the topic from its start to its end, oldest first; returns how many repeats were dropped.

    Raises
    ------
    ServiceError
        If there is no such topic.
    """
    counts = await partition_counts(broker, [topic])
    if topic not in counts:
        raise ServiceError(
            f"there is no topic {topic} at {broker}. A worker makes it at its start: run `freshet worker`, or check "
            "FRESHET_BROKER and FRESHET_NAMESPACE."
        )
    once = Once(handle)
    partitions = [TopicPartition(topic, number) for number in range(counts[topic])]
    await read_to_end(broker, partitions, lambda record: once.take(dead_letter(record)), progress)
    return once.n_repeats
