"""What lay in the topics before the intake first looked: one worker merges it all, by the records' own times.

One producer, whose transactional id belongs to the history of all inputs, writes it in that order; a transaction holds
records of many inputs and the places that they lead to. When all is written the inputs are live, and shared.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from heapq import merge
from itertools import islice

from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from agents.intake import Mapped, take_in
from app.intake.around import FENCED, Around, Standing, Tally, open_at
from app.intake.fetch import Fetcher
from app.intake.inputs import Input
from app.intake.merge import rising
from app.intake.output import Output
from app.kafka import CODEC
from models.errors import FreshetError, SchemaUnavailable
from tables.intake import Place

RECORDS_AT_ONCE = 2000


class Cursor:
    """How far the history of one input is read and written."""

    def __init__(self, source: Input, fetcher: Fetcher, place: Place) -> None:
        self.source = source
        self.fetcher = fetcher
        self.position = fetcher.position
        self.end = place.history_end

    @property
    def place(self) -> Place:
        """Where it stands, while there is more."""
        return Place(self.position, self.end, is_live=False)

    @property
    def is_read(self) -> bool:
        """Whether nothing of it is left to be fetched."""
        return self.fetcher.position >= self.end or self.fetcher.failed is not None

    @property
    def due(self) -> list[ConsumerRecord]:
        """Records of its history that are at hand."""
        return [record for record in self.fetcher.at_hand if record.offset < self.end]

    def rewind(self) -> None:
        """Forget what is at hand and not written."""
        self.fetcher.forget()
        self.fetcher.seek(self.position)


class History:
    """Writes the history of some inputs, merged."""

    def __init__(self, sources: Iterable[Input], transactional_id: str, around: Around) -> None:
        self.sources = set(sources)
        self.tally = Tally()
        self.standing = {source: Standing(source, around.report) for source in self.sources}
        self._id = transactional_id
        self._around = around
        self._is_given_away = False
        self._is_writing = False
        self._task: asyncio.Task[None] | None = None
        self._output: Output | None = None
        self._cursors: dict[Input, Cursor] = {}
        self._aside: set[Input] = set()
        self._added: set[Input] = set()

    def add(self, sources: Iterable[Input]) -> None:
        """Take more inputs, once what is being read is written."""
        self._added |= set(sources)
        self.sources |= self._added
        self.standing |= {source: Standing(source, self._around.report) for source in self._added}

    @property
    def lag(self) -> int:
        """Records of the history that are not written, as far as is known."""
        return sum(max(0, cursor.end - cursor.position) for cursor in self._cursors.values())

    def start(self) -> asyncio.Task[None]:
        """Begin; the task ends when all is written or given away, and fails if it was taken."""
        self._task = asyncio.create_task(self._run(), name="intake history")
        return self._task

    def end(self) -> None:
        """Begin nothing more; what is being written is written, or taken back by whoever comes next."""
        self._is_given_away = True
        if self._task is not None and not self._is_writing:
            self._task.cancel()

    @property
    def _goes_on(self) -> bool:
        return not self._is_given_away

    async def _run(self) -> None:
        try:
            while self.sources and self._goes_on:
                left, self._added = set(self.sources), set()
                try:
                    await self._open(left)
                    left = await self._write_all()
                except (FreshetError, KafkaError, TimeoutError) as error:
                    self._fail(left, error)
                finally:
                    await self._close()
                self.sources = left | self._added
                if left and self._goes_on:
                    await asyncio.sleep(max(self.standing[source].take_retry_s() for source in left))
        except asyncio.CancelledError:
            if self._goes_on:
                raise

    def _fail(self, left: set[Input], error: Exception) -> None:
        if self._is_given_away:
            return
        if isinstance(error, FENCED):
            raise error
        for source in left:
            position = self._cursors[source].position if source in self._cursors else 0
            self.standing[source].stop(position, error)

    async def _open(self, left: set[Input]) -> None:
        self._output = self._around.make_output(self._id, CODEC)
        await self._output.start()
        places = await self._around.places.read()
        self._aside = set()
        for source in sorted(left):
            place = places.get(source.key)
            if place is not None and place.is_live:  # another's last word, not seen yet when this was shared out
                continue
            try:
                fetcher, place = await open_at(source, place, self._around.broker, self._around.is_skipped)
                self._cursors[source] = Cursor(source, fetcher, place)
            except (FreshetError, KafkaError, TimeoutError) as error:
                self._aside.add(source)
                self.standing[source].stop(place.position if place else 0, error)

    async def _close(self) -> None:
        cursors, self._cursors, output, self._output = self._cursors, {}, self._output, None
        await asyncio.gather(*(cursor.fetcher.stop() for cursor in cursors.values()))
        if output is not None:
            await output.stop()

    async def _write_all(self) -> set[Input]:
        """Write until nothing is left, but for inputs that stand still; returns these. The others are live then."""
        is_done = False
        while not is_done:
            try:
                await take_in(self._batches(), source=self._around.reading, output=self)
                is_done = True
            except SchemaUnavailable:
                for cursor in self._cursors.values():
                    cursor.rewind()
        if self._is_given_away:
            return set()
        live = self._cursors.keys() - self._aside
        await self._write(Mapped(), {source: self._as_live(source) for source in live})
        for source in sorted(live):
            self._around.report("intake_live", topic=source.topic, partition=source.partition)
        return set(self._aside)

    def _as_live(self, source: Input) -> Place:
        cursor = self._cursors[source]
        return Place(max(cursor.position, cursor.end), cursor.end, is_live=True)

    async def _batches(self) -> AsyncIterator[list[ConsumerRecord]]:
        while not self._is_given_away:
            reading = [cursor for source, cursor in self._cursors.items() if source not in self._aside]
            await asyncio.gather(*(cursor.fetcher.fill(cursor.end) for cursor in reading))
            for cursor in reading:
                if cursor.fetcher.failed is not None and not cursor.due:
                    self._set_aside(cursor, cursor.fetcher.failed)
            records = oldest([(cursor, cursor.due) for cursor in reading if cursor.due])
            if not records:
                return
            for cursor in reading:
                cursor.fetcher.take(sum((record.topic, record.partition) == cursor.source for record in records))
            yield records

    def _set_aside(self, cursor: Cursor, error: Exception) -> None:
        self._aside.add(cursor.source)
        self.standing[cursor.source].stop(cursor.position, error)

    async def write(self, mapped: Mapped[ConsumerRecord]) -> None:
        """Write what some records of any inputs come to, and how far these are read."""
        for source, position in mapped.positions.items():
            self._cursors[Input(*source)].position = position
        places = {Input(*source): self._cursors[Input(*source)].place for source in mapped.positions}
        await self._write(mapped, places)
        for source in places:
            self.standing[source].go_on(places[source].position)
        if mapped.waiting is not None and mapped.missing is not None:
            waiting = Input(mapped.waiting.topic, mapped.waiting.partition)
            self._set_aside(self._cursors[waiting], mapped.missing)

    async def _write(self, mapped: Mapped[ConsumerRecord], places: dict[Input, Place]) -> None:
        assert self._output is not None
        if places:
            self._is_writing = True
            try:
                await self._output.write(mapped, places)
            finally:
                self._is_writing = False
        self.tally.add(Tally(mapped.n_read, sum(map(len, mapped.plain.values())), len(mapped.letters)))


def oldest(at_hand: list[tuple[Cursor, list[ConsumerRecord]]]) -> list[ConsumerRecord]:
    """The oldest records of several inputs, in the order of their times, each input's in its own order.

    No further than where an input has more that is not at hand, for that may be older.
    """
    times_ms = [rising([record.timestamp for record in records]) for _, records in at_hand]
    known_ms = min(
        (times[-1] for (cursor, _), times in zip(at_hand, times_ms, strict=True) if not cursor.is_read), default=None
    )
    streams = [
        [(time_ms, number, record.offset, record) for time_ms, record in zip(times, records, strict=True)]
        for number, ((_, records), times) in enumerate(zip(at_hand, times_ms, strict=True))
    ]
    merged = (entry for entry in merge(*streams) if known_ms is None or entry[0] <= known_ms)
    return [record for *_, record in islice(merged, RECORDS_AT_ONCE)]
