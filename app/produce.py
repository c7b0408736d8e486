"""Sends events that come as JSON lines."""

import time
from collections.abc import AsyncIterator, Callable
from typing import BinaryIO

import orjson

from app.read_ahead import read_ahead
from app.sending import MAX_LINE_BYTES, Made, Report, Tally, send_rows
from app.settings import Settings
from app.sources import Source, SourceRecord
from models.errors import InvalidEvent, LogError
from models.events import EventRules, decode

READ_BYTES = 65_536
READ_AHEAD = 4


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
    """Send every line until they end; empty ones are left out. See `send_rows`.

    Parameters
    ----------
    check
        Refuse what a worker would make a dead letter.
    source
        Makes events of a line; None: a line is an event.
    """
    make = _events_by(source) if source is not None else _checked(settings.rules) if check else _as_it_is
    await send_rows(numbered_lines(lines), make, settings.names.events, settings, tally, report, rate=rate)


def _as_it_is(line: bytes) -> Made:
    return [(key_of(line), line)]


def _events_by(source: Source) -> Callable[[bytes], Made]:
    def make(line: bytes) -> Made:
        if len(line) > MAX_LINE_BYTES:
            raise InvalidEvent("too_large", f"the line has more than {MAX_LINE_BYTES} bytes: send less.")
        return source.read(SourceRecord("", None, line, (), int(time.time() * 1000)))

    return make


def _checked(rules: EventRules) -> Callable[[bytes], Made]:
    return lambda line: [(checked_key(line, rules), line)]


def key_of(line: bytes) -> bytes | None:
    """The user_id in a line, if there is one; an integer is its digits."""
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

    The source is read past Python's buffer, so that nothing waits for a terminal or a pipe.
    """
    raw: BinaryIO = getattr(source, "raw", source)
    rest, number = b"", 0
    try:
        async for block in read_ahead(iter(lambda: raw.read(READ_BYTES) or b"", b""), READ_AHEAD):
            *lines, tail = block.split(b"\n")
            for line in lines:
                number += 1
                whole, rest = rest + line, b""
                if whole.strip():
                    yield number, whole.removesuffix(b"\r")
            rest = (rest + tail)[: MAX_LINE_BYTES + 1]
    except OSError as error:
        raise LogError(f"the events cannot be read: {error}. Lines up to {number} have been sent.") from error
    if rest.strip():
        yield number + 1, rest
