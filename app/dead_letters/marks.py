"""What a redrive leaves in the topic of dead letters, beside the letters, so that nothing is sent twice.

A mark says that the letter of one origin has been re-driven; its headers name the origin as the letter's do, and
`redriven` names the place in the log where the event went. A begin says from where on in the log a redrive has sent,
and an end that it has marked all of that: a begin without an end was left by one that died.

A reset leaves a refold, which says from where on the log is folded anew: letters before it from there on are done with,
for what is refused again becomes a letter again behind it.
"""

from collections.abc import Mapping
from typing import NamedTuple

import orjson
from aiokafka import ConsumerRecord

MARK = "redriven"
BEGIN = "redriving"
REFOLD = "refolded"
SENT_FROM = "redriven_from"
"""Header of an event that was re-driven, in the log: `topic/partition/offset` of the one that could not be folded."""

Headers = list[tuple[str, bytes]]


class Origin(NamedTuple):
    """Where in the log a dead letter came from."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


class Origins:
    """A set of origins, small in memory."""

    def __init__(self) -> None:
        self._offsets: dict[tuple[str, int], set[int]] = {}

    def add(self, origin: Origin) -> bool:
        """Add one; returns whether it is new."""
        offsets = self._offsets.setdefault(origin[:2], set())
        n = len(offsets)
        offsets.add(origin.offset)
        return len(offsets) > n

    def __contains__(self, origin: Origin) -> bool:
        return origin.offset in self._offsets.get(origin[:2], ())


class Refolds:
    """Resets: where in the topic of dead letters they stand, and from where on each had the log folded anew."""

    def __init__(self) -> None:
        self._all: list[tuple[int, int, str, dict[int, int]]] = []

    def add(self, record: ConsumerRecord) -> None:
        """Take in the record of one."""
        said = orjson.loads(dict(record.headers)[REFOLD])
        starts = {int(number): start for number, start in said["starts"].items()}
        self._all.append((record.partition, record.offset, said["topic"], starts))

    def cover(self, record: ConsumerRecord, origin: Origin) -> bool:
        """Whether the letter in this record was written before a reset whose fold comes by its origin again."""
        return any(
            record.partition == partition
            and record.offset < offset
            and origin.topic == topic
            and origin.offset >= starts.get(origin.partition, origin.offset + 1)
            for partition, offset, topic, starts in self._all
        )


class Marks:
    """What redrives and resets so far have left.

    `open_ends` are the ends of the log's partitions at a begin without an end; None if there is no such.
    """

    def __init__(self) -> None:
        self.redriven = Origins()
        self.refolds = Refolds()
        self.open_ends: dict[int, int] | None = None

    def take(self, record: ConsumerRecord) -> None:
        """Take in one record of the topic; letters are none of our business."""
        headers = dict(record.headers)
        if MARK in headers and (origin := origin_of(headers)):
            self.redriven.add(origin)
        elif BEGIN in headers:
            ends = {int(number): end for number, end in orjson.loads(headers[BEGIN]).items()}
            self.open_ends = ends or None
        elif REFOLD in headers:
            self.refolds.add(record)


def is_mark(record: ConsumerRecord) -> bool:
    """Whether a record of the topic is no letter."""
    return any(name in (MARK, BEGIN, REFOLD) for name, _ in record.headers)


def origin_of(headers: dict[str, bytes | None]) -> Origin | None:
    """The origin that the headers of a letter or of a mark name; None if they do not."""
    topic, partition, offset = (headers.get(name) for name in ("topic", "partition", "offset"))
    if topic is None or partition is None or offset is None:
        return None
    try:
        return Origin(topic.decode("utf-8", "backslashreplace"), int(partition), int(offset))
    except ValueError:
        return None


def mark_headers(origin: Origin, partition: int, offset: int) -> Headers:
    """Headers of the mark of a letter whose event went to this place in the log."""
    fields = {MARK: f"{partition}/{offset}", "topic": origin.topic}
    numbers = {"partition": str(origin.partition), "offset": str(origin.offset)}
    return [(name, text.encode()) for name, text in (fields | numbers).items()]


def redriven_to(record: ConsumerRecord) -> tuple[Origin, int, int] | None:
    """Of a mark: the letter's origin, and partition and offset where its event went; None for every other record."""
    headers = dict(record.headers)
    origin, place = origin_of(headers), headers.get(MARK)
    if origin is None or place is None:
        return None
    partition, _, offset = place.decode("utf-8", "backslashreplace").partition("/")
    return (origin, int(partition), int(offset)) if partition.isdecimal() and offset.isdecimal() else None


def begin_headers(ends: dict[int, int]) -> Headers:
    """Headers of a begin; without ends, of an end."""
    return [(BEGIN, orjson.dumps(ends, option=orjson.OPT_NON_STR_KEYS))]


def refold_headers(topic: str, starts: Mapping[int, int]) -> Headers:
    """Headers of a refold of this log from these offsets on."""
    return [(REFOLD, orjson.dumps({"topic": topic, "starts": starts}, option=orjson.OPT_NON_STR_KEYS))]


def sent_headers(origin: Origin) -> Headers:
    """Headers of the event that is sent for a letter."""
    return [(SENT_FROM, str(origin).encode())]


def sent_origin(record: ConsumerRecord) -> Origin | None:
    """The origin of a record that was re-driven; None for every other one."""
    for name, value in record.headers:
        if name == SENT_FROM and value is not None:
            topic, _, place = value.decode("utf-8", "backslashreplace").partition("/")
            partition, _, offset = place.partition("/")
            if partition.isdecimal() and offset.isdecimal():
                return Origin(topic, int(partition), int(offset))
    return None
