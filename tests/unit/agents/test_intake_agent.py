"""The intake agent over plain Python: mapping, fan-out, dead letters, and what waits for a schema."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

import pytest

from agents.intake import Mapped, map_records, take_in
from models.errors import InvalidEvent, SchemaUnavailable


class Record(NamedTuple):
    """A record: comma-separated items; `?` needs a schema that is not there, `!` is no event."""

    offset: int
    value: str
    topic: str = "theirs"
    partition: int = 0


class Event(NamedTuple):
    """A plain event."""

    key: bytes
    value: bytes


class Source:
    """Reads such records; counts what it was asked to prepare."""

    def __init__(self) -> None:
        self.n_prepared: list[int] = []

    async def prepare(self, records: Sequence[Record]) -> None:
        """Refuse if any needs the schema."""
        self.n_prepared.append(len(records))
        if any("?" in record.value for record in records):
            raise SchemaUnavailable("schema 7 cannot be had.")

    def read(self, record: Record) -> tuple[str, list[Event]]:
        """One event for each item; users' records begin with `@`."""
        items = record.value.split(",")
        if "!" in items:
            raise InvalidEvent("bad_type", f"element {items.index('!')} of {len(items)}: no.")
        topic = "users" if record.value.startswith("@") else "events"
        return topic, [Event(item.encode(), item.encode()) for item in items if item]


class Output:
    """Keeps what was written."""

    def __init__(self) -> None:
        self.written: list[Mapped[Record]] = []

    async def write(self, mapped: Mapped[Record]) -> None:
        """Write it."""
        self.written.append(mapped)


def values(mapped: Mapped[Record]) -> dict[str, list[bytes]]:
    """Topic -> values in their order."""
    return {topic: [event.value or b"" for event in events] for topic, events in mapped.plain.items()}


def test_arrays_fan_out_in_order_and_go_where_they_belong() -> None:
    """Each element is a record of its own; events and users go to their topics; the position is behind the last one."""
    records = [Record(3, "a,b,c"), Record(4, "@u"), Record(9, "d")]

    mapped = asyncio.run(map_records(records, Source()))

    assert values(mapped) == {"events": [b"a", b"b", b"c", b"d"], "users": [b"@u"]}
    assert (mapped.positions, mapped.n_read, mapped.letters) == ({("theirs", 0): 10}, 3, [])


def test_one_bad_element_makes_the_whole_record_a_dead_letter() -> None:
    """Nothing of it is written, its neighbours are."""
    records = [Record(0, "a"), Record(1, "b,!,c"), Record(2, "d")]

    mapped = asyncio.run(map_records(records, Source()))

    assert values(mapped) == {"events": [b"a", b"d"]}
    ((record, invalid),) = mapped.letters
    assert (record.offset, invalid.reason, invalid.message) == (1, "bad_type", "element 1 of 3: no.")
    assert mapped.positions == {("theirs", 0): 3}


def test_a_record_that_is_left_out_moves_the_position() -> None:
    """A record without events is read."""
    mapped = asyncio.run(map_records([Record(0, "")], Source()))

    assert (values(mapped), mapped.positions, mapped.n_read) == ({"events": []}, {("theirs", 0): 1}, 1)


def test_positions_of_several_inputs_are_kept_apart() -> None:
    """Records of many partitions may come together."""
    records = [Record(5, "a"), Record(0, "b", partition=1), Record(6, "c"), Record(2, "d", topic="more")]

    mapped = asyncio.run(map_records(records, Source()))

    assert mapped.positions == {("theirs", 0): 7, ("theirs", 1): 1, ("more", 0): 3}


def test_what_comes_before_a_missing_schema_is_written_and_nothing_behind_it() -> None:
    """The batch is prepared at once; only when that fails record by record, up to the one that waits."""
    source, output = Source(), Output()

    async def batches() -> AsyncIterator[list[Record]]:
        yield [Record(0, "a"), Record(1, "!"), Record(2, "?"), Record(3, "b")]
        raise AssertionError("asked for more")

    with pytest.raises(SchemaUnavailable, match="schema 7"):
        asyncio.run(take_in(batches(), source=source, output=output))

    (mapped,) = output.written
    assert (values(mapped), mapped.positions, len(mapped.letters)) == ({"events": [b"a"]}, {("theirs", 0): 2}, 1)
    assert mapped.waiting == Record(2, "?")
    assert source.n_prepared == [4, 1, 1, 1]


def test_each_batch_is_written_before_the_next_is_asked_for() -> None:
    """One write a batch, an empty one too: the place alone may have to be written."""
    output, seen = Output(), list[int]()

    async def batches() -> AsyncIterator[list[Record]]:
        for records in ([Record(0, "a"), Record(1, "b")], [], [Record(2, "c")]):
            seen.append(len(output.written))
            yield records

    asyncio.run(take_in(batches(), source=Source(), output=output))

    assert seen == [0, 1, 2]
    assert [mapped.n_read for mapped in output.written] == [2, 0, 1]


def test_a_failed_write_ends_the_agent() -> None:
    """Whoever runs it opens the input anew; nothing is skipped."""

    class Broken(Output):
        async def write(self, mapped: Mapped[Record]) -> None:
            raise TimeoutError

    async def batches() -> AsyncIterator[list[Record]]:
        yield [Record(0, "a")]
        raise AssertionError("asked for more")

    with pytest.raises(TimeoutError):
        asyncio.run(take_in(batches(), source=Source(), output=Broken()))
