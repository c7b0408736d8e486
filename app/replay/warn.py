"""A warning before an old log is mixed into live traffic."""

import time

import click
from aiokafka import TopicPartition

from app.kafka import partition_counts, reader, start_client
from app.replay.records import EventLog
from app.settings import Settings


async def warn_if_old(log: EventLog, settings: Settings) -> None:
    """Say so if the log is older than the late grace and the topic holds events already."""
    first = next((record.timestamp_ms for record in log if record.timestamp_ms is not None), None)
    if first is None or first >= time.time() * 1000 - settings.late_grace_s * 1000:
        return
    topic = settings.names.events
    n_partitions = (await partition_counts(settings.kafka, [topic])).get(topic, 0)
    consumer = reader(settings.kafka)
    await start_client(consumer, settings.kafka)
    try:
        ends = await consumer.end_offsets([TopicPartition(topic, number) for number in range(n_partitions)])
    finally:
        await consumer.stop()
    n_events = sum(ends.values())
    if n_events:
        click.echo(
            f"freshet: {topic} holds {n_events} events already, and this log is older: where newer events have been "
            "folded, its events count as late (totals and pairs, no windows). `--isolated` keeps it apart.",
            err=True,
        )
