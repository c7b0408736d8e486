"""Reads the dead letters of a namespace, each once, without those re-driven, or folded anew by a reset."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aiokafka import ConsumerRecord, TopicPartition

from app.broker import Broker
from app.dead_letters.marks import Marks, Origin, Origins, Refolds, is_mark, origin_of
from app.kafka import partitions_of, read_to_end
from app.sources.rewritten import SOURCE_HEADER, SOURCE_TIME, SOURCE_TOPIC, Header

UNKNOWN = "unknown"
UNDECODABLE = "undecodable"
"""Reason of a letter whose value is no event but a whole batch, that an operator has had stepped over."""

Handle = Callable[["DeadLetter"], None]
Progress = Callable[[int, int], Awaitable[None]]


class DeadLetter(NamedTuple):
    """A record that could not be folded.

    `topic`, `partition`, `offset` and `time_ms` are those it had in the log; `sent_ms` is when it became a dead letter.
    `key_bytes` and `value_bytes` are how long key and value are there, if they were too long to be here whole.
    `source_topic` is the topic that it lay in first, if it was re-driven before; `headers` those that the intake kept.
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
    key_bytes: int | None = None
    value_bytes: int | None = None
    source_topic: str | None = None
    headers: tuple[Header, ...] = ()

    @property
    def origin(self) -> Origin:
        """Where in the log it came from."""
        return Origin(self.topic, self.partition, self.offset)


def dead_letter(record: ConsumerRecord) -> DeadLetter:
    """Read a record; one that others have put there without our headers has itself as its origin."""
    headers = {name: value.decode("utf-8", "backslashreplace") for name, value in record.headers if value is not None}
    origin = origin_of(dict(record.headers)) or Origin(record.topic, record.partition, record.offset)
    time_ms = _number(headers.get(SOURCE_TIME, headers.get("timestamp_ms")))
    return DeadLetter(
        reason=headers.get("reason", UNKNOWN),
        message=headers.get("message", ""),
        topic=origin.topic,
        partition=origin.partition,
        offset=origin.offset,
        time_ms=record.timestamp if time_ms is None else time_ms,
        sent_ms=record.timestamp,
        key=record.key,
        value=record.value,
        key_bytes=_number(headers.get("key_bytes")),
        value_bytes=_number(headers.get("value_bytes")),
        source_topic=headers.get(SOURCE_TOPIC),
        headers=tuple(each for each in record.headers if each[0].startswith(SOURCE_HEADER)),
    )


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


class Once:
    """Hands each dead letter on once: after a crash, or a reset, the same ones are sent again.

    Parameters
    ----------
    redriven
        Origins of letters that are not handed on at all.
    refolds
        Resets; letters from before them are not handed on either, unless they come again.
    """

    def __init__(self, handle: Handle, redriven: Origins | None = None, refolds: Refolds | None = None) -> None:
        self.n_repeats = self.n_redriven = self.n_refolded = 0
        self._refolds = refolds if refolds is not None else Refolds()
        self._handle = handle
        self._redriven = redriven if redriven is not None else Origins()
        self._known = Origins()

    def take_record(self, record: ConsumerRecord) -> None:
        """Hand on the letter in a record of the topic."""
        letter = dead_letter(record)
        if letter.reason != UNDECODABLE and self._refolds.cover(record, letter.origin):
            self.n_refolded += 1
        else:
            self.take(letter)

    def take(self, letter: DeadLetter) -> None:
        """Hand it on, unless one of the same origin was, or has been re-driven."""
        if not self._known.add(letter.origin):
            self.n_repeats += 1
        elif letter.origin in self._redriven:
            self.n_redriven += 1
        else:
            self._handle(letter)


async def read_dead_letters(broker: Broker, topic: str, handle: Handle, progress: Progress | None = None) -> Once:
    """Read the topic from its start to its end, oldest first; returns what was left out.

    It is read twice: first for the marks, which lie behind their letters.

    Raises
    ------
    ServiceError
        If there is no such topic.
    """
    partitions = await partitions_of(broker, topic)
    marks = await read_marks(broker, partitions, None if progress is None else half(progress, 0))
    once = Once(handle, marks.redriven, marks.refolds)
    await read_letters(broker, partitions, once, None if progress is None else half(progress, 1))
    return once


async def read_marks(broker: Broker, partitions: list[TopicPartition], progress: Progress | None) -> Marks:
    """What redrives and resets have left in the topic."""
    marks = Marks()
    await read_to_end(broker, partitions, marks.take, progress)
    return marks


async def read_letters(broker: Broker, partitions: list[TopicPartition], once: Once, progress: Progress | None) -> None:
    """Hand on the letters of the topic."""

    def take(record: ConsumerRecord) -> None:
        if not is_mark(record):
            once.take_record(record)

    await read_to_end(broker, partitions, take, progress)


def half(progress: Progress, which: int) -> Progress:
    """Progress of the first (0) or the second (1) of two readings as progress of both."""

    async def show(done: int, total: int) -> None:
        await progress(which * total + done, 2 * total)

    return show
