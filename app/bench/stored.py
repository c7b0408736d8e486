"""What Kafka holds after a run: the log as it lies in its partitions, and the state as it was checkpointed."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from time import monotonic

from aiokafka import ConsumerRecord, TopicPartition

from app.bench.oracle import Oracle
from app.bench.workload import Sent
from app.broker import Broker
from app.kafka import read_to_end, reader, start_client
from models.errors import ServiceError
from tables.fold_settings import FoldSettings
from tables.marker import MARKER_KEY, Marker
from tables.names import Names
from tables.partition import PartitionState


async def read_log(broker: Broker, topic: str, n_partitions: int, sent: Sequence[Sent]) -> list[Oracle]:
    """The oracle of every partition, told the log as it lies there.

    Raises
    ------
    ServiceError
        If what lies there is not what was sent, which would make every comparison worthless.
    """
    oracles = [Oracle() for _ in range(n_partitions)]
    found: list[Sent] = []

    def take(record: ConsumerRecord) -> None:
        if record.offset != oracles[record.partition].n_records:
            raise ServiceError(f"offset {record.offset} of partition {record.partition} does not follow its last one.")
        found.append(Sent(record.key, record.value))
        oracles[record.partition].add(record.timestamp, record.key, record.value)

    await read_to_end(broker, [TopicPartition(topic, number) for number in range(n_partitions)], take)
    if sorted(found) != sorted(sent):
        raise ServiceError(f"{len(sent)} records were sent, and {len(found)} other ones lie in {topic}: run it again.")
    return oracles


async def await_checkpoints(
    broker: Broker, names: Names, n_partitions: int, patience_s: float, alive: Callable[[], None]
) -> None:
    """Return when the checkpoints of all partitions hold all of the log, whose ends stand still by now.

    Parameters
    ----------
    alive
        Called again and again; raises if waiting is in vain.

    Raises
    ------
    ServiceError
        If no checkpoint comes for `patience_s`.
    """
    consumer = reader(broker)
    await start_client(consumer, broker)
    try:
        log = [TopicPartition(names.events, number) for number in range(n_partitions)]
        ends = {tp.partition: end for tp, end in (await consumer.end_offsets(log)).items()}
        consumer.assign([TopicPartition(names.user_checkpoints, number) for number in range(n_partitions)])
        saved = dict.fromkeys(range(n_partitions), 0)
        since = monotonic()
        while saved != ends:
            alive()
            if monotonic() - since > patience_s:
                raise ServiceError(f"no checkpoint for {patience_s:g} s: saved {saved}, the log ends at {ends}.")
            for records in (await consumer.getmany(timeout_ms=100)).values():
                for record in records:
                    if record.key == MARKER_KEY:
                        saved[record.partition] = Marker.decode(record.value).next_offset
                        since = monotonic()
    finally:
        await consumer.stop()


async def read_state(broker: Broker, names: Names, n_partitions: int, settings: FoldSettings) -> list[PartitionState]:
    """The state of every partition, from the newest value of each key."""
    values: dict[str, dict[tuple[int, bytes], bytes | None]] = defaultdict(dict)

    def take(record: ConsumerRecord) -> None:
        values[record.topic][record.partition, record.key] = record.value

    topics = (names.user_checkpoints, names.item_checkpoints)
    stored = [TopicPartition(topic, number) for topic in topics for number in range(n_partitions)]
    await read_to_end(broker, stored, take)
    states = [PartitionState(number, n_partitions, settings) for number in range(n_partitions)]
    for (number, key), value in values[names.user_checkpoints].items():
        states[number].apply_user(key, value)
    for (number, key), value in values[names.item_checkpoints].items():
        states[number].items.apply(key.decode(), value)
    for state in states:
        state.finish_load()
    return states
