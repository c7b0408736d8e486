"""Checks of the dead letters: above all, do the producers place users as we do."""

import time
from collections import Counter, deque
from collections.abc import Iterable, Set

from app.dead_letters import DeadLetter, read_dead_letters
from app.doctor.finding import Finding
from app.kafka import partition_counts
from app.settings import Settings
from models.partitioner import partition_of
from models.placement import diagnose

RECENT_S = 3600
MAX_KEYS = 10_000  # the newest ones, of misplaced users
WRONG_PARTITION = "wrong_partition"


async def check_dead_letters(settings: Settings) -> list[Finding]:
    """What lies in the topic, and what to do about users in two places."""
    names = settings.names
    reasons: Counter[str] = Counter()
    newest_ms = 0
    placed: deque[tuple[bytes, int]] = deque(maxlen=MAX_KEYS)

    def count(letter: DeadLetter) -> None:
        nonlocal newest_ms
        reasons[letter.reason] += 1
        if letter.reason == WRONG_PARTITION:
            newest_ms = max(newest_ms, letter.sent_ms)
            if letter.topic == names.events and letter.key and letter.key_bytes is None:  # a whole key
                placed.append((letter.key, letter.partition))

    counts = await partition_counts(settings.kafka, [names.dead_letters, names.events])
    if len(counts) < 2:
        return []  # the check of the topics says so
    await read_dead_letters(settings.kafka, names.dead_letters, count)
    age_s = time.time() - newest_ms / 1000
    return findings_of(reasons, age_s, settings.partitioner, placed, counts[names.events])


def findings_of(
    reasons: Counter[str], newest_age_s: float, partitioner: str, placed: Iterable[tuple[bytes, int]], n_partitions: int
) -> list[Finding]:
    """What the counts by reason say.

    Parameters
    ----------
    newest_age_s
        Since the newest dead letter with reason `wrong_partition`.
    placed
        Keys of such letters, each with the partition of the events where it lay.
    n_partitions
        Of the events.
    """
    if not reasons:
        return [Finding("bad events", "ok", "none")]
    counts = ", ".join(f"{reason} {n}" for reason, n in sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0])))
    findings = [Finding("bad events", "note", counts, "`freshet dead-letters list` shows them.")]
    if n := reasons[WRONG_PARTITION]:
        findings.append(_misplaced(n, newest_age_s, partitioner, set(placed), n_partitions))
    return findings


def _misplaced(
    n: int, newest_age_s: float, partitioner: str, placed: Set[tuple[bytes, int]], n_partitions: int
) -> Finding:
    """Users in two places: who puts them there, and what to set."""
    age = f"newest {newest_age_s / 60:.0f} min ago"
    found = f"{n} events lay on another partition than {partitioner} says, {age}"
    elsewhere = {
        (key, partition) for key, partition in placed if partition_of(key, n_partitions, partitioner) != partition
    }
    if placed and not elsewhere:
        found = f"{n} events became dead letters `{WRONG_PARTITION}`, {age}, but lie where {partitioner} says"
        return Finding("partitioner", "note", found, "FRESHET_PARTITIONER was another one then: it is mended.")
    said = diagnose(elsewhere, n_partitions, partitioner)
    if newest_age_s >= RECENT_S:
        return Finding("partitioner", "note", f"{found}; {said.found}", "None in the last hour: it seems to be mended.")
    return Finding(
        "partitioner", "wrong", f"{found}; {said.found}", f"A user in two partitions would be two people. {said.advice}"
    )
