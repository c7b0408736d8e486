"""One live input: opened behind its transactional id, read from its place on, stopped and begun again by itself.

open (producer first, then the place, then the position) ──► what is old, by turns with the others ──► what is new
▲                                                                    │                                     │
└────────── wait ◄── stopped: no schema, damaged, no broker ◄────────┴─────────────────────────────────────┘
"""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from agents.intake import Mapped, take_in
from app.intake.around import FENCED, Around, Standing, Tally, open_at
from app.intake.fetch import Fetcher
from app.intake.inputs import Input
from app.intake.merge import Merge
from app.intake.output import Output
from app.intake.skew import skew_ms
from models.errors import FreshetError
from tables.intake import Place

UNWRITTEN_S = 1.0  # a place moves on without output at most so long before it is written


class Lane:
    """The intake of one input whose history is written.

    Parameters
    ----------
    merge
        Those that catch up together.
    """

    def __init__(self, source: Input, transactional_id: str, around: Around, merge: Merge) -> None:
        self.sources = {source}
        self.tally = Tally()
        self.standing = {source: Standing(source, around.report)}
        self.skew_ms: int | None = None  # of its newest event (`app.intake.skew`); None: there was none yet
        self._source = source
        self._id = transactional_id
        self._around = around
        self._merge = merge
        self._is_given_away = False
        self._is_writing = False
        self._task: asyncio.Task[None] | None = None
        self._output: Output | None = None
        self._fetcher: Fetcher | None = None
        self._place = Place(0, 0, is_live=True)
        self._written = 0
        self._written_at = 0.0
        self._newest_ms = 0
        merge.join(self)

    @property
    def lag(self) -> int:
        """Records behind its place, as far as is known."""
        return 0 if self._fetcher is None else max(0, self._fetcher.end - self._place.position)

    def start(self) -> asyncio.Task[None]:
        """Begin; the task ends when the input is given away, and fails if it was taken."""
        self._task = asyncio.create_task(self._run(), name=f"intake {self._source}")
        return self._task

    def end(self) -> None:
        """Begin nothing more; what is being written is written, or taken back by whoever comes next."""
        self._is_given_away = True
        if self._task is not None and not self._is_writing:
            self._task.cancel()

    async def _run(self) -> None:
        standing = self.standing[self._source]
        try:
            while True:
                try:
                    await self._open()
                    await take_in(self._batches(), source=self._around.reading, output=self)
                except (FreshetError, KafkaError, TimeoutError) as error:
                    self._fail(error)
                finally:
                    self._merge.leave(self)
                    await self._close()
                if self._is_given_away:
                    return
                await asyncio.sleep(standing.take_retry_s())
                if self._merge.is_done.is_set():
                    self._merge = Merge(self._around.span_ms)  # the others have gone on
                self._merge.join(self)
        except asyncio.CancelledError:
            if not self._is_given_away:
                raise

    def _fail(self, error: Exception) -> None:
        if self._is_given_away:
            return
        if isinstance(error, FENCED):
            raise error
        self.standing[self._source].stop(self._place.position, error)

    async def _open(self) -> None:
        self._output = self._around.make_output(self._id, None)
        await self._output.start()
        place = (await self._around.places.read()).get(self._source.key)
        self._fetcher, place = await open_at(self._source, place, self._around.broker, self._around.is_skipped)
        self._place = Place(self._fetcher.position, place.history_end, is_live=True)
        self._written, self._written_at = place.position, monotonic()

    async def _close(self) -> None:
        output, self._output, fetcher, self._fetcher = self._output, None, self._fetcher, None
        if fetcher is not None:
            await fetcher.stop()
        if output is not None:
            await output.stop()

    async def _batches(self) -> AsyncIterator[list[ConsumerRecord]]:
        async for records in self._old():
            yield records
        async for records in self._new():
            yield records

    async def _old(self) -> AsyncIterator[list[ConsumerRecord]]:
        """What lay there, by turns with the other inputs; ends when all of them have written theirs."""
        fetcher = self._fetcher
        assert fetcher is not None
        old_end = fetcher.end
        while not self._is_given_away:
            await fetcher.fill(old_end)
            times_ms = [record.timestamp for record in fetcher.at_hand if record.offset < old_end]
            if not times_ms:
                fetcher.check()
                break
            is_all = fetcher.position >= old_end or fetcher.failed is not None
            yield fetcher.take(await self._merge.take(self, times_ms, is_all=is_all))
        self._merge.leave(self)
        await self._merge.is_done.wait()

    async def _new(self) -> AsyncIterator[list[ConsumerRecord]]:
        """What comes, as it comes."""
        fetcher = self._fetcher
        assert fetcher is not None
        while not self._is_given_away:
            if records := await fetcher.next():
                self._newest_ms = records[-1].timestamp
                yield records
                await asyncio.sleep(self._around.pace.pause_s(self))
            elif fetcher.position > self._written and monotonic() - self._written_at > UNWRITTEN_S:
                self._place = Place(fetcher.position, self._place.history_end, is_live=True)
                yield []  # marks of their transactions, and records that are left out

    async def write(self, mapped: Mapped[ConsumerRecord]) -> None:
        """Write what some records come to; where that is nothing, the place alone, now and then."""
        position = mapped.positions.get(self._source, self._place.position)
        self._place = Place(position, self._place.history_end, is_live=True)
        tally = Tally(mapped.n_read, sum(map(len, mapped.plain.values())), len(mapped.letters))
        if tally.n_out or tally.n_dead or monotonic() - self._written_at >= UNWRITTEN_S:
            assert self._output is not None
            self._is_writing = True
            try:
                await self._output.write(mapped, {self._source: self._place})
            finally:
                self._is_writing = False
            self._written, self._written_at = position, monotonic()
        self.tally.add(tally)
        if self._newest_ms and self._around.reading.knows(self._source.topic):
            skew = skew_ms(self._newest_ms, mapped.plain)
            self.skew_ms = self.skew_ms if skew is None else skew
        self.standing[self._source].go_on(position)
