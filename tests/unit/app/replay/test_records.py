import hashlib

import pytest

from app.replay.records import LogHash, LogRecord, event_record, log_sha256, usable_timestamp


def test_log_hash_covers_keys_and_values_behind_their_lengths() -> None:
    """The sum is that of 4-byte big-endian lengths and bytes, key before value, record after record."""
    records = [LogRecord(b"u1", b"abc", 1), LogRecord(b"", b"x", None)]
    sent = b"\0\0\0\x02u1\0\0\0\x03abc" + b"\0\0\0\0\0\0\0\x01x"
    assert log_sha256(records) == hashlib.sha256(sent).hexdigest()


def test_log_hash_tells_where_a_key_ends() -> None:
    """Bytes moved from the value into the key change the sum."""
    assert log_sha256([LogRecord(b"ab", b"c", 1)]) != log_sha256([LogRecord(b"a", b"bc", 1)])


def test_log_hash_can_be_asked_on_the_way() -> None:
    """Asking for the sum does not disturb it."""
    log_hash = LogHash()
    log_hash.add(LogRecord(b"u", b"1", 1))
    first = log_hash.hexdigest()
    log_hash.add(LogRecord(b"u", b"2", 1))
    assert log_hash.hexdigest() != first
    assert log_hash.hexdigest() == log_sha256([LogRecord(b"u", b"1", 1), LogRecord(b"u", b"2", 1)])


def test_a_record_is_keyed_by_its_user_in_utf8() -> None:
    """The key is the user_id in UTF-8, the value compact JSON."""
    assert event_record({"user_id": "zoë", "timestamp": 1_700_000_000_005}) == LogRecord(
        "zoë".encode(), '{"user_id":"zoë","timestamp":1700000000005}'.encode(), 1_700_000_000_005
    )


@pytest.mark.parametrize("timestamp", [None, True, 0, -1, 1.5, "12", 1_700_000_000, 10**11 - 1, 1.7e12])
def test_pacing_goes_only_by_milliseconds(timestamp: object) -> None:
    """What is no event time is not waited for."""
    assert usable_timestamp(timestamp) is None
