"""Which partitions this worker holds: taking them over, checkpointing them, giving them back.

assigned ──► load task (producer first, then the checkpoints, then the seek) ──► ready ──► checkpoints every second
▲                         │ cancelled and awaited first                                    │
└──── rebalance ──────────┴──────────── revoke: checkpoint in time or skip ◄───────────────┘
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from time import monotonic, perf_counter, thread_time

from aiokafka.errors import KafkaError

from app.settings import Settings
from app.worker.checkpoints import CheckpointWriter
from app.worker.loading import read_partition
from app.worker.owned import OwnedPartition
from app.worker.saves import Saves
from app.worker.share import rest_s
from models.errors import FreshetError, ServiceError
from tables.cutting import Cutting

logger = logging.getLogger("freshet")

Ranges = Mapping[int, tuple[int, int]]
ENCODING_SHARE = 0.02  # of a worker's time, that encoding of checkpoints may take
ENCODING_SHARE_NOW = 0.15  # the same, while one is encoded
QUIET_S = 0.2  # without an event for so long, a worker has nothing to wait for
VALUES_PER_SLICE = 15  # encoded between two turns of the event loop: events wait for each slice


class Ownership:
    """The partitions of the current generation.

    Parameters
    ----------
    limits
        `max.message.bytes` of the checkpoint topics.
    changed
        Called with the partitions owned whenever they change.
    fatal
        Awaited with an error that must end the worker.
    report
        Told what happens.
    """

    def __init__(
        self,
        settings: Settings,
        limits: dict[str, int],
        *,
        changed: Callable[[dict[int, OwnedPartition]], None],
        fatal: Callable[[BaseException], Awaitable[None]],
        report: Callable[..., None],
    ) -> None:
        self.settings = settings
        self.names = settings.names
        self.owned: dict[int, OwnedPartition] = {}
        self.assigned: set[int] = set()
        self.generation = -1
        self.ready = False
        self.n_partitions = 0
        self.in_flight: set[tuple[int, int]] = set()  # chunks handed out, not folded: partition and first offset
        self.handed_out: dict[int, int] = {}  # partitions: nothing below this offset is left to be handed out
        self.folded_at = 0.0  # of any of them, monotonic s
        self.saves = Saves()
        self.n_ready = 0
        self.load_s: float | None = None
        self._limits = limits
        self._changed = changed
        self._fatal = fatal
        self._report = report
        self._kept: dict[int, tuple[int, OwnedPartition]] = {}
        self._loading: asyncio.Task[None] | None = None
        self._hold_s = 0.0
        self._saving: dict[asyncio.Task[None], OwnedPartition] = {}
        self._stopped = False
        self._given_back = False  # and nothing assigned since

    def given(self) -> None:
        """The group has assigned partitions anew: what `assign` says from now on is of the new generation."""
        self._given_back = False

    def assign(
        self,
        generation: int,
        numbers: set[int],
        ranges: Callable[[], Awaitable[Ranges]],
        seek: Callable[[Mapping[int, int]], Awaitable[None]],
    ) -> None:
        """Begin to take partitions over, in a task of its own.

        Nothing is taken over between a revocation and the next assignment: Faust may get there with the generation
        that has just ended, and what it loaded would be fenced off in the middle of its work.

        Parameters
        ----------
        ranges
            Gives the first and the end offset of each partition's log.
        seek
            Awaited with the offset to go on from, per partition, before the first record is fetched.
        """
        if self._given_back:
            return
        self.generation, self.assigned, self.ready = generation, numbers, False
        self.handed_out = {}
        self._kept = {number: kept for number, kept in self._kept.items() if number in numbers}
        if not self._stopped:
            before = self._loading
            self._loading = asyncio.create_task(self._load(generation, numbers, ranges, seek, before))

    def waiting(self) -> dict[int, int]:
        """Records known to wait, by partition: of those that have not been read, and folded, up to their ends."""
        busy = {number for number, _ in self.in_flight}
        return {
            number: max(0, partition.readable_end - partition.state.next_offset)
            for number, partition in self.owned.items()
            if number in busy or self.handed_out.get(number, 0) < partition.readable_end
        }

    @property
    def n_waiting(self) -> int:
        """Records known to wait."""
        return sum(self.waiting().values())

    async def revoke(self, within_s: float) -> None:
        """Checkpoint and give everything back; a checkpoint that takes too long is skipped, which is always safe."""
        self._given_back = True
        await self._cancel_load()
        owned, self.owned, self.ready, self.assigned = self.owned, {}, False, set()
        if not owned:
            return
        self._kept = {number: (self.generation, partition) for number, partition in owned.items()}
        self._changed({})
        try:
            async with asyncio.timeout(within_s):
                await asyncio.gather(*(self.checkpoint(partition) for partition in owned.values()))
        except TimeoutError:
            logger.warning("checkpoint at revocation skipped: not done within %.1f s", within_s)
        finally:
            for saving in self._saving:
                saving.cancel()  # or it may wait for an answer that never comes
            await asyncio.gather(*self._saving, return_exceptions=True)
            await _stop_writers(owned.values())
        self._report("revoked", partitions={number: owned[number].durable_offset for number in sorted(owned)})

    async def stop(self, within_s: float) -> None:
        """Give everything back for good."""
        self._stopped = True
        await self.revoke(within_s)

    async def checkpoint_due(self) -> None:
        """Checkpoint every partition that is due, side by side."""
        due = [partition for partition in self.owned.values() if self._is_due(partition)]
        self._saving = {asyncio.create_task(self.checkpoint(partition)): partition for partition in due}
        if not due:
            return
        done, _ = await asyncio.wait(self._saving, return_when=asyncio.FIRST_EXCEPTION)
        for task, partition in self._saving.items():
            error = task.exception() if task in done and not task.cancelled() else None
            if error is not None and self.owned.get(partition.number) is partition:
                raise error

    async def checkpoint(self, partition: OwnedPartition) -> None:
        """Save one partition; on failure what was cut counts as dirty again.

        Raises
        ------
        aiokafka.errors.KafkaError
            If the broker refused for good; `ProducerFenced` if another worker owns the partition now.
        """
        async with partition.checkpoint_lock:
            state = partition.state
            if not partition.needs_checkpoint:
                return
            rebuilding = partition.is_rebuilding
            began = perf_counter()
            cutting = state.begin_cut(partition.published_offset)
            self._held_since(began)
            try:
                try:
                    partition.encodings_s.append(await self._encode(partition, cutting))
                finally:
                    cut = state.end_cut()
                await partition.dead_letters_below(cut.marker.next_offset)
                await partition.writer.write(cut)
            except BaseException:
                state.restore(cut)
                self.saves.n_failed += 1
                raise
            self.saves.add(cut.n_bytes, perf_counter() - began)
            if cut.lessons:
                self.saves.lessons_at = monotonic()
            partition.saved(cut, rebuilding=rebuilding)
            self._report(
                "checkpoint", partition=partition.number, next_offset=cut.marker.next_offset, bytes=cut.n_bytes
            )

    async def _encode(self, partition: OwnedPartition, cutting: Cutting) -> float:
        """Encode a cut while events go on: what they change is encoded before; what it cost, s of CPU.

        Events have most of the time, if there are any, and if nobody waits for the partition.
        """
        seconds, is_done = 0.0, False
        while not is_done:
            began, began_at = thread_time(), perf_counter()
            is_done = cutting.go_on(VALUES_PER_SLICE)
            took_s = thread_time() - began
            self._held_since(began_at)
            seconds += took_s
            if not is_done:
                hurries = self._is_quiet or self.owned.get(partition.number) is not partition
                await asyncio.sleep(rest_s(took_s, 1.0 if hurries else ENCODING_SHARE_NOW))
        return seconds

    def _held_since(self, began: float) -> None:
        self._hold_s = max(self._hold_s, perf_counter() - began)

    def take_hold_ms(self) -> float:
        """The longest time for which a checkpoint has held the event loop since the last call."""
        hold_s, self._hold_s = self._hold_s, 0.0
        return round(1000 * hold_s, 2)

    @property
    def _is_quiet(self) -> bool:
        return monotonic() - self.folded_at >= QUIET_S

    def _is_due(self, partition: OwnedPartition) -> bool:
        settings, state = self.settings, partition.state
        age_s = monotonic() - partition.last_checkpoint
        bytes_per_s = settings.checkpoint_bytes_per_s / max(1, len(self.owned))
        worth_s = len(self.owned) * min(partition.encodings_s) / ENCODING_SHARE  # one slow one may be bad luck
        affordable_s = max(settings.checkpoint_s, state.dirty_bytes / bytes_per_s, worth_s)
        if self._is_quiet:
            affordable_s = settings.checkpoint_s  # the last one in a while: nothing is left to share the time with
        folded = state.metrics.counts.get("events", 0) - partition.events_at_checkpoint
        return (
            partition.awaits_revision
            or age_s >= min(affordable_s, settings.checkpoint_max_s)
            or folded >= settings.checkpoint_max_events
            or state.dirty_bytes >= settings.checkpoint_max_bytes
        )

    async def _load(
        self,
        generation: int,
        numbers: set[int],
        ranges: Callable[[], Awaitable[Ranges]],
        seek: Callable[[Mapping[int, int]], Awaitable[None]],
        before: asyncio.Task[None] | None,
    ) -> None:
        opened: list[OwnedPartition] = []
        began = perf_counter()
        try:
            await _end(before)  # or the two would fence each other off
            async with asyncio.timeout(self.settings.load_timeout_s):
                bounds = await ranges()
                for number in sorted(numbers):
                    opened.append(await self._open(number, generation, bounds))
                await seek({partition.number: partition.state.next_offset for partition in opened})
        except asyncio.CancelledError:
            await _stop_writers(opened)
            raise
        except TimeoutError:
            await self._fatal(
                ServiceError(
                    f"partitions {sorted(numbers)} were not loaded within {self.settings.load_timeout_s:g} s. Raise "
                    "FRESHET_LOAD_TIMEOUT_S, or add workers."
                )
            )
        except (FreshetError, KafkaError) as error:
            await self._fatal(error)
        except Exception as error:
            await self._fatal(error)
            raise
        else:
            if generation == self.generation and not self._stopped:
                self._kept = {}
                self.owned = {partition.number: partition for partition in opened}
                for partition in opened:
                    partition.stop = None  # whoever fetches from here will see
                self._changed(self.owned)
                self.ready = True
                self.n_ready, self.load_s = self.n_ready + 1, perf_counter() - began
                self._report(
                    "ready", generation=generation, partitions=sorted(self.owned), n_partitions=self.n_partitions
                )

    async def _open(self, number: int, generation: int, bounds: Ranges) -> OwnedPartition:
        writer = CheckpointWriter(number, self.names, self.settings.kafka, self._limits)
        try:
            await writer.start()
            kept_in, kept = self._kept.get(number, (-1, None))
            if kept is not None and kept_in + 1 == generation:  # nobody else can have held it
                kept.writer = writer
                self._report("kept", partition=number, next_offset=kept.state.next_offset)
                return kept
            return await read_partition(number, self.n_partitions, writer, self.settings, bounds[number], self._report)
        except BaseException:
            await writer.stop()
            raise

    async def _cancel_load(self) -> None:
        loading, self._loading = self._loading, None
        await _end(loading)


async def _end(task: asyncio.Task[None] | None) -> None:
    if task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task])


async def _stop_writers(partitions: Iterable[OwnedPartition]) -> None:
    await asyncio.gather(*(partition.writer.stop() for partition in partitions))
