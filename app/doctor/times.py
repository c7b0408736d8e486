"""Checks of event times: do they look like milliseconds, and are they in time for windows and trends."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import orjson

from app.doctor.finding import Finding
from app.doctor.samples import Saved, newest_checkpoints, newest_records
from app.doctor.units import unit_of
from app.kafka import partition_counts
from app.settings import Settings
from tables.names import DAY_MS

SAMPLE: Final = 2000  # records in all
LEAST: Final = 50  # records of each partition
MANY_SECONDS: Final = 0.05
SOME_LATE: Final = 0.05
MANY_LATE: Final = 0.5
FEWEST: Final = 20  # events that a share is worth telling of


class Stamp(NamedTuple):
    """The time of one event of the sample."""

    partition: int
    offset: int
    timestamp: int


async def check_times(settings: Settings) -> list[Finding]:
    """Look at the newest records, and at what the checkpoints have counted."""
    names = settings.names
    counts = await partition_counts(settings.kafka, [names.events, names.user_checkpoints])
    if names.events not in counts or counts.get(names.user_checkpoints) != counts[names.events]:
        return []  # the check of the topics says so
    n_partitions = counts[names.events]
    n_each = max(LEAST, SAMPLE // n_partitions)
    stamps = stamps_of(await newest_records(settings.kafka, names.events, n_partitions, n_each))
    saved = await newest_checkpoints(settings, n_partitions)
    findings = [*seconds(stamps), *late(stamps, saved, settings.late_grace_s * 1000)]
    if stamps and not findings:
        findings = [Finding("event times", "ok", f"the newest {len(stamps)} events are in milliseconds and in time")]
    return findings


def stamps_of(records: Iterable[Any]) -> list[Stamp]:
    """The times of those records that have one."""
    found: list[Stamp] = []
    for record in records:
        try:
            fields = orjson.loads(record.value or b"")
        except orjson.JSONDecodeError:
            continue
        timestamp = fields.get("timestamp") if isinstance(fields, dict) else None
        if type(timestamp) is int and timestamp > 0:
            found.append(Stamp(record.partition, record.offset, timestamp))
    return found


def seconds(stamps: list[Stamp]) -> list[Finding]:
    """Whether times look like seconds, which the fold refuses."""
    wrong = [stamp for stamp in stamps if unit_of(stamp.timestamp) == "seconds"]
    if not wrong:
        return []
    example = wrong[-1]
    found = (
        f"{len(wrong)} of the newest {len(stamps)} events have a timestamp that looks like seconds, e.g. "
        f"{example.timestamp} at partition {example.partition}, offset {example.offset}: as milliseconds that is "
        f"{utc(example.timestamp)}"
    )
    advice = "Send Unix milliseconds: 1000 times as much. Events in seconds are dead letters, out_of_range."
    many = len(wrong) >= MANY_SECONDS * len(stamps)
    details = {"looks_like": "seconds", "n": len(wrong), "of": len(stamps)}
    return [Finding("event times", "wrong" if many else "note", found, advice, details)]


def late(stamps: list[Stamp], saved: Mapping[int, Saved], grace_ms: int) -> list[Finding]:
    """How many of the newest events are older than their partition's clock allows, and how many ever were."""
    known = [stamp for stamp in stamps if stamp.partition in saved and unit_of(stamp.timestamp) != "seconds"]
    behind = [saved[stamp.partition].clock_ms - stamp.timestamp for stamp in known]
    behind = [ms for ms in behind if ms > grace_ms]
    if len(known) < FEWEST or len(behind) < SOME_LATE * len(known):
        return []
    counts = [each.metrics.counts for each in saved.values()]
    n_ever, n_events = sum(c.get("late", 0) for c in counts), sum(c.get("events", 0) for c in counts)
    worst_ms = max(behind)
    found = (
        f"{len(behind)} of the newest {len(known)} events are more than {grace_ms / 60_000:g} min behind their "
        f"partition's clock, up to {worst_ms / DAY_MS:.1f} days; {n_ever} of all {n_events} folded were late"
    )
    advice = (
        "Late events count in totals, not in windows and trends. Send events in order of time; replay old logs with "
        "--isolated, or before live events; or raise FRESHET_LATE_GRACE_S for events that are late by nature."
    )
    details = {"n": len(behind), "of": len(known), "late": n_ever, "events": n_events, "worst_ms": worst_ms}
    return [
        Finding("late events", "wrong" if len(behind) >= MANY_LATE * len(known) else "note", found, advice, details)
    ]


def utc(ms: int) -> str:
    """A time for people, to the second.

    Examples
    --------
    >>> utc(1_700_000_000)
    '1970-01-20 16:13:20 UTC'
    """
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"{ms} ms"
