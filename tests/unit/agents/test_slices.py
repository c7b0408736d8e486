"""Chunks that arrive: waited for, handed out in slices and in turns, and let go."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from agents.slices import LONG, RECORDS_PER_SLICE, Arrivals, Cursor


@dataclass
class Chunk:
    partition: int
    records: list[int]
    generation: int = 1
    fetched_at: float = 0.0


class Stream:
    """Chunks as they are sent; `None` ends it."""

    def __init__(self, *chunks: Chunk | None) -> None:
        self.queue: asyncio.Queue[Chunk | None] = asyncio.Queue()
        self.n_read = 0
        self.was_cancelled = False
        for chunk in chunks:
            self.queue.put_nowait(chunk)

    async def read(self) -> AsyncIterator[Chunk]:
        while True:
            try:
                chunk = await self.queue.get()
            except asyncio.CancelledError:
                self.was_cancelled = True
                raise
            if chunk is None:
                return
            self.n_read += 1
            yield chunk


def chunk_of(partition: int, *records: int) -> Chunk:
    """A chunk of few records."""
    return Chunk(partition, list(records))


def first(arrivals: Arrivals[int], n: int = 9) -> list[tuple[int, int]]:
    """Partition and first record of the chunks whose turn it is."""
    return [(cursor.chunk.partition, cursor.chunk.records[0]) for cursor in arrivals.first(n)]


def run(test: Callable[[], Awaitable[None]]) -> None:
    """In an event loop of its own."""

    async def within_time() -> None:
        async with asyncio.timeout(20.0):
            await test()

    asyncio.run(within_time())


@pytest.mark.parametrize("n", [1, RECORDS_PER_SLICE - 1, RECORDS_PER_SLICE, RECORDS_PER_SLICE + 1, 1_000])
def test_a_chunk_is_handed_out_in_slices(n: int) -> None:
    """All of it, in order, none of them longer than a slice; then it is done."""
    cursor, taken = Cursor(Chunk(0, list(range(n)))), []
    while not cursor.is_done:
        taken.append(list(cursor.take()))

    assert [record for records in taken for record in records] == list(range(n))
    assert all(len(records) == RECORDS_PER_SLICE for records in taken[:-1])
    assert 0 < len(taken[-1]) <= RECORDS_PER_SLICE


def test_a_chunk_that_is_left_is_done() -> None:
    """In its middle: nothing more is handed out."""
    cursor = Cursor(Chunk(0, list(range(1_000))))
    cursor.take()
    cursor.leave()

    assert cursor.is_done
    assert list(cursor.take()) == []


def test_it_waits_until_something_arrives() -> None:
    """And not longer: what comes after that is not waited for."""

    async def test() -> None:
        stream = Stream()
        arrivals = Arrivals(stream.read())
        waiting = asyncio.create_task(arrivals.wait())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not waiting.done()
        stream.queue.put_nowait(chunk_of(3, 1))

        assert await waiting
        assert first(arrivals) == [(3, 1)]
        assert await arrivals.wait(), "it has not been taken yet"
        arrivals.close()

    run(test)


def test_all_that_is_at_hand_is_read() -> None:
    """Several chunks at once, those of one partition behind each other; the rest of the stream may take its time."""

    async def test() -> None:
        stream = Stream(chunk_of(1, 10), chunk_of(0, 20), chunk_of(1, 11), chunk_of(2, 30))
        arrivals = Arrivals(stream.read())
        assert await arrivals.wait()
        for _ in range(5):
            assert await arrivals.wait()

        assert stream.n_read == 4
        assert first(arrivals) == [(1, 10), (0, 20), (2, 30)]
        assert first(arrivals, 2) == [(1, 10), (0, 20)]
        arrivals.close()

    run(test)


@pytest.mark.parametrize(("n_records", "waits"), [(LONG, True), (LONG - 1, False)])
def test_a_few_turns_for_more_partitions(n_records: int, waits: bool) -> None:
    """Beside much that has come, more may come that is on its way; few events wait for nobody."""

    async def test() -> None:
        stream = Stream(chunk_of(0, *range(n_records)))
        arrivals = Arrivals(stream.read())

        async def come_later() -> None:
            for _ in range(3):
                await asyncio.sleep(0)
            stream.queue.put_nowait(chunk_of(1, 10))

        coming = asyncio.create_task(come_later())
        assert await arrivals.wait(2)
        assert first(arrivals) == ([(0, 0), (1, 10)] if waits else [(0, 0)])
        await coming
        assert await arrivals.wait(3), "nothing more comes, ever"
        assert first(arrivals) == [(0, 0), (1, 10)]
        arrivals.close()

    run(test)


def test_the_end_of_the_stream() -> None:
    """What has arrived is there until it is done; only then there is nothing more, for good."""

    async def test() -> None:
        arrivals = Arrivals(Stream(chunk_of(0, 1), chunk_of(0, 2), None).read())
        seen = []
        while await arrivals.wait():
            (cursor,) = arrivals.first(5)
            seen.append(list(cursor.take()))
            assert arrivals.turn(cursor)
        assert seen == [[1], [2]]
        assert not await arrivals.wait()
        assert first(arrivals) == []
        arrivals.close()

    run(test)


def test_an_empty_stream() -> None:
    """It has ended before anything came."""

    async def test() -> None:
        assert not await Arrivals(Stream(None).read()).wait()

    run(test)


def test_turns() -> None:
    """Who had its turn stands behind the others, with its next slice or its next chunk; one with neither is gone."""

    async def test() -> None:
        long = Chunk(0, list(range(RECORDS_PER_SLICE + 1)))
        arrivals = Arrivals(Stream(long, chunk_of(1, 10), chunk_of(0, 900), None).read())
        assert await arrivals.wait()
        turns = []
        while await arrivals.wait():
            (cursor,) = arrivals.first(1)
            records = cursor.take()
            turns.append((cursor.chunk.partition, records[0], arrivals.turn(cursor)))
        assert turns == [(0, 0, False), (1, 10, True), (0, RECORDS_PER_SLICE, True), (0, 900, True)]

    run(test)


def test_an_error_of_the_stream_is_raised() -> None:
    """By whoever waits."""

    async def broken() -> AsyncIterator[Chunk]:
        yield chunk_of(0, 1)
        raise RuntimeError("the stream is broken")

    async def test() -> None:
        with pytest.raises(RuntimeError, match="the stream is broken"):
            await Arrivals(broken()).wait()

    run(test)


def test_closing_waits_for_nothing_more() -> None:
    """What the stream was asked for is given up; closing what never began, or has ended, is no matter."""

    async def test() -> None:
        stream = Stream(chunk_of(0, 1))
        arrivals = Arrivals(stream.read())
        assert await arrivals.wait()
        arrivals.close()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert stream.was_cancelled

        Arrivals(Stream().read()).close()
        ended = Arrivals(Stream(None).read())
        assert not await ended.wait()
        ended.close()

    run(test)


def test_a_cancelled_wait_leaves_nothing_waiting() -> None:
    """The agent is stopped while nothing comes: after closing, the stream is free."""

    async def test() -> None:
        stream = Stream()
        arrivals = Arrivals(stream.read())
        waiting = asyncio.create_task(arrivals.wait())
        for _ in range(3):
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not stream.was_cancelled
        arrivals.close()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert stream.was_cancelled

    run(test)
