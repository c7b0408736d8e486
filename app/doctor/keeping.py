"""Checks of what Kafka keeps, for how long, and by whose clock."""

import time

from app.doctor.cleanup import check_cleanup
from app.doctor.create_time import check_create_time
from app.doctor.finding import Finding
from app.doctor.retention import check_retention
from app.doctor.samples import first_records
from app.kafka import partition_counts
from app.kafka_admin import committed_offsets, log_ranges, topic_configs
from app.settings import Settings


async def check_keeping(settings: Settings) -> list[Finding]:
    """Cleaning, the records' times, retention; of the topics that are there."""
    names, kafka = settings.names, settings.kafka
    counts = await partition_counts(kafka, [spec.name for spec in names.topics(settings.partitions)])
    if names.events not in counts:
        return []  # the check of the topics says so
    configs = await topic_configs(kafka, counts)
    if names.events not in configs:
        return []  # this client may not see it, as the check of the topics says
    config, n_partitions = configs[names.events], counts[names.events]
    ranges = await log_ranges(kafka, names.events, n_partitions)
    saved = await committed_offsets(kafka, names.group, names.events, n_partitions)
    lagging = {number: max(start, saved.get(number, 0)) for number, (start, _) in ranges.items()}
    trimmed = {number: start for number, (start, end) in ranges.items() if 0 < start < end}
    now_ms = int(time.time() * 1000)
    waiting_ms, kept_ms = (
        {number: max(0, now_ms - record.timestamp) for number, record in records.items() if record is not None}
        for records in (
            await first_records(
                kafka, names.events, {number: at for number, at in lagging.items() if at < ranges[number][1]}
            ),
            await first_records(kafka, names.events, trimmed),
        )
    )
    return [
        *check_cleanup(names, configs, kafka),
        *check_create_time(names.events, config, kafka),
        *check_retention(config, waiting_ms, kept_ms, settings),
    ]
