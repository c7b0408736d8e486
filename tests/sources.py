"""Records of other people's topics, as a source gets them."""

import asyncio
from collections.abc import Sequence

import orjson

from app.sources import SourceRecord, SourceSettings, make_source
from models.errors import InvalidEvent

RECORD_MS = 1_764_500_000_000
"""When the records were written: in 2025."""


def record(
    value: object, key: bytes | None = None, headers: Sequence[tuple[str, bytes | None]] = (), topic: str = "clicks"
) -> SourceRecord:
    """A record; bytes and None as they are, anything else as JSON."""
    raw = value if value is None or isinstance(value, bytes) else orjson.dumps(value)
    return SourceRecord(topic, key, raw, headers, RECORD_MS)


def settings(**given: object) -> SourceSettings:
    """Settings of a source, as from TOML."""
    return SourceSettings.model_validate(given)


def events(given: SourceSettings, *records: SourceRecord) -> list[dict[str, object]]:
    """The events that a source makes of records; each record's key is its user's."""
    source = make_source(given)
    asyncio.run(source.prepare(records))
    made = [event for each in records for event in source.read(each)]
    fields = [orjson.loads(event.value or b"") for event in made]
    assert [event.key.decode() for event in made] == [each["user_id"] for each in fields]
    return fields


def refusal(given: SourceSettings, value: SourceRecord) -> InvalidEvent:
    """What a source says of a record that it refuses."""
    try:
        made = events(given, value)
    except InvalidEvent as invalid:
        return invalid
    raise AssertionError(f"the record was taken: {made}")
