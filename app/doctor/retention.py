"""Check of how long events are kept: longer than checkpoints lag, and than what is to be folded anew."""

from collections.abc import Mapping
from typing import Final

from app.doctor.finding import Finding
from app.settings import Settings
from tables.names import DAY_MS

HOUR_MS: Final = 3_600_000
LONGEST_WINDOW_MS: Final = 7 * DAY_MS
MOST_OF_IT: Final = 0.5


def check_retention(
    config: Mapping[str, str], waiting_ms: Mapping[int, int], kept_ms: Mapping[int, int], settings: Settings
) -> list[Finding]:
    """Whether events leave the log before they were folded, or sooner than what a reset has to fold.

    Parameters
    ----------
    waiting_ms
        How old the first record is that is in no checkpoint, by partition, where there is one.
    kept_ms
        How old the first record of each partition is that has lost some already.
    """
    limit_ms, limit_bytes = int(config.get("retention.ms", -1)), int(config.get("retention.bytes", -1))
    topic = settings.names.events
    findings = [
        Finding(
            "retention",
            "wrong",
            f"partition {number} has an event in no checkpoint that is {span(age_ms)} old, and {topic} keeps events "
            f"for {span(limit_ms)}",
            "Add workers, or raise retention.ms now: what leaves the log before it is folded is lost.",
        )
        for number, age_ms in sorted(waiting_ms.items())
        if limit_ms >= 0 and age_ms > MOST_OF_IT * limit_ms
    ]
    again = (
        f"State knows users for {settings.max_idle_days} days, trends 7; `freshet reset` can fold what is left alone"
    )
    if 0 <= limit_ms < LONGEST_WINDOW_MS:
        found = f"{topic} keeps events for {span(limit_ms)} (retention.ms={limit_ms})"
        advice = f"{again}, and a worker that is away for longer loses events. Raise it to 7 days or more."
        findings.append(Finding("retention", "wrong" if limit_ms < HOUR_MS else "note", found, advice))
    short = {number: age_ms for number, age_ms in sorted(kept_ms.items()) if age_ms < LONGEST_WINDOW_MS}
    if limit_bytes >= 0 and short:
        shown = ", ".join(f"{number}: {span(age_ms)}" for number, age_ms in short.items())
        found = f"{topic} keeps {limit_bytes} bytes of each partition (retention.bytes), which holds, by partition: "
        findings.append(Finding("retention", "note", found + shown, f"{again}. Raise it, or set it to -1."))
    if not findings:
        kept = "for ever" if limit_ms < 0 else f"for {span(limit_ms)}"
        findings = [Finding("retention", "ok", f"{topic} keeps events {kept}; `freshet reset` folds those anew")]
    return findings


def span(ms: int) -> str:
    """A time span for people.

    Examples
    --------
    >>> span(2_592_000_000), span(5_400_000), span(90_000)
    ('30 days', '1.5 hours', '1.5 min')
    """
    for unit_ms, unit in ((DAY_MS, "days"), (HOUR_MS, "hours")):
        if ms >= unit_ms:
            return f"{ms / unit_ms:.3g} {unit}"
    return f"{ms / 60_000:.3g} min"
