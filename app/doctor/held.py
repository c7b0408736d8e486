"""Check of the log: does an open transaction keep records from the workers, who read committed ones only."""

import asyncio

from aiokafka import TopicPartition

from app.dead_letters.journal import log_ends, log_reader
from app.doctor.finding import Finding
from app.kafka import partition_counts
from app.kafka_admin import log_ranges
from app.settings import Settings

OPEN_S = 1.0  # a transaction may well take that long


async def check_held(settings: Settings) -> list[Finding]:
    """Records that have been behind an open transaction for a while; nothing if there are none."""
    names = settings.names
    counts = await partition_counts(settings.kafka, [names.events])
    if names.events not in counts:
        return []  # the check of the topics says so
    n_partitions = counts[names.events]
    consumer = await log_reader(
        settings.kafka, [TopicPartition(names.events, number) for number in range(n_partitions)]
    )
    try:
        ends = await log_ends(consumer, names.events)
    finally:
        await consumer.stop()
    for wait_s in (0.0, OPEN_S):
        await asyncio.sleep(wait_s)
        stable = await log_ranges(settings.kafka, names.events, n_partitions)
        held = {number: end - stable[number][1] for number, end in sorted(ends.items()) if end > stable[number][1]}
        if not held:
            return []
    shown = ", ".join(f"{number}: {n}" for number, n in held.items())
    advice = (
        "They are folded when its producer ends it, at the latest after that one's transaction.timeout.ms. If it lasts "
        f"longer: kafka-transactions.sh {settings.kafka.for_tools} find-hanging --topic {names.events}"
    )
    return [Finding("transactions", "note", f"records behind an open transaction, by partition: {shown}", advice)]
