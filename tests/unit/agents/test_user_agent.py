"""The user agent over an async generator of chunks, with fakes for all that it works with."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from agents.slices import RECORDS_PER_SLICE
from agents.users import Record as AnyRecord
from agents.users import fold_events, fold_slices
from models.errors import InvalidEvent

WAIT_S = 20.0


@dataclass
class Record:
    offset: int
    value: bytes | None = b"u"
    key: bytes | None = b"k"
    timestamp: int = 7


@dataclass
class Chunk:
    partition: int
    records: list[Record]
    generation: int = 1
    fetched_at: float = 0.0


class State:
    """Folds `u...` as that user; `?` is no event, empty a duplicate, `!` an error."""

    def __init__(self) -> None:
        self.offsets: list[int] = []
        self.threads: set[int] = set()
        self.meet: threading.Barrier | None = None
        self.wait_for: threading.Event | None = None
        self.has_failed = threading.Event()
        self.is_lost = False

    def give_up(self) -> None:
        self.is_lost = True

    def fold_many(self, records: Iterable[AnyRecord]) -> list[str | InvalidEvent | None]:
        self.threads.add(threading.get_ident())
        if self.meet is not None:
            self.meet.wait(WAIT_S)
        if self.wait_for is not None:
            assert self.wait_for.wait(WAIT_S)
            time.sleep(0.05)
        return [self._fold(record) for record in records]

    def _fold(self, record: AnyRecord) -> str | InvalidEvent | None:
        self.offsets.append(record.offset)
        if record.value == b"!":
            self.has_failed.set()
            raise RuntimeError("the fold is broken")
        if record.value == b"?":
            return InvalidEvent("not_json", "what?")
        return (record.value or b"").decode() or None


@dataclass
class Partition:
    state: State = field(default_factory=State)


class Outputs:
    def __init__(self, n_partitions: int = 1) -> None:
        self.owned = {(number, 1): Partition() for number in range(n_partitions)}
        self.letters: list[tuple[int, str]] = []
        self.users: list[Mapping[str, int]] = []
        self.n_records: list[int] = []
        self.turns: list[tuple[int, int]] = []
        self.held_back: list[tuple[Partition, list[tuple[int, int]]]] = []
        self.lose_after: int | None = None
        self.chunks_done: list[tuple[int, int]] = []

    def partition(self, number: int, generation: int, fetched_at: float) -> Partition | None:
        return self.owned.get((number, generation))

    def done(self, number: int, first_offset: int) -> None:
        self.chunks_done.append((number, first_offset))

    def dead_letter(self, partition: Partition, record: Record, invalid: InvalidEvent) -> None:
        self.letters.append((record.offset, invalid.reason))

    async def hold_back(self, partition: Partition) -> None:
        self.held_back.append((partition, list(self.turns)))

    def touched(self, partition: Partition, users: Mapping[str, int], records: Sequence[Record]) -> None:
        self.users.append(users)
        self.n_records.append(len(records))
        self.turns += [(number, records[0].offset) for (number, _), each in self.owned.items() if each is partition]
        if len(self.users) == self.lose_after:
            self.owned = {}


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Two more threads."""
    with ThreadPoolExecutor(2) as executor:
        yield executor


def run(outputs: Outputs, *chunks: Chunk, threads: ThreadPoolExecutor | None = None, n_together: int = 1) -> None:
    """Let the agent take these chunks."""

    async def stream() -> AsyncIterator[Chunk]:
        for chunk in chunks:
            yield chunk

    asyncio.run(fold_events(stream(), outputs=outputs, threads=threads, n_together=n_together))


def slices(number: int, n: int, value: bytes = b"u") -> Chunk:
    """A chunk of `n` whole slices."""
    return Chunk(number, [Record(offset, value) for offset in range(n * RECORDS_PER_SLICE)])


def test_slice_names_each_user_once_in_order() -> None:
    """Users are named once, with the time of their first record; dead letters go out; duplicates touch nobody."""
    outputs, partition = Outputs(), Partition()
    values = enumerate([b"ub", b"ua", b"?", b"", b"ub", None])
    records = [Record(n, value, timestamp=100 + n) for n, value in values]

    fold_slices([(partition, records)], outputs)

    assert list(outputs.users[0].items()) == [("ub", 100), ("ua", 101)]
    assert outputs.letters == [(2, "not_json")]
    assert partition.state.offsets == [0, 1, 2, 3, 4, 5]


def test_long_chunk_is_folded_in_slices() -> None:
    """All records are folded in their order, in slices; each slice's users are told at once."""
    outputs = Outputs()
    partition = outputs.owned[0, 1]

    run(outputs, Chunk(0, [Record(n) for n in range(2 * RECORDS_PER_SLICE + 1)]))

    assert partition.state.offsets == list(range(2 * RECORDS_PER_SLICE + 1))
    assert outputs.n_records == [RECORDS_PER_SLICE, RECORDS_PER_SLICE, 1]


def test_partition_not_owned_is_left_alone() -> None:
    """Chunks of a partition that is not owned, or of another generation, are dropped; later ones are folded."""
    outputs = Outputs()
    partition = outputs.owned[0, 1]

    run(outputs, Chunk(3, [Record(1)]), Chunk(0, [Record(2)], generation=0), Chunk(0, [Record(5)]))

    assert partition.state.offsets == [5]
    assert sorted(outputs.chunks_done) == [(0, 2), (0, 5), (3, 1)], "whatever became of it, the next chunk may come"


def test_partition_lost_in_mid_chunk_is_left_at_once() -> None:
    """Nothing is folded into a state that has been cut and given away."""
    outputs = Outputs()
    partition = outputs.owned[0, 1]
    outputs.lose_after = 1

    run(outputs, Chunk(0, [Record(n) for n in range(3 * RECORDS_PER_SLICE)]))

    assert partition.state.offsets == list(range(RECORDS_PER_SLICE))
    assert outputs.chunks_done == [(0, 0)]


def test_error_in_the_fold_ends_the_agent() -> None:
    """An error that is no bad event is not swallowed."""
    with pytest.raises(RuntimeError, match="the fold is broken"):
        run(Outputs(), Chunk(0, [Record(0, b"!")]))


@pytest.mark.parametrize("broken", [0, 1])
def test_an_error_beside_does_not_swallow_what_others_owe(broken: int, threads: ThreadPoolExecutor) -> None:
    """What the whole one has folded is on its way out, for it may be saved; the broken one never is."""
    outputs, whole = Outputs(2), 1 - broken
    with pytest.raises(RuntimeError, match="the fold is broken"):
        run(
            outputs,
            Chunk(broken, [Record(0, b"!")]),
            Chunk(whole, [Record(5, b"?"), Record(6)]),
            threads=threads,
            n_together=2,
        )

    assert outputs.owned[whole, 1].state.offsets == [5, 6]
    assert (outputs.letters, outputs.users) == ([(5, "not_json")], [{"u": 7}])
    assert [each.state.is_lost for each in outputs.owned.values()] == [broken == 0, broken == 1]


def test_a_dead_letter_that_cannot_be_sent_leaves_no_state_to_save() -> None:
    """Its partition must not be saved behind it; the others are told."""

    class Deaf(Outputs):
        def dead_letter(self, partition: Partition, record: Record, invalid: InvalidEvent) -> None:
            raise OSError("no way out")

    outputs = Deaf(2)
    slices = [(outputs.owned[0, 1], [Record(0, b"?")]), (outputs.owned[1, 1], [Record(5)])]
    with pytest.raises(OSError, match="no way out"):
        fold_slices(slices, outputs)

    assert [each.state.is_lost for each in outputs.owned.values()] == [True, False]
    assert outputs.users == [{"u": 7}]


def test_all_is_told_before_any_waiting(threads: ThreadPoolExecutor) -> None:
    """While the first partition is held back, the second one's users are known: a checkpoint may come."""
    outputs = Outputs(2)
    run(outputs, Chunk(0, [Record(0)]), Chunk(1, [Record(5)]), threads=threads, n_together=2)

    assert [sorted(turns) for _, turns in outputs.held_back] == [[(0, 0), (1, 5)]] * 2


def test_error_of_the_stream_ends_the_agent() -> None:
    """What has arrived before need not be folded any more: it comes again from the last checkpoint."""

    async def stream() -> AsyncIterator[Chunk]:
        yield Chunk(0, [Record(0)])
        raise RuntimeError("the stream is broken")

    with pytest.raises(RuntimeError, match="the stream is broken"):
        asyncio.run(fold_events(stream(), outputs=Outputs()))


@pytest.mark.parametrize("n_together", [1, 2, 3, 8])
def test_side_by_side_or_not_the_same_comes_out(n_together: int, threads: ThreadPoolExecutor) -> None:
    """Each partition's records in their order, its users and dead letters told, every chunk done once."""
    chunks = [slices(number % 4, 1 + number % 3, f"u{number}".encode()) for number in range(12)]
    for number, chunk in enumerate(chunks):
        for record in chunk.records:
            record.offset += 10_000 * number
        chunk.records[7].value = b"?"
    outputs, alone = Outputs(4), Outputs(4)
    run(alone, *chunks)
    run(outputs, *chunks, threads=threads, n_together=n_together)

    for number in range(4):
        offsets = [record.offset for chunk in chunks if chunk.partition == number for record in chunk.records]
        assert outputs.owned[number, 1].state.offsets == alone.owned[number, 1].state.offsets == offsets
        mine = [[each for each in one.turns if each[0] == number] for one in (outputs, alone)]
        assert mine[0] == mine[1] == sorted(mine[1])
    assert sorted(outputs.letters) == sorted(alone.letters) and len(alone.letters) == 12
    assert (
        sorted(outputs.chunks_done)
        == sorted(alone.chunks_done)
        == [(number, 10_000 * n) for number in range(4) for n in range(number, 12, 4)]
    )
    assert sorted(map(str, outputs.users)) == sorted(map(str, alone.users))


def test_slices_are_folded_at_the_same_time(threads: ThreadPoolExecutor) -> None:
    """The first here, the others in threads: each waits until all three have begun."""
    outputs, meet = Outputs(3), threading.Barrier(3)
    for partition in outputs.owned.values():
        partition.state.meet = meet
    run(outputs, *(slices(number, 2) for number in range(3)), threads=threads, n_together=3)

    assert [len(partition.state.offsets) for partition in outputs.owned.values()] == [2 * RECORDS_PER_SLICE] * 3
    assert outputs.owned[0, 1].state.threads & {threading.get_ident()}
    assert outputs.turns == [(number, first) for first in (0, RECORDS_PER_SLICE) for number in range(3)]


def test_without_threads_nothing_is_folded_together() -> None:
    """One partition after the other, all in the thread of the event loop."""
    outputs = Outputs(3)
    run(outputs, *(slices(number, 2) for number in range(3)), n_together=3)

    assert outputs.turns == [(number, first) for first in (0, RECORDS_PER_SLICE) for number in range(3)]
    assert {thread for each in outputs.owned.values() for thread in each.state.threads} == {threading.get_ident()}


def test_partitions_take_turns(threads: ThreadPoolExecutor) -> None:
    """Two of three at a time: whoever has just had its turn waits for the third; a long chunk holds nobody up."""
    outputs = Outputs(3)
    run(outputs, slices(0, 3), slices(1, 2), slices(2, 1), slices(0, 1), threads=threads, n_together=2)

    assert [number for number, _ in outputs.turns] == [0, 1, 2, 0, 1, 0, 0]
    assert outputs.chunks_done == [(2, 0), (1, 0), (0, 0), (0, 0)]


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_an_error_ends_the_agent_when_the_others_have_stopped(broken: int, threads: ThreadPoolExecutor) -> None:
    """Nobody may see a state while it is folded: those still at it are waited for, wherever the error was."""
    outputs = Outputs(3)
    states = [partition.state for partition in outputs.owned.values()]
    for state in states:
        state.wait_for = states[broken].has_failed if state is not states[broken] else None
    chunks = [slices(number, 1) for number in range(3)]
    chunks[broken].records[3].value = b"!"
    with pytest.raises(RuntimeError, match="the fold is broken"):
        run(outputs, *chunks, threads=threads, n_together=3)

    assert [len(state.offsets) for state in states] == [4 if n == broken else RECORDS_PER_SLICE for n in range(3)]


@pytest.mark.parametrize("broken", range(6))
def test_after_an_error_nothing_is_folded_any_more(broken: int, threads: ThreadPoolExecutor) -> None:
    """More partitions than threads: each slice was folded once, to its end, or not at all, when the agent ends."""
    outputs = Outputs(6)
    states = [partition.state for partition in outputs.owned.values()]
    chunks = [slices(number, 2) for number in range(6)]
    chunks[broken].records[3].value = b"!"
    with pytest.raises(RuntimeError, match="the fold is broken"):
        run(outputs, *chunks, threads=threads, n_together=6)
    folded = [list(state.offsets) for state in states]
    time.sleep(0.05)

    assert [state.offsets for state in states] == folded
    whole = list(range(RECORDS_PER_SLICE))
    for number, offsets in enumerate(folded):
        assert offsets in ([0, 1, 2, 3],) if number == broken else offsets in ([], whole)


def test_an_error_lets_go_of_the_stream() -> None:
    """The agent reads ahead: what it waits for then is given up."""
    given_up: list[bool] = []

    async def stream() -> AsyncIterator[Chunk]:
        yield Chunk(0, [Record(0, b"!")])
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            given_up.append(True)
            raise

    async def failing() -> None:
        with pytest.raises(RuntimeError, match="the fold is broken"):
            await fold_events(stream(), outputs=Outputs())
        for _ in range(3):
            await asyncio.sleep(0)
        assert given_up == [True]

    asyncio.run(failing())
