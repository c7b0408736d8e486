"""One namespace on real Kafka and Redis: its events, its workers, and what they left behind."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition

from app.broker import Broker
from app.decoding import tell_apart
from app.kafka import partition_counts, read_to_end, reader, start_client, writer
from app.settings import Settings
from app.store.clients import for_threads
from app.worker.checkpoints import load_checkpoint
from app.worker.preflight import prepare_topics
from app.worker.process import WorkerProcess, environment
from models.ids import hash64
from tables.digest import digests
from tables.keys import Keys
from tables.list_json import decode_list
from tables.marker import MARKER_KEY, Marker
from tables.names import Names
from tables.partition import PartitionState

LAUNCHER = Path(__file__).parent / "faults" / "launcher.py"
VISIBLE_S = 20.0  # after a commit; some milliseconds, but for a busy machine
PATIENCE_S = 60.0  # with a state that comes; several times what it takes when the machine is busy
POLL_S = 0.05
QUICK: dict[str, Any] = {"checkpoint_s": 0.2, "session_timeout_s": 3.0, "rebalance_timeout_s": 6.0}


class Sent(NamedTuple):
    """One record as it is sent; without a partition its key decides."""

    key: bytes | None
    value: bytes | None
    partition: int | None = None


class Stop(NamedTuple):
    """Where a partition cannot be decoded, and where it goes on; None: it stands."""

    offset: int
    behind: int | None = None


class Scene:
    """A namespace, and helpers that block until what they say is so.

    Parameters
    ----------
    folder
        Where the workers' logs go.
    """

    def __init__(self, broker: str, redis_url: str, namespace: str, folder: Path) -> None:
        self.names = Names(namespace)
        self.keys = Keys(namespace)
        self.settings = Settings(**{"broker": broker, "redis_url": redis_url, "namespace": namespace, **QUICK})
        self.workers: list[WorkerProcess] = []
        self.folder = folder
        self.n_sent = 0
        self.stops: dict[int, Stop] = {}

    def configure(self, **changes: Any) -> None:
        """Other settings for the workers started from now on."""
        self.settings = Settings(**{**self.settings.model_dump(exclude_defaults=True), **changes})

    def create(self, partitions: int) -> None:
        """Make the topics."""
        self.configure(partitions=partitions)
        asyncio.run(prepare_topics(self.settings))

    def worker(self, fault: str | None = None, *, ready: bool = True) -> WorkerProcess:
        """Start a worker, with a fault of `tests/faults/launcher.py` if named."""
        command = [sys.executable, "-m", "app"] if fault is None else [sys.executable, str(LAUNCHER), fault]
        variables = {**environment(self.settings), "FAULT_GATE": str(self.gate), "PYTHONFAULTHANDLER": "1"}
        log_path = self.folder / f"worker-{len(self.workers) + 1}.log"
        worker = WorkerProcess(variables, log_path, command=command)
        self.workers.append(worker)
        if ready:
            worker.wait_ready()
        return worker

    @property
    def gate(self) -> Path:
        """What the launcher's faults hold back goes on when this file is there."""
        return self.folder / "gate"

    def send(self, records: Iterable[Sent]) -> None:
        """Send records in order, each acknowledged by the broker."""
        sent = list(records)
        asyncio.run(send_all(self.settings.kafka, self.names.events, sent))
        self.n_sent += len(sent)

    def read(self, topic: str) -> list[ConsumerRecord]:
        """All committed records of a topic, partition by partition."""
        return asyncio.run(read_topic(self.settings.kafka, topic))

    def markers(self) -> dict[int, Marker]:
        """The newest marker of every partition that has one."""
        found = self.read(self.names.user_checkpoints)
        return {record.partition: Marker.decode(record.value) for record in found if record.key == MARKER_KEY}

    def folded_inline(self) -> list[PartitionState]:
        """What the log, as it lies in Kafka, must have become."""
        counts = asyncio.run(partition_counts(self.settings.kafka, [self.names.events]))
        n_partitions = counts[self.names.events]
        states = [PartitionState(number, n_partitions, self.settings.fold) for number in range(n_partitions)]
        records = asyncio.run(read_around(self.settings.kafka, self.names.events, n_partitions, self.stops))
        n_lost = sum(stop.behind - stop.offset for stop in self.stops.values() if stop.behind is not None)
        if all(stop.behind is not None for stop in self.stops.values()):
            assert len(records) + n_lost == self.n_sent, f"{self.n_sent} records were sent, {len(records)} can be read"
        for record in records:
            state, stop = states[record.partition], self.stops.get(record.partition)
            if stop and stop.behind is not None and state.next_offset <= stop.offset < record.offset:
                state.step_over(stop.offset, stop.behind)
            state.fold(record.offset, record.timestamp, record.key, record.value)
        return states

    def stored(self, n_partitions: int) -> list[PartitionState]:
        """What the checkpoints hold, as far as readers can see it.

        A broker answers a commit before it has marked every partition: for some milliseconds readers do not see what
        was committed. (Whoever takes a partition over does: its producer waits for the marks.)
        """

        async def load() -> list[PartitionState]:
            states = [PartitionState(number, n_partitions, self.settings.fold) for number in range(n_partitions)]
            for state in states:
                await load_checkpoint(state, self.names, self.settings.kafka)
            return states

        return asyncio.run(load())

    def await_durable(self, timeout_s: float = PATIENCE_S) -> list[PartitionState]:
        """Return the log, folded inline, when checkpoints hold all of it; fails when the time is over."""
        expected = self.folded_inline()
        ends = {state.number: state.next_offset for state in expected if state.next_offset}

        def missing() -> dict[int, tuple[int, int]]:
            durable: dict[int, int] = {}
            for worker in self.workers:
                for number, offset in worker.progress.get("durable", {}).items():
                    durable[int(number)] = max(offset, durable.get(int(number), 0))
            return {number: (durable.get(number, 0), end) for number, end in ends.items() if durable.get(number) != end}

        self.await_none(missing, timeout_s, "partitions (durable, end)")
        return expected

    def assert_exact(self, timeout_s: float = PATIENCE_S) -> list[PartitionState]:
        """Every partition's checkpoint is, bit for bit, what its log folds to; returns those states."""
        expected = self.await_durable(timeout_s)

        def different() -> dict[int, dict[str, object]]:
            found: dict[int, dict[str, object]] = {}
            for ours, theirs in zip(expected, self.stored(len(expected)), strict=True):
                a, b = digests([ours]), digests([theirs])
                parts: dict[str, object] = {name: "other" for name in a if a[name] != b[name]}
                if parts or theirs.next_offset != ours.next_offset:
                    counts = theirs.metrics.counts, ours.metrics.counts
                    found[ours.number] = {**parts, "offsets": (theirs.next_offset, ours.next_offset), "counts": counts}
            return found

        self.await_none(different, VISIBLE_S, "partitions (stored, expected)")
        return expected

    def assert_lists(self, states: Sequence[PartitionState], timeout_s: float = PATIENCE_S) -> None:
        """Every user's list in Redis is made from that user's last event, and holds a seen item only if all are."""
        self.await_none(lambda: self.wrong_lists(states), timeout_s, "lists")

    def wrong_lists(self, states: Sequence[PartitionState]) -> dict[str, str]:
        """Users whose list is missing, old or holds what they know."""
        wrong: dict[str, str] = {}
        users = [(state, user_id) for state in states for user_id in state.users]
        client = for_threads(self.settings.redis, timeout_s=5.0)
        payloads = client.run_each([("GET", self.keys.user_list(user_id)) for _, user_id in users]) if users else []
        client.close()
        for (state, user_id), payload in zip(users, payloads, strict=True):
            user = state.users.get(user_id)
            assert user is not None
            if not isinstance(payload, bytes):
                wrong[user_id] = "has none"
                continue
            found = decode_list(payload)
            seen = set(user.seen[: user.n_seen].tolist())
            if (found.epoch, found.offset) != (state.epoch, user.last_offset):
                wrong[user_id] = f"is of {found.version}, not of {user.last_offset}"
            elif len({hash64(item.item_id) in seen for item in found.items}) > 1:
                wrong[user_id] = "holds seen items beside others"
            elif found.source != (self.names.events, state.number, user.last_offset):
                wrong[user_id] = f"names source {found.source}"
        return wrong

    def await_none(self, problems: Callable[[], Mapping[Any, object]], timeout_s: float, what: str) -> None:
        """Return when there are no problems; a worker that ends in the meantime does not end the waiting."""
        deadline = time.monotonic() + timeout_s
        while found := problems():
            if time.monotonic() > deadline:
                shown = dict(list(found.items())[:10])
                raise AssertionError(f"{len(found)} {what} are not right after {timeout_s:g} s: {shown}\n{self.logs()}")
            time.sleep(POLL_S)

    def age_sentinel(self) -> None:
        """Let Redis have been found empty long ago, while no worker runs: within a minute none trusts the clocks."""
        client = for_threads(self.settings.redis, timeout_s=5.0)
        (stored,) = client.run([("GET", self.keys.sentinel())])
        first, _, found_ms = stored.rpartition(b"-")
        client.run([("SET", self.keys.sentinel(), first + b"-%d" % (int(found_ms) - 3_600_000))])
        client.close()

    def logs(self) -> str:
        """The end of every worker's log."""
        return "\n".join(
            f"--- {worker.log_path.name}, exit code {worker.exit_code}, at {worker.progress}\n"
            f"{[line for line in worker.lines if line['event'] != 'checkpoint'][-8:]}\n"
            f"{worker.log_path.read_text()[-1500:]}"
            for worker in self.workers
        )

    def close(self) -> None:
        """Kill the workers that still run."""
        for worker in self.workers:
            worker.signal(18)  # a stopped one as well
            worker.kill()


async def send_all(broker: Broker, topic: str, records: Sequence[Sent]) -> None:
    """Send records in order; returns when all are acknowledged."""
    producer: AIOKafkaProducer = writer(broker, linger_ms=2, max_request_size=2 * 1_048_588)
    await producer.start()
    try:
        for start in range(0, len(records), 500):
            part = records[start : start + 500]
            await asyncio.gather(
                *[await producer.send(topic, one.value, key=one.key, partition=one.partition) for one in part]
            )
    finally:
        await producer.stop()


async def read_around(broker: Broker, topic: str, n_partitions: int, stops: Mapping[int, Stop]) -> list[ConsumerRecord]:
    """All committed records of the log, partition by partition, but for what cannot be decoded at known places."""
    tps = {TopicPartition(topic, number) for number in range(n_partitions)}
    found: list[ConsumerRecord] = []
    consumer = reader(broker)
    await start_client(consumer, broker)
    try:
        failures = tell_apart(consumer)
        consumer.assign(list(tps))
        ends = await consumer.end_offsets(list(tps))
        while tps := {tp for tp in tps if await consumer.position(tp) < ends[tp]}:
            for records in (await consumer.getmany(*tps, timeout_ms=100, max_records=20_000)).values():
                found += records
            for tp, failure in list(failures.items()):
                del failures[tp]
                stop = stops.get(tp.partition)
                assert stop and failure.offset == stop.offset, (
                    f"{failure} in partition {tp.partition}, known are {stops}"
                )
                if stop.behind is None:
                    consumer.pause(tp)
                    tps.remove(tp)
                else:
                    consumer.seek(tp, stop.behind)
    finally:
        await consumer.stop()
    return sorted(found, key=lambda record: (record.partition, record.offset))


async def read_topic(broker: Broker, topic: str) -> list[ConsumerRecord]:
    """All committed records of a topic, partition by partition."""
    found: list[ConsumerRecord] = []
    counts = await partition_counts(broker, [topic])
    await read_to_end(broker, [TopicPartition(topic, number) for number in range(counts[topic])], found.append)
    return sorted(found, key=lambda record: (record.partition, record.offset))
