"""What of a log was refused, by reason, with the first record of each."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson

from models.errors import InvalidEvent
from models.events import shown

RECORD_CHARS = 200
MAX_FIELDS = 40


class Refusals:
    """Refused records: how many by reason, and what was wrong with the first of each.

    Attributes
    ----------
    counts
        Reason -> records.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._first: dict[str, tuple[int, bytes, InvalidEvent]] = {}

    def take(self, number: int, raw: bytes, invalid: InvalidEvent) -> None:
        """Count a record, `number` in its file, with the bytes that it was made of."""
        self.counts[invalid.reason] += 1
        if invalid.reason not in self._first:
            self._first[invalid.reason] = (number, raw, invalid)

    @property
    def first(self) -> str:
        """What was wrong with the first of all; empty if there is none."""
        for number, _, invalid in self._first.values():
            return f"row {number}: {invalid.reason}: {invalid.message}"
        return ""

    def lines(self) -> Iterator[str]:
        """One line for each reason, the most frequent first: its count, the first record and the message."""
        for reason, n in self.counts.most_common():
            number, raw, invalid = self._first[reason]
            fields = _fields(raw) if reason == "missing_field" else ""
            record = shown(raw.decode("utf-8", "backslashreplace"), RECORD_CHARS)
            yield f"{reason}: {n:,}, the first is record {number}, {record}: {invalid.message}{fields}"


def object_of(raw: bytes) -> dict[str, Any] | None:
    """The object that a record is as JSON; None if it is none."""
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _fields(raw: bytes) -> str:
    """The sentence that names the fields that there are; empty where the record is no object."""
    fields = object_of(raw)
    if fields is None:
        return ""
    names = list(fields)[:MAX_FIELDS]
    more = " ..." if len(fields) > MAX_FIELDS else ""
    return f" The record has {', '.join(map(repr, names))}{more}." if names else " The record has no field."
