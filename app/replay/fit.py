"""Records as Kafka takes them."""

from app.replay.records import LogRecord

MAX_VALUE_BYTES = 1_000_000  # below the 1 MiB that a topic takes, and far above what an event may have
MAX_KEY_BYTES = 1000


def fit(record: LogRecord) -> LogRecord:
    """The record itself, or its beginning if no topic would take it: a dead letter, `too_large`, either way."""
    if len(record.value) <= MAX_VALUE_BYTES and len(record.key) <= MAX_KEY_BYTES:
        return record
    return LogRecord(record.key[:MAX_KEY_BYTES], record.value[:MAX_VALUE_BYTES], record.timestamp_ms)
