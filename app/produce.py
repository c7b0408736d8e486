"""Sends events that come as JSON lines."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from app.acks import GIVE_UP_S, Acks
from app.kafka import CODEC, has_stopped, partition_counts, start_client, writer
from app.settings import Settings
from app.sources import Source, SourceRecord
from models.errors import InvalidEvent, LogError, ServiceError
from models.events import EventRules, decode
from models.partitioner import partition_of

READ_BYTES = 65_536
MAX_LINE_BYTES = 1_048_576
PENDING_SENDS = 1000
READ_AHEAD = 4

Report = Callable[[int, str, str], None]


@dataclass(slots=True)
class Tally:
    """How many events have been acknowledged, and how many lines were bad."""

    n_sent: int = 0
    n_bad: int = 0

    def acknowledged(self) -> None:
        """One more has."""
        self.n_sent += 1


def kafka_partitioner(name: str) -> Callable[[bytes | None, Sequence[int], Sequence[int]], int]:
    """The partitioner of the settings, as aiokafka wants it; without a key any partition will do."""

    def choose(key: bytes | None, partitions: Sequence[int], available: Sequence[int]) -> int:
        return partition_of(key or b"", len(partitions), name)

    return choose


async def produce_lines(
    lines: BinaryIO,
    settings: Settings,
    tally: Tally,
    report: Report,
    *,
    check: bool,
    rate: float | None,
    source: Source | None = None,
) -> None:
    """Send every line until they end; empty ones are left out.

    Parameters
    ----------
    tally
        Counted up meanwhile, so that it is right however this ends.
    report
        Called with the number of a bad line, the reason code and the message.
    check
        Refuse what a worker would make a dead letter.
    rate
        Events a second at most; None: as fast as it goes.
    source
        Makes events of a line; None: a line is an event.

    Raises
    ------
    ServiceError
        If there is no topic to send to.
    """
    topic = settings.names.events
    if topic not in await partition_counts(settings.kafka, [topic]):
        raise ServiceError(
            f"there is no topic {topic} at {settings.broker}. A worker makes it at its start: run `freshet worker` "
            "first, or check FRESHET_BROKER and FRESHET_NAMESPACE."
        )
    rules = settings.fold.rules
    producer = writer(
        settings.kafka,
        linger_ms=2,
        compression_type=CODEC if rate is None else None,
        max_request_size=MAX_LINE_BYTES + READ_BYTES,
        partitioner=kafka_partitioner(settings.partitioner),
    )
    await start_client(producer, settings.kafka)
    acks = Acks(PENDING_SENDS, on_answer=tally.acknowledged)
    started = time.monotonic()
    n_tried = 0
    try:
        async for number, line in numbered_lines(lines):
            try:
                for key, value in _events(line, rules, check, source):
                    if rate is not None:
                        await asyncio.sleep(max(0.0, started + n_tried / rate - time.monotonic()))
                    n_tried += 1
                    await acks.add(await send(producer, topic, key, value))
            except InvalidEvent as invalid:
                tally.n_bad += 1
                report(number, invalid.reason, invalid.message)
        await acks.all_there()
    finally:
        await has_stopped(producer, GIVE_UP_S)
        acks.let_go()


def _events(line: bytes, rules: EventRules, check: bool, source: Source | None) -> list[tuple[bytes | None, bytes]]:
    """Keys and values to send for a line.

    Raises
    ------
    InvalidEvent
        If there is something wrong with any of them.
    """
    if source is None:
        return [(checked_key(line, rules) if check else key_of(line), line)]
    if len(line) > MAX_LINE_BYTES:
        raise InvalidEvent("too_large", f"the line has more than {MAX_LINE_BYTES} bytes: send less.")
    record = SourceRecord("", None, line, (), int(time.time() * 1000))
    return [(event.key, event.value or b"") for event in source.read(record)]


async def send(producer: AIOKafkaProducer, topic: str, key: bytes | None, line: bytes) -> asyncio.Future[Any]:
    """Send one line; returns the future of its acknowledgement.

    Raises
    ------
    InvalidEvent
        If it is longer than the broker would take.
    """
    try:
        if len(line) > MAX_LINE_BYTES:
            raise MessageSizeTooLargeError
        acknowledged: asyncio.Future[Any] = await producer.send(topic, line, key=key)
    except MessageSizeTooLargeError:
        raise InvalidEvent("too_large", f"the line has more than {MAX_LINE_BYTES} bytes: send less.") from None
    return acknowledged


def key_of(line: bytes) -> bytes | None:
    """The user_id in a line, if there is one."""
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    user_id = fields.get("user_id") if isinstance(fields, dict) else None
    return str(user_id).encode() if type(user_id) in (str, int) else None


def checked_key(line: bytes, rules: EventRules) -> bytes:
    """The user_id of a line that is a valid event now.

    Raises
    ------
    InvalidEvent
        If a worker would make it a dead letter.
    """
    if len(line) > rules.max_bytes:
        raise InvalidEvent("too_large", f"the line has more than {rules.max_bytes} bytes: send at most that.")
    return decode(key_of(line), line, int(time.time() * 1000), rules).user_id.encode()


async def numbered_lines(source: BinaryIO) -> AsyncIterator[tuple[int, bytes]]:
    """Each line that is not empty, with its number from 1, as soon as it is there; a very long one is cut.

    The source is read by a thread of its own, past Python's buffer, so that nothing waits for a terminal or a pipe.
    """
    loop = asyncio.get_running_loop()
    blocks: asyncio.Queue[bytes | OSError] = asyncio.Queue(READ_AHEAD)
    raw: BinaryIO = getattr(source, "raw", source)

    def read() -> None:
        block: bytes | OSError = b"-"
        while block and isinstance(block, bytes):
            try:
                block = raw.read(READ_BYTES) or b""
            except OSError as error:
                block = error
            handing_over = blocks.put(block)
            try:
                asyncio.run_coroutine_threadsafe(handing_over, loop).result()
            except RuntimeError:  # the loop is closed: nobody listens any more
                handing_over.close()
                return

    threading.Thread(target=read, daemon=True).start()
    rest, number = b"", 0
    while block := await blocks.get():
        if isinstance(block, OSError):
            raise LogError(f"the events cannot be read: {block}. Lines up to {number} have been sent.") from block
        *lines, tail = block.split(b"\n")
        for line in lines:
            number += 1
            whole, rest = rest + line, b""
            if whole.strip():
                yield number, whole.removesuffix(b"\r")
        rest = (rest + tail)[: MAX_LINE_BYTES + 1]
    if rest.strip():
        yield number + 1, rest
