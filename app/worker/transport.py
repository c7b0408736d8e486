"""Faust's Kafka transport, with record batches: one Faust message per partition and fetched chunk.

Stock Faust makes four asyncio tasks for every record. Here a message's value is a `Chunk` of many records; agents,
topics, group membership and rebalancing stay Faust's. The methods overridden, and the private names used, are those of
exactly faust-streaming 0.15.3 and aiokafka 0.14.0; `app.worker.selfcheck` refuses any other.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from functools import cached_property
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from app.decoding import Failures, tell_apart
from app.worker.chunk_sizes import ChunkSizes
from app.worker.chunks import Chunk, split
from app.worker.client import AT_ONCE, COLLECTED, CommittedThread, answered_ms, ask_for, position
from app.worker.latency import Latency
from app.worker.ownership import Ownership, Ranges
from app.worker.prefetch import POLL_S, Prefetch
from app.worker.stop import Stop
from models.errors import ResetRequired

logger = logging.getLogger("freshet")

CHUNKS_IN_FLIGHT = 8
CHUNKS_PER_PARTITION = 2  # one that is folded, and the next
WAIT_S = 0.0005
ASK_S = 1.0  # between questions for a topic that the broker asked last does not know
ROOM_S = 0.002  # between looks for room while a partition has chunks enough


class BatchConsumer(driver.Consumer):
    """Hands out chunks of records, from the offsets that the checkpoints name."""

    transport: "BatchTransport"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.transport.created = self
        self._served: dict[TP, int] = {}
        self._n_served = 0
        self._asked_at = 0.0  # for the topic, monotonic s
        self._active: frozenset[TP] = frozenset()
        self._fetching: asyncio.Task[None] | None = None
        self._expected: dict[TP, int] = {}  # the offset after the last one handed out
        self._sought: dict[TP, int | None] = {}  # when a fetch was last answered before the position was set
        self._dry_at: dict[TP, int] = {}  # the offset up to which nothing was left; written by the client's thread
        # from here on of the client's thread
        self._n_seeks = 0  # how often positions were set
        self._failures: Failures = {}  # what could not be decoded, as soon as it is met
        self._halted: set[TP] = set()  # partitions that stand at such a place
        self._fetched_to: dict[TP, int] = {}  # the offset behind the last record fetched

    def _new_consumer_thread(self) -> CommittedThread:
        return CommittedThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def ownership(self) -> Ownership:
        """Who decides what may be fetched."""
        return self.transport.ownership

    @cached_property
    def prefetch(self) -> Prefetch[TP, ConsumerRecord]:
        """What has been fetched and not handed out."""
        return Prefetch(self._fetch, self.ownership.settings.chunk_records)

    def _event_partitions(self) -> set[TP]:
        return {tp for tp in self.assignment() if tp.topic == self.ownership.names.events}

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109 Faust's
        """Hand out nothing before state and positions are set: stock Faust hands out first, seeks later, and loses.

        A chunk of each partition that waits for one, for they are folded side by side.
        """
        if not self.ownership.ready:
            await asyncio.sleep(POLL_S)
            return {}
        self._active = frozenset(active_partitions or ())
        n_of = Counter(number for number, _ in self.ownership.in_flight)
        wanted = [tp for tp in self._active if n_of[tp.partition] < CHUNKS_PER_PARTITION]
        wanted.sort(key=lambda tp: (n_of[tp.partition], self._served.get(tp, 0)))
        wanted = wanted[: max(1, CHUNKS_IN_FLIGHT - n_of.total())]
        if n_of:
            timeout = min(timeout, POLL_S if len(wanted) == len(self._active) else ROOM_S)
        await self.prefetch.wait(wanted, timeout)
        fetched = self._take(wanted)
        for tp, offset in list(self._dry_at.items()):
            if not self.prefetch.has(tp):
                self.ownership.handed_out[tp.partition] = offset
        return fetched

    def _take(self, wanted: list[TP]) -> dict[TP, list[ConsumerRecord]]:
        if not self.ownership.ready:
            return {}  # revoked while it waited: what lies there is from before
        fetched = self.prefetch.take(wanted)
        self._n_served += 1
        self._served.update(dict.fromkeys(fetched, self._n_served))
        return fetched

    async def _begin_to_fetch(self, offsets: Mapping[TP, int]) -> None:
        """Set positions and forget what came from others; runs in the consumer's thread, at once."""
        consumer = self._thread._ensure_consumer()
        self._sought = {tp: answered_ms(consumer, tp) for tp in offsets}
        for tp, offset in offsets.items():
            consumer.seek(tp, offset)
        self.prefetch.forget()
        self._dry_at, self._expected = {}, dict(offsets)
        self._n_seeks += 1
        self._failures = tell_apart(consumer)
        self._failures.clear()
        self._halted, self._fetched_to = set(), dict(offsets)
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch_on())

    async def _fetch_on(self) -> None:
        """Fetch for ever, in the consumer's thread; an error ends the worker, even if nobody asks for records."""
        try:
            await self.prefetch.run(self._to_fetch)
        except Exception as error:  # noqa: BLE001 the worker's to report
            asyncio.run_coroutine_threadsafe(self._fetching_failed(error), self.loop)

    async def _fetching_failed(self, error: Exception) -> None:
        if not (self.should_stop or self.transport.app.should_stop):
            logger.error("fetching failed: %r", error)
            await self.transport.fatal(error)

    def unanswered(self) -> set[int]:
        """Partitions of which nothing, not even that there is nothing, has come since their positions were set."""
        consumer = self._thread._consumer
        sought = self._sought.items()
        return {
            tp.partition for tp, before in sought if consumer is None or answered_ms(consumer, tp) in (None, before)
        }

    def look_for_topic(self) -> None:
        """Ask for the topic again if the last answer did not know it: the group then gives its partitions to nobody.

        A topic just made is not known to every broker at once. The client would ask in half a minute.
        """
        consumer, now = self._thread._consumer, time.monotonic()
        if (
            consumer is not None
            and now - self._asked_at > ASK_S
            and consumer._subscription.subscription is not None
            and not consumer._client.cluster.partitions_for_topic(self.ownership.names.events)
        ):
            self._asked_at = now
            self._thread.thread_loop.call_soon_threadsafe(consumer._client.force_metadata_update)

    def group_error(self) -> Exception | None:
        """What keeps the client from joining its group; the client says so to whoever asks, and does nothing more."""
        consumer = self._thread._consumer
        try:
            if consumer is not None and consumer._coordinator is not None:
                consumer._coordinator.check_errors()
        except Exception as error:  # noqa: BLE001 the worker's to report
            return error
        return None

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Have Faust look whether a partition moves; one that is left alone does not, and is told of elsewhere."""
        if tp not in self._halted:
            super().verify_event_path(now, tp)

    def _to_fetch(self) -> frozenset[TP]:
        consumer = self._thread._ensure_consumer()
        consumer._coordinator.check_errors()  # or the client waits for ever to be asked
        if self.ownership.ready and self.flow_active:
            return self._active - self._halted if self._halted else self._active
        ask_for(consumer, AT_ONCE)
        return frozenset()

    async def _fetch(self, tps: set[TP], wait_s: float, n: int) -> Mapping[TP, list[ConsumerRecord]]:
        """Take what has come, or comes within the time, and say how the broker is to be asked for more.

        aiokafka asks again as soon as all that a broker sent was taken. Under load that would be a fetch for each
        record; and were records taken late instead, those that come after them would wait for that as well.
        """
        thread = self._thread
        consumer = thread._ensure_consumer()
        fetched = await thread._fetch_records(consumer, tps, timeout=wait_s, max_records=n)
        ask_for(consumer, COLLECTED if sum(map(len, fetched.values())) > 1 else AT_ONCE)
        for tp, records in fetched.items():
            self._fetched_to[tp] = records[-1].offset + 1
        for tp in tps - fetched.keys():
            self._dry_at[tp] = position(consumer, tp)
        if self._failures:
            self._halt(consumer)
        return fetched

    def _halt(self, consumer: Any) -> None:
        """Leave partitions alone that stand at what cannot be decoded, and say so."""
        for tp, (offset, why) in self._failures.items():
            if tp not in self._halted and tp in self._fetched_to:
                self._halted.add(tp)
                self._dry_at[tp] = offset
                consumer.pause(tp)  # or it would be fetched again and again, and hold up what comes of others
                stop = Stop(tp.topic, tp.partition, offset, why, self._fetched_to[tp], self._n_seeks)
                self.loop.call_soon_threadsafe(self.transport.stopped, stop)
        self._failures.clear()

    async def go_on(self, stop: Stop, offset: int) -> None:
        """Fetch a partition that was left alone again, from an offset on, unless positions have been set since."""
        await self._thread.call_thread(self._go_on, stop, offset)

    async def _go_on(self, stop: Stop, offset: int) -> None:
        tp, consumer = TopicPartition(stop.topic, stop.partition), self._thread._ensure_consumer()
        if stop.n_seeks == self._n_seeks and tp in self._halted & consumer.assignment():
            self._fetched_to[tp] = self._expected[tp] = offset
            consumer.seek(tp, offset)
            consumer.resume(tp)
            self._halted.remove(tp)

    async def _drain_messages(self, fetcher: Any) -> None:
        """Hand each chunk to the agent's stream at once.

        Faust's own loop makes tasks for every message, for a stream's buffer may be full; and so each chunk waits for
        several turns of an event loop that has lists to make. Ours never fills the buffer: few chunks are in flight.
        """
        stopped: tuple[type[BaseException], ...] = (asyncio.CancelledError, *self.consumer_stopped_errors)
        try:
            while not (self.should_stop or fetcher.should_stop):
                async for _, message in self.getmany(timeout=1.0):
                    await self.callback(message)
        except stopped:
            if not self.transport.app.should_stop:
                raise

    async def perform_seek(self) -> None:
        """Begin to load; the positions are set by the load's task, which no timeout of Faust's can cut short."""
        partitions = {tp.partition: tp for tp in self._event_partitions()}

        async def ranges() -> Ranges:
            tps = list(partitions.values())
            starts = await self.earliest_offsets(*tps)
            ends = await self.highwaters(*tps)
            return {tp.partition: (int(starts[tp]), int(ends[tp])) for tp in tps}

        async def seek(offsets: Mapping[int, int]) -> None:
            for number, offset in offsets.items():
                self._committed_offset[partitions[number]] = offset or None
            await self._thread.call_thread(
                self._begin_to_fetch, {partitions[number]: offset for number, offset in offsets.items()}
            )

        known = self.topic_partitions(self.ownership.names.events)  # None as long as the client has no metadata
        self.ownership.n_partitions = self.app.conf.topic_partitions
        if known is not None and known != self.ownership.n_partitions:
            await self.transport.fatal(
                ResetRequired(
                    f"{self.ownership.names.events} has {known} partitions now, it had {self.ownership.n_partitions}: "
                    "users have moved. Run `freshet reset` to fold the log anew."
                )
            )
            return
        self.ownership.assign(self.app.consumer_generation_id, set(partitions), ranges, seek)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109 Faust's
        """Yield one message per partition and chunk, never more than a few in flight.

        Waiting here and not in the stream's buffer matters: a full buffer makes Faust sleep for a second. The agent
        says when it is done with a chunk; Faust's books keep those that a checkpoint has committed before their ack.
        """
        await self._room()
        fetched, _ = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if not fetched or self.should_stop:
            return
        for tp in fetched:
            owned, end = self.ownership.owned.get(tp.partition), self.highwater(tp)
            if owned is None or (end or 0) >= owned.state.next_offset:
                continue
            end = (await self.highwaters(tp))[tp]  # a new leader may not have known its end at first
            if end < owned.state.next_offset and self.flow_active:
                await self.transport.fatal(
                    ResetRequired(
                        f"partition {tp.partition} is folded up to offset {owned.state.next_offset}, and its log ends "
                        f"at {end}: the topic was made anew. Run `freshet reset` to fold the log that is there."
                    )
                )
                return
        chunks = {tp: split(records, self.ownership.settings.chunk_records) for tp, records in fetched.items()}
        while chunks:
            for tp in list(chunks):
                records = next(chunks[tp], None)
                if records is None:
                    del chunks[tp]
                    continue
                await self._room()
                if not self.flow_active or self.app.consumer_generation_id != generation:
                    return  # revoked: the next owner goes on from the checkpoint
                self.ownership.in_flight.add((tp.partition, records[0].offset))
                yield tp, self._message(tp, records, generation)  # whatever is fetched is handed out, or it is lost

    async def _room(self) -> None:
        """Return when few chunks are in flight, or the flow has stopped."""
        in_flight = self.ownership.in_flight
        while len(in_flight) >= CHUNKS_IN_FLIGHT and self.flow_active and not self.should_stop:  # noqa: ASYNC110 polled
            await asyncio.sleep(WAIT_S)

    def _message(self, tp: TP, records: list[ConsumerRecord], generation: int) -> ConsumerMessage:
        last = records[-1]
        self.transport.latency.add("broker", time.time() * 1000 - records[0].timestamp, len(records))
        self.transport.chunk_sizes.add(len(records))
        owned = self.ownership.owned.get(tp.partition)
        if owned is not None:
            stable = self._thread._ensure_consumer().last_stable_offset(tp)  # what lies behind cannot be read yet
            owned.end_offset = max(owned.end_offset, stable or 0, last.offset + 1)
            expected = self._expected.get(tp, records[0].offset)
            if records[0].offset > expected:
                owned.gaps.append((expected, records[0].offset))
        self._expected[tp] = last.offset + 1
        return ConsumerMessage(
            last.topic,
            last.partition,
            last.offset,
            last.timestamp / 1000.0,
            last.timestamp_type,
            None,
            None,
            Chunk(tp.partition, records, generation, time.perf_counter()),  # type: ignore[arg-type]  # raw serializers hand it on as it is
            None,
            0,
            0,
            tp,
            generation_id=generation,
        )

    def _new_offset(self, tp: TP) -> int | None:
        """Commit what the last checkpoint holds, so that lag seen from outside is durable lag."""
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        owned = self.ownership.owned.get(tp.partition)
        return owned.durable_offset if owned is not None else None

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Take note that what is asked for from now on is of this generation."""
        self.ownership.given()
        await super().on_partitions_assigned(assigned, generation_id)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Stop the flow, checkpoint in half the time there is, then let Faust forget its acks.

        aiokafka swallows what is raised here, so an error ends the worker from here.
        """
        self.stop_flow()
        self.app.flow_control.suspend()
        self.app.flow_control.clear()
        self.ownership.in_flight.clear()
        try:
            await self.ownership.revoke(self.ownership.settings.rebalance_timeout_s / 2)
        except Exception as error:
            logger.exception("checkpoint at revocation failed")
            await self.transport.fatal(error)
        await super().on_partitions_revoked(revoked)

    async def on_stop(self) -> None:
        """Checkpoint once more: Faust does not call `on_partitions_revoked` at shutdown."""
        try:
            await self.transport.before_stop()
            await self.ownership.stop(self.transport.stop_within_s)
        except Exception as error:
            logger.exception("the last checkpoint failed; the log will be folded again from the one before")
            await self.transport.fatal(error)
        await super().on_stop()


class BatchTransport(driver.Transport):
    """The transport whose consumer hands out chunks."""

    Consumer = BatchConsumer
    created: BatchConsumer | None = None
    ownership: Ownership
    latency: Latency
    chunk_sizes: ChunkSizes
    stop_within_s = 3.0

    def stopped(self, stop: Stop) -> None:
        """Take note of a partition that cannot go on; set by the wiring."""
        raise NotImplementedError

    async def go_on(self, stop: Stop, offset: int) -> None:
        """Fetch a stopped partition again, from an offset on."""
        if self.created is not None:
            await self.created.go_on(stop, offset)

    async def before_stop(self) -> None:
        """What is to be done before the last checkpoint; set by the wiring."""

    async def fatal(self, error: BaseException) -> None:
        """End the worker; set by the wiring."""
        raise NotImplementedError
