"""Checks of the workers: are they there, and do they get on."""

import asyncio
from collections.abc import Mapping

from app.broker import Broker
from app.doctor.finding import Finding
from app.doctor.samples import first_records
from app.kafka import partition_counts
from app.kafka_admin import committed_offsets, describe_group, log_ranges
from app.settings import Settings

Ranges = Mapping[int, tuple[int, int]]


async def check_group(settings: Settings) -> list[Finding]:
    """The consumer group, and each partition's lag: what is not yet in a checkpoint."""
    names = settings.names
    counts = await partition_counts(settings.kafka, [names.events])
    if names.events not in counts:
        return []
    n_partitions = counts[names.events]
    group = await describe_group(settings.kafka, names.group)
    findings = [check_members(names.group, group.state, len(group.members), n_partitions)]
    before = await committed_offsets(settings.kafka, names.group, names.events, n_partitions)
    ranges = await log_ranges(settings.kafka, names.events, n_partitions)
    behind = {number: before.get(number, ranges[number][0]) for number, lag in lags(before, ranges).items() if lag > 0}
    done = await without_records(settings.kafka, names.events, behind)
    before |= {number: ranges[number][1] for number in done}  # the end of a transaction is an offset without a record
    after = before
    if group.members and behind.keys() - done:
        await asyncio.sleep(1.0 + 2 * settings.checkpoint_s)
        after = before | await committed_offsets(settings.kafka, names.group, names.events, n_partitions)
        after |= {number: ranges[number][1] for number in done}
    return findings + check_lags(before, after, ranges, has_workers=bool(group.members))


async def without_records(broker: Broker, topic: str, offsets: Mapping[int, int]) -> set[int]:
    """Partitions with no record to be folded from these offsets on, just marks and what transactions took back."""
    return offsets.keys() - (await first_records(broker, topic, offsets)).keys()


def check_members(group: str, state: str, n_members: int, n_partitions: int) -> Finding:
    """Somebody folds."""
    if not n_members:
        return Finding(
            "workers", "wrong", f"nobody is in the group {group}: no event is folded", "Run `freshet worker`."
        )
    found = f"{n_members} in the group {group}, {state}"
    if state != "Stable":
        return Finding("workers", "note", found, "Partitions are being handed over; look again in a few seconds.")
    if n_members > n_partitions:
        return Finding("workers", "note", found, f"There are {n_partitions} partitions: the others stand by.")
    return Finding("workers", "ok", found)


def lags(committed: Mapping[int, int], ranges: Ranges) -> dict[int, int]:
    """Records of each partition that are in no checkpoint."""
    return {number: end - committed.get(number, start) for number, (start, end) in sorted(ranges.items())}


def check_lags(
    before: Mapping[int, int], after: Mapping[int, int], ranges: Ranges, *, has_workers: bool
) -> list[Finding]:
    """Every partition's saved offset lies in its log, and moves while there is lag."""
    findings: list[Finding] = []
    for number, (start, end) in sorted(ranges.items()):
        saved = before.get(number)
        if saved is not None and saved > end:
            findings.append(
                Finding(
                    "lag",
                    "wrong",
                    f"partition {number} was folded up to offset {saved}, its log ends at {end}",
                    "The topic was made anew. Stop the workers, run `freshet reset`, start them again.",
                )
            )
        elif saved is not None and saved < start:
            findings.append(
                Finding(
                    "lag",
                    "wrong",
                    f"partition {number} was folded up to offset {saved}, its log begins at {start}",
                    "Events have left the log before they were folded: raise its retention.ms, add workers.",
                )
            )
        elif has_workers and end > (start if saved is None else saved) and after.get(number) == saved:
            findings.append(
                Finding(
                    "lag",
                    "wrong",
                    f"partition {number} has lag {end - (start if saved is None else saved)} and has not moved",
                    "Look into the log of its worker. A restart is always safe.",
                )
            )
    behind = lags(after, ranges)
    shown = ", ".join(f"{number}: {lag}" for number, lag in behind.items())
    return [
        *findings,
        Finding("lag", "ok" if not findings else "note", f"records in no checkpoint, by partition: {shown}"),
    ]
