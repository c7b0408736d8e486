"""Check of the dead letters: what was refused, why, since when, and what to send or to set instead.

Events on a wrong partition have a check of their own, `letters`: there the producers' setting is at fault.
"""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import orjson

from app.dead_letters import DeadLetter, read_dead_letters
from app.doctor.finding import Finding
from app.doctor.times import utc
from app.doctor.units import unit_of
from app.kafka import partition_counts
from app.settings import Settings
from models.event_types import DEFAULT_TYPES

RECENT_S: Final = 3600
EXAMPLE_CHARS: Final = 300
MAX_KINDS: Final = 1000
ELSEWHERE: Final = "wrong_partition"

_ADVICE: Final = {
    "not_json": "Send one JSON object per record, in UTF-8, without bytes of a serializer in front.",
    "not_object": "Send one JSON object per record.",
    "missing_field": "Send user_id, item_id, event_type and timestamp, and a value with each rating.",
    "bad_type": "Send user_id, item_id and event_type as text, timestamp as an integer.",
    "out_of_range": "Send what the example says is allowed.",
    "unknown_event_type": "Declare the type in FRESHET_EXTRA_EVENT_TYPES, or send one of ours.",
    "future_timestamp": "Set the producers' clocks, or send Unix milliseconds.",
    "too_large": "Send less with each event.",
    "wrong_key": "Send the user_id, in UTF-8, as the record's key.",
}
_THEN: Final = "Then `freshet dead-letters redrive` folds those that are valid events by then."


@dataclass(slots=True)
class Kind:
    """The letters of one reason."""

    n: int = 0
    first_ms: int = 0
    newest_ms: int = 0
    example: str = ""
    hints: Counter[str] = field(default_factory=Counter)

    def take(self, letter: DeadLetter) -> None:
        """Count one."""
        self.n += 1
        self.first_ms = min(self.first_ms or letter.sent_ms, letter.sent_ms)
        if letter.sent_ms >= self.newest_ms:
            self.newest_ms = letter.sent_ms
            where = f"{letter.topic}, partition {letter.partition}, offset {letter.offset}"
            self.example = f"{letter.message[:EXAMPLE_CHARS]} ({where})"
        hint = hint_of(letter)
        if hint is not None and (hint in self.hints or len(self.hints) < MAX_KINDS):
            self.hints[hint] += 1


async def check_bad_events(settings: Settings) -> list[Finding]:
    """What was refused for any reason but its partition, without what was re-driven."""
    kinds: dict[str, Kind] = {}

    def take(letter: DeadLetter) -> None:
        kinds.setdefault(letter.reason, Kind()).take(letter)

    topic = settings.names.dead_letters
    if topic not in await partition_counts(settings.kafka, [topic]):
        return []  # the check of the topics says so
    await read_dead_letters(settings.kafka, topic, take)
    return findings_of_kinds(kinds, time.time())


def findings_of_kinds(kinds: Mapping[str, Kind], now_s: float) -> list[Finding]:
    """One finding per reason, the most frequent first; wrong if the newest is of the last hour."""
    ordered = sorted(kinds.items(), key=lambda item: (-item[1].n, item[0]))
    return [_finding(reason, kind, now_s) for reason, kind in ordered if reason != ELSEWHERE]


def _finding(reason: str, kind: Kind, now_s: float) -> Finding:
    age_s = max(0.0, now_s - kind.newest_ms / 1000)
    recent = age_s < RECENT_S
    found = (
        f"{kind.n} refused as {reason}, first {utc(kind.first_ms)}, newest {utc(kind.newest_ms)}"
        f"{'' if recent else ', none in the last hour'}; the newest: {kind.example}"
    )
    details = {
        "reason": reason,
        "n": kind.n,
        "first_ms": kind.first_ms,
        "newest_ms": kind.newest_ms,
        "example": kind.example,
    }
    return Finding("bad events", "wrong" if recent else "note", found, advice_for(reason, kind.hints), details)


def advice_for(reason: str, hints: Mapping[str, int]) -> str:
    """What to do about a reason, with what the letters themselves let one guess."""
    parts = []
    if reason == "unknown_event_type" and hints:
        parts.append(_types(hints))
    elif hints:
        hint, n = max(hints.items(), key=lambda item: (item[1], item[0]))
        parts.append(f"{n} of them: {hint}")
    parts += [_ADVICE.get(reason, "`freshet dead-letters list` shows them."), _THEN]
    return " ".join(parts)


def hint_of(letter: DeadLetter) -> str | None:
    """What the bytes of one letter let one guess; for an unknown event type that type."""
    value = letter.value or b""
    if letter.reason == "not_json" and value[:1] == b"\0" and value[5:6] == b"{":
        return "five bytes of a schema registry's serializer stand in front of the JSON."
    try:
        fields = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(fields, dict):
        return None
    if letter.reason == "unknown_event_type":
        found = fields.get("event_type")
        return found[:80] if isinstance(found, str) else None
    stamp = fields.get("timestamp")
    if letter.reason in ("future_timestamp", "out_of_range") and type(stamp) is int:
        unit = unit_of(stamp)
        return f"the timestamp looks like {unit}." if unit not in (None, "milliseconds") else None
    return None


def _types(types: Mapping[str, int]) -> str:
    most = sorted(types.items(), key=lambda item: (-item[1], item[0]))[:5]
    shown = ", ".join(f"{name!r} {n}" for name, n in most)
    said = [f"Types: {shown}."]
    ours = {name: name.lower() for name, _ in most if name.lower() in DEFAULT_TYPES}
    if ours:
        said.append("Ours are in lower case: " + ", ".join(sorted(ours.values())) + ".")
    unknown = {name: [1.0, 1] for name, _ in most if name not in ours}
    if unknown:
        setting = orjson.dumps(unknown).decode()
        said.append(f"To take them as they are, with weight 1 and positive: FRESHET_EXTRA_EVENT_TYPES='{setting}'.")
    return " ".join(said)
