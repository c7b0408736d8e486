"""One look at a group of workers and its topic."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from app.kafka import partitions_of
from app.kafka_admin import Group, committed_offsets, describe_group, log_ranges
from app.settings import Settings
from app.top.scrape import Scraped, scrape


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at a moment.

    Parameters
    ----------
    at_s
        By a monotonic clock.
    ends, saved
        By partition: the end of the log, and the offset up to which checkpoints hold it.
    """

    at_s: float
    ends: dict[int, int]
    saved: dict[int, int]
    group: Group
    workers: tuple[Scraped, ...]


async def look(settings: Settings, places: Sequence[str]) -> Look:
    """Ask Kafka and the workers.

    Raises
    ------
    ServiceError
        If the topic of events is not there.
    """
    topic = settings.names.events
    n_partitions = len(await partitions_of(settings.kafka, topic))
    group = await describe_group(settings.kafka, settings.names.group)
    saved = await committed_offsets(settings.kafka, settings.names.group, topic, n_partitions)
    ranges = await log_ranges(settings.kafka, topic, n_partitions)
    workers = await scrape(places)
    return Look(
        time.monotonic(),
        {number: end for number, (_, end) in ranges.items()},
        {number: max(saved.get(number, 0), start) for number, (start, _) in ranges.items()},
        group,
        tuple(workers),
    )
