"""The intake of one worker: its share of the inputs, found anew whenever partitions of the events move."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from time import monotonic
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from app.batches import Batch
from app.intake.around import Around, Tally
from app.intake.history import History
from app.intake.inputs import Input, inputs_of, is_live, share_of
from app.intake.lane import Lane
from app.intake.merge import Merge
from app.intake.output import Output
from app.intake.pace import Pace
from app.intake.places import Places
from app.intake.reading import Reading
from app.intake.skew import widest
from app.kafka import partition_counts
from app.settings import Settings
from app.stopped.skips import is_skipped, read_skips
from models.errors import FreshetError, ServiceError
from tables.intake import Place

logger = logging.getLogger("freshet")

LOOK_S = 30.0  # for more partitions
LOOK_SOON_S = 2.0  # for a topic that is not there
FOLLOW_S = 0.5  # whether another worker has written the history
END_S = 2.0


class Intake:
    """Reads the topics of the settings' sources.

    Parameters
    ----------
    counts, limits
        Partitions and `max.message.bytes` of the topics that it writes to.
    """

    def __init__(
        self,
        settings: Settings,
        reading: Reading,
        counts: Mapping[str, int],
        limits: Mapping[str, int],
        report: Callable[..., None],
    ) -> None:
        names, broker = settings.names, settings.kafka
        self._settings = settings
        self._reading = reading
        self._n_partitions = counts[names.events]
        self._owned: frozenset[int] = frozenset()
        self._changed = asyncio.Event()
        self._running: dict[asyncio.Task[None], Lane | History] = {}
        self._inputs: list[Input] = []
        self._missing: set[str] = set(reading.topics)
        self._said_missing: set[str] = set()
        self._looked_at = -LOOK_S
        self._known: Mapping[bytes, Place] = {}
        self._ended = Tally()  # of what runs no more

        def make_output(transactional_id: str, codec: str | None) -> Output:
            return Output(transactional_id, names, broker, settings.partitioner, counts, limits, codec)

        self._around = Around(
            broker=broker,
            reading=reading,
            places=Places(broker, names.intake),
            make_output=make_output,
            pace=Pace(),
            is_skipped=self._is_skipped,
            span_ms=max(1000, settings.late_grace_s * 1000 // 6),
            report=report,
        )
        reading.limits = limits

    async def _is_skipped(self, tp: TopicPartition, batch: Batch) -> bool:
        return is_skipped(await read_skips(self._settings), tp.topic, tp.partition, batch)

    def own(self, owned: Collection[int]) -> None:
        """Take note of the partitions of the events that this worker has now; nothing more is begun for others."""
        self._owned = frozenset(owned)
        for each in self._running.values():
            each.end()
        self._changed.set()

    async def run(self) -> None:
        """Read for ever.

        Raises
        ------
        aiokafka.errors.ProducerFenced
            If another worker has taken an input, though this one's partitions have not moved.
        """
        while True:
            await self._wait()
            if self._changed.is_set():
                self._changed.clear()
                await self._end()
            if self._owned:
                try:
                    await self._look()
                except (KafkaError, ServiceError) as error:
                    logger.warning("the intake cannot see its topics: %s", error)
                    continue
            if not self._changed.is_set():
                self._share()

    async def stop(self) -> None:
        """Give everything back."""
        self._owned = frozenset()
        for each in self._running.values():
            each.end()
        try:
            await self._end()
        except (FreshetError, KafkaError, TimeoutError) as error:
            logger.warning("while the intake stopped: %r", error)

    @property
    def _served(self) -> set[Input]:
        return set[Input]().union(*(each.sources for each in self._running.values()))

    async def _wait(self) -> None:
        changed = asyncio.create_task(self._changed.wait())
        try:
            done, _ = await asyncio.wait(
                [changed, *self._running], timeout=self._pause_s(), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            changed.cancel()
        for task in done - {changed}:
            self._forget(task)

    def _forget(self, task: "asyncio.Task[Any]") -> None:
        self._ended.add(self._running.pop(task).tally)
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error

    def _pause_s(self) -> float:
        if not self._owned:
            return LOOK_S
        if self._unknown:
            return FOLLOW_S
        return LOOK_SOON_S if self._missing else LOOK_S

    @property
    def _unknown(self) -> set[Input]:
        """Inputs whose history may be written, by whoever does that."""
        return {each for each in set(self._inputs) - self._served if not is_live(each, self._known)}

    async def _look(self) -> None:
        """Which inputs there are, and which of them are live, as far as that may have changed."""
        if monotonic() - self._looked_at >= (LOOK_SOON_S if self._missing else LOOK_S):
            wanted = [*self._reading.topics, self._settings.names.redriven]
            counts = await partition_counts(self._settings.kafka, wanted)
            self._inputs, self._missing = inputs_of(counts), set(wanted) - counts.keys()
            self._looked_at = monotonic()
            if new := self._missing - self._said_missing:
                logger.error("the intake waits for topics that are not there: %s", ", ".join(sorted(new)))
                self._around.report("intake_missing", topics=sorted(new))
            self._said_missing = self._missing
        if self._unknown:
            self._known = await self._around.places.glance()

    def _share(self) -> None:
        """Begin what is this worker's and does not run."""
        new = set(share_of(self._inputs, self._known, self._owned, self._n_partitions)) - self._served
        live = {each for each in new if is_live(each, self._known)}
        names, catching_up = self._settings.names, Merge(self._around.span_ms)
        begun: list[Lane | History] = [
            Lane(each, names.intake_id(*each), self._around, catching_up) for each in sorted(live)
        ]
        if old := new - live:
            histories = [each for each in self._running.values() if isinstance(each, History)]
            for history in histories:
                history.add(old)
            if not histories:
                begun.append(History(old, names.history_id, self._around))
        for each in begun:
            self._running[each.start()] = each

    async def _end(self) -> None:
        """Return when nothing runs any more, within seconds."""
        if tasks := list(self._running):
            _, late = await asyncio.wait(tasks, timeout=END_S)
            for task in late:
                task.cancel()
            await asyncio.wait(tasks)
        for task in tasks:
            self._forget(task)

    def progress(self) -> dict[str, Any]:
        """What has been read and written since this worker's start, and where it stands."""
        total, running = Tally(), list(self._running.values())
        for tally in (self._ended, *(each.tally for each in running)):
            total.add(tally)
        lanes = [each for each in running if isinstance(each, Lane)]
        standing = {source: one.stopped for each in running for source, one in each.standing.items()}
        return {
            "inputs": len(self._served),
            "in": total.n_in,
            "out": total.n_out,
            "dead": total.n_dead,
            "lag": sum(each.lag for each in running),
            "history": sum(len(each.sources) for each in running if isinstance(each, History)),
            "missing": sorted(self._missing),
            "skew_ms": widest((each.topic, lane.skew_ms) for lane in lanes for each in lane.sources),
            "stopped": [
                {"input": str(source), "offset": stopped.offset, "error": stopped.why}
                for source, stopped in sorted(standing.items())
                if stopped is not None
            ],
        }
