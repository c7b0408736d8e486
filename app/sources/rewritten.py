"""Headers by which a record that was a dead letter says what it was in the topic that it lay in first."""

from collections.abc import Sequence

from app.sources.source import SourceRecord

SOURCE_TOPIC, SOURCE_TIME = "source_topic", "source_timestamp_ms"
"""The topic of theirs that it lay in first, and its time there."""
SOURCE_HEADER = "source."
"""Stands before the name of each header that it had there."""

Header = tuple[str, bytes | None]


def rewritten_headers(topic: str, time_ms: int, theirs: Sequence[Header]) -> list[Header]:
    """What a record has to say to be read as it was; `theirs` have their prefix."""
    return [(SOURCE_TOPIC, topic.encode()), (SOURCE_TIME, str(time_ms).encode()), *theirs]


def as_first_written(
    topic: str, key: bytes | None, value: bytes | None, headers: Sequence[Header], timestamp_ms: int
) -> SourceRecord:
    """A record as it lay in their topic, by what its headers say of that."""
    said = dict(headers)
    theirs = [(name.removeprefix(SOURCE_HEADER), given) for name, given in headers if name.startswith(SOURCE_HEADER)]
    first, time = said.get(SOURCE_TOPIC), said.get(SOURCE_TIME) or b""
    return SourceRecord(
        topic if first is None else first.decode("utf-8", "backslashreplace"),
        key,
        value,
        theirs,
        int(time) if time.isdigit() else timestamp_ms,
    )
