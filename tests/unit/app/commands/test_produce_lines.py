"""Lines on their way to becoming events."""

import asyncio
import io
import time
from typing import BinaryIO

import orjson
import pytest

from app.produce import checked_key, key_of, numbered_lines
from app.sending import MAX_LINE_BYTES, kafka_partitioner
from models.errors import InvalidEvent, LogError
from models.events import EventRules
from models.partitioner import partition_of


def event(**changes: object) -> bytes:
    """A valid event, with changes."""
    fields = {"user_id": "ü1", "item_id": "i1", "event_type": "view", "timestamp": int(time.time() * 1000)}
    return orjson.dumps({**fields, **changes})


def lines_of(source: BinaryIO) -> list[tuple[int, bytes]]:
    """All numbered lines."""

    async def collect() -> list[tuple[int, bytes]]:
        return [line async for line in numbered_lines(source)]

    return asyncio.run(collect())


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"a", [(1, b"a")]),
        (b"a\nb\n", [(1, b"a"), (2, b"b")]),
        (b"a\r\n\n  \nb", [(1, b"a"), (4, b"b")]),
        (b"x" * 70_000 + b"\ny\n", [(1, b"x" * 70_000), (2, b"y")]),
    ],
    ids=["nothing", "no newline", "two", "empty ones", "longer than a block"],
)
def test_numbered_lines(data: bytes, expected: list[tuple[int, bytes]]) -> None:
    """Lines keep their numbers when empty ones are left out; the last needs no newline."""
    assert lines_of(io.BytesIO(data)) == expected


def test_endless_line_is_cut() -> None:
    """A line without an end takes bounded memory, is too long to be sent, and the next line has its right number."""
    (first, long), second = lines_of(io.BytesIO(b"x" * (3 * MAX_LINE_BYTES) + b"\ny\n"))

    assert first == 1
    assert MAX_LINE_BYTES < len(long) <= MAX_LINE_BYTES + 1 + 65_536
    assert second == (2, b"y")


def test_source_that_cannot_be_read() -> None:
    """An error of the source is raised, not waited for."""

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("disk on fire")

    with pytest.raises(LogError, match="disk on fire"):
        lines_of(Broken())


def test_key_is_the_user_id() -> None:
    """The key is the user_id in UTF-8, an integer its digits; a line that has none has no key."""
    assert key_of(event(user_id=7)) == b"7"
    assert key_of(event()) == "ü1".encode()
    assert [key_of(line) for line in (b"[1]", b"no", b"{}", event(user_id=7.5))] == [None] * 4


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\xff", "not_json"),
        (b"[]", "not_object"),
        (event(user_id=None), "bad_type"),
        (event(user_id="{"), "out_of_range"),
        (event(event_type="glance"), "unknown_event_type"),
        (event(timestamp=9_999_999_999_999), "future_timestamp"),
        (event(context={"x": "y" * 70_000}), "too_large"),
    ],
)
def test_checked_as_a_worker_would(line: bytes, reason: str) -> None:
    """A line that would become a dead letter is refused with the reason code."""
    with pytest.raises(InvalidEvent) as caught:
        checked_key(line, EventRules())

    assert caught.value.reason == reason


@pytest.mark.parametrize("name", ["murmur2", "crc32"])
def test_partitioner_of_the_settings(name: str) -> None:
    """The producer places users where the worker expects them."""
    choose = kafka_partitioner(name)

    assert [choose(b"u%d" % n, range(5), range(5)) for n in range(50)] == [
        partition_of(b"u%d" % n, 5, name) for n in range(50)
    ]
    assert choose(None, range(5), range(5)) in range(5)
