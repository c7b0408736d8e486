"""A sample of records: the newest of each partition of a topic, or the first of a file."""

import time
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from aiokafka import TopicPartition

from app.broker import Broker
from app.kafka import partition_counts, reader, start_client
from app.replay.mapped import SourceLog
from app.replay.readers import AUTO, row_format_of
from app.sources import SourceRecord, SourceSettings, make_source
from models.errors import LogError, ServiceError

IDLE_MS = 500
MAX_IDLE = 10
_CHUNK = 500


class Sample(NamedTuple):
    """Records as they lie in their partitions; those of a file are in one. `bad_rows` says why rows are no records."""

    name: str
    partitions: list[list[SourceRecord]]
    is_topic: bool
    bad_rows: tuple[str, ...] = ()

    @property
    def records(self) -> list[SourceRecord]:
        """All of them."""
        return [record for records in self.partitions for record in records]


def sample_of_file(path: Path, n: int, log_format: str = AUTO) -> Sample:
    """The first records of a file.

    Raises
    ------
    LogError
        If it cannot be read.
    """
    log = SourceLog(path, row_format_of(path) if log_format == AUTO else log_format, make_source(SourceSettings()))
    now_ms = int(time.time() * 1000)
    rows = [row for _, row in islice(log.rows(), n)]
    if rows and rows[0] == b"[":
        raise LogError(f"{path}: an array of JSON over many lines. Write one object a line, e.g. by jq -c '.[]'.")
    records = [SourceRecord("", None, row, (), now_ms) for row in rows if isinstance(row, bytes)]
    return Sample(path.name, [records], False, tuple(row for row in rows if isinstance(row, str)))


async def sample_of_topic(broker: Broker, topic: str, n: int) -> Sample:
    """The newest records of each partition, about as many of each.

    Raises
    ------
    ServiceError
        If there is no such topic.
    """
    n_partitions = (await partition_counts(broker, [topic])).get(topic, 0)
    if not n_partitions:
        raise ServiceError(f"there is no file and no topic {topic} at {broker}. Check the name, and FRESHET_BROKER.")
    consumer = reader(broker)
    await start_client(consumer, broker)
    found: list[list[SourceRecord]] = [[] for _ in range(n_partitions)]
    try:
        assigned = [TopicPartition(topic, number) for number in range(n_partitions)]
        consumer.assign(assigned)
        ends = await consumer.end_offsets(assigned)
        starts = await consumer.beginning_offsets(assigned)
        each = -(-n // n_partitions)
        for tp in assigned:
            consumer.seek(tp, max(starts[tp], ends[tp] - each))
        n_idle = 0
        while n_idle < MAX_IDLE and not all([await consumer.position(tp) >= ends[tp] for tp in assigned]):
            fetched = await consumer.getmany(timeout_ms=IDLE_MS, max_records=_CHUNK)
            n_idle = 0 if fetched else n_idle + 1
            for tp, records in fetched.items():
                found[tp.partition] += [
                    SourceRecord(topic, record.key, record.value, record.headers, record.timestamp)
                    for record in records
                    if record.offset < ends[tp]
                ]
    finally:
        await consumer.stop()
    return Sample(topic, found, is_topic=True)
