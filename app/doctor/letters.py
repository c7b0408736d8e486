"""Checks of the dead letters: above all, do the producers place users as we do."""

import time
from collections import Counter

from app.dead_letters import DeadLetter, read_dead_letters
from app.doctor.finding import Finding
from app.kafka import partition_counts
from app.settings import Settings

RECENT_S = 3600
WRONG_PARTITION = "wrong_partition"


async def check_dead_letters(settings: Settings) -> list[Finding]:
    """What lies in the topic, and what to do about users in two places."""
    reasons: Counter[str] = Counter()
    newest_ms = 0

    def count(letter: DeadLetter) -> None:
        nonlocal newest_ms
        reasons[letter.reason] += 1
        if letter.reason == WRONG_PARTITION:
            newest_ms = max(newest_ms, letter.sent_ms)

    topic = settings.names.dead_letters
    if topic not in await partition_counts(settings.kafka, [topic]):
        return []  # the check of the topics says so
    await read_dead_letters(settings.kafka, topic, count)
    return findings_of(reasons, time.time() - newest_ms / 1000, settings.partitioner)


def findings_of(reasons: Counter[str], newest_age_s: float, partitioner: str) -> list[Finding]:
    """What the counts by reason say.

    Parameters
    ----------
    newest_age_s
        Since the newest dead letter with reason `wrong_partition`.
    """
    if not reasons:
        return [Finding("bad events", "ok", "none")]
    counts = ", ".join(f"{reason} {n}" for reason, n in sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0])))
    findings = [Finding("bad events", "note", counts, "`freshet dead-letters list` shows them.")]
    n = reasons[WRONG_PARTITION]
    if n:
        recent = newest_age_s < RECENT_S
        findings.append(
            Finding(
                "partitioner",
                "wrong" if recent else "note",
                f"{n} events lay on another partition than {partitioner} says, newest {newest_age_s / 60:.0f} min ago",
                explanation(partitioner) if recent else "None in the last hour: it seems to be mended.",
            )
        )
    return findings


def explanation(partitioner: str) -> str:
    """What to do when producers and workers place users differently."""
    if partitioner == "murmur2":
        return (
            "A user in two partitions would be two people. Producers on librdkafka place by CRC-32 unless told "
            "otherwise: set partitioner=murmur2_random there. Or, if all your producers do so, set "
            "FRESHET_PARTITIONER=crc32 here and run `freshet reset`."
        )
    return (
        "A user in two partitions would be two people. FRESHET_PARTITIONER is crc32, but some producers place by "
        "murmur2, as the Java client and aiokafka do: set partitioner=consistent_random there. Or set "
        "FRESHET_PARTITIONER=murmur2 here and run `freshet reset`."
    )
