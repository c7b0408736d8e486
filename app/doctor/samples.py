"""The newest records of a topic, and what the checkpoints said last: enough to guess from, cheap to read."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import ConsumerRecord, TopicPartition

from app.broker import Broker
from app.decoding import tell_apart
from app.kafka import reader, start_client
from app.settings import Settings
from models.windows import EventClock
from tables.marker import MARKER_KEY, METRICS_KEY, Marker, Metrics, decode_metrics

TAIL = 20  # offsets: counters and marker end a checkpoint, and a commit's mark ends its transaction


@dataclass(frozen=True, slots=True)
class Saved:
    """What the newest checkpoint of a partition says of itself."""

    marker: Marker
    metrics: Metrics

    @property
    def clock_ms(self) -> int:
        """The partition's event clock; 0 before the first event."""
        return EventClock(self.marker.latest).now_ms


async def newest_records(broker: Broker, topic: str, n_partitions: int, n_offsets: int) -> list[ConsumerRecord]:
    """The committed records among the last `n_offsets` of each partition, in offset order within one.

    Of a partition with a batch that cannot be decoded only those before it.
    """
    consumer = reader(broker)
    await start_client(consumer, broker)
    try:
        failures = tell_apart(consumer)
        tps = [TopicPartition(topic, number) for number in range(n_partitions)]
        consumer.assign(tps)
        ends = await consumer.end_offsets(tps)
        starts = await consumer.beginning_offsets(tps)
        waiting = {tp for tp in tps if ends[tp] > starts[tp]}
        for tp in waiting:
            consumer.seek(tp, max(starts[tp], ends[tp] - n_offsets))
        found: list[ConsumerRecord] = []
        while waiting:
            fetched = await consumer.getmany(*waiting, timeout_ms=100)
            for tp, records in fetched.items():
                found += [record for record in records if record.offset < ends[tp]]
            waiting = {tp for tp in waiting if tp not in failures and await consumer.position(tp) < ends[tp]}
        return found
    finally:
        await consumer.stop()


async def newest_checkpoints(settings: Settings, n_partitions: int) -> dict[int, Saved]:
    """The newest marker and counters of each partition that was saved.

    Raises
    ------
    StateError
        If one cannot be read.
    """
    records = await newest_records(settings.kafka, settings.names.user_checkpoints, n_partitions, TAIL)
    newest = {(record.partition, record.key): record.value for record in records}
    return {
        number: Saved(Marker.decode(newest[number, MARKER_KEY]), decode_metrics(newest[number, METRICS_KEY])[0])
        for number in range(n_partitions)
        if newest.get((number, MARKER_KEY)) and newest.get((number, METRICS_KEY))
    }


async def newest_markers(settings: Settings, n_partitions: int) -> dict[int, Marker]:
    """The newest marker of each partition that was saved, or reset and not yet folded.

    Raises
    ------
    StateError
        If one cannot be read.
    """
    records = await newest_records(settings.kafka, settings.names.user_checkpoints, n_partitions, TAIL)
    newest = {record.partition: record.value for record in records if record.key == MARKER_KEY}
    return {number: Marker.decode(value) for number, value in sorted(newest.items()) if value}


async def first_records(broker: Broker, topic: str, offsets: Mapping[int, int]) -> dict[int, ConsumerRecord | None]:
    """The first committed record of each partition from an offset on; none where just marks of transactions follow.

    None where it cannot be decoded.
    """
    if not offsets:
        return {}
    consumer = reader(broker)
    await start_client(consumer, broker)
    try:
        failures = tell_apart(consumer)
        waiting = {TopicPartition(topic, number): offset for number, offset in offsets.items()}
        consumer.assign(list(waiting))
        for tp, offset in waiting.items():
            consumer.seek(tp, offset)
        ends, found = await consumer.end_offsets(waiting), {}
        while waiting:
            fetched = await consumer.getmany(*waiting, timeout_ms=100, max_records=1)
            for tp in list(waiting):
                if tp in fetched or tp in failures:
                    found[tp.partition] = fetched[tp][0] if tp in fetched else None
                    del waiting[tp]
                elif await consumer.position(tp) >= ends[tp]:
                    del waiting[tp]
        return found
    finally:
        await consumer.stop()
