"""Event logs for tests, made from numbers: as good from a seed as from hypothesis, which can shrink them."""

import random
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

import orjson

from models.event_types import DEFAULT_TYPES

START_MS = 1_700_000_000_000
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
REPLAY_MS = START_MS + 4_000 * DAY_MS  # every record's own time: the log is replayed much later
SPAN = 2**62

TYPES = (*DEFAULT_TYPES, "rating", "view", "click")  # some more often
STEPS_MS = (0, 0, 0, 1_000, 4_999, 5_000, MINUTE_MS, 30 * MINUTE_MS, 7 * HOUR_MS)
LAGS_MS = (0, 0, 0, 0, 0, 1, 5_000, 10 * MINUTE_MS, HOUR_MS, HOUR_MS + 1, 30 * HOUR_MS, 9 * DAY_MS, -MINUTE_MS)
MALFORMED = (
    None,
    b"",
    b"\xff{",
    b"[1]",
    b'{"user_id": "u1"}',
    b'{"user_id": "u1", "item_id": 7.5, "event_type": "view", "timestamp": 1}',
    b'{"user_id": "u1", "item_id": "i{1}", "event_type": "view", "timestamp": 1}',
    b'{"user_id": "u1", "item_id": "i1", "event_type": "stare", "timestamp": 1}',
    b'{"user_id": "u1", "item_id": "i1", "event_type": "view", "timestamp": %d}' % (REPLAY_MS + HOUR_MS),
    b'{"user_id": "u2", "item_id": "i1", "event_type": "view", "timestamp": %d}' % START_MS,
    b'{"user_id": "u1", "x": "%s"}' % (b"x" * 65_536),
)
"""What comes under the key `u1` and is no valid event; every reason but `wrong_partition` is among them."""


class Record(NamedTuple):
    """One record of `user_events`."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


def record(
    offset: int, user_id: str, item_id: str, event_type: str = "view", at_ms: int = START_MS, **more: object
) -> Record:
    """The record of one valid event."""
    fields = {"user_id": user_id, "item_id": item_id, "event_type": event_type, "timestamp": at_ms, **more}
    return Record(offset, REPLAY_MS, user_id.encode(), orjson.dumps(fields))


def log_of(numbers: Iterable[int], n_users: int = 7, n_items: int = 40) -> list[Record]:
    """A log with one record per number (0 to `SPAN` - 1).

    Low items are the popular ones. Among the records are repeated event ids, equal, out-of-order, late and early times,
    idle hours, ids of 256 bytes, and one in twelve is malformed.
    """
    records: list[Record] = []
    now_ms = START_MS
    for offset, number in enumerate(numbers):
        digits = _Digits(number)
        if digits.take(12) == 11:
            value = MALFORMED[digits.take(len(MALFORMED))]
            records.append(Record(offset, REPLAY_MS, b"u1", value))
            continue
        event_id = max(0, digits.take(20) - 4)  # mostly one of fifteen, so that some repeat
        user, item = digits.take(n_users), min(digits.take(n_items), digits.take(n_items))
        now_ms += STEPS_MS[digits.take(len(STEPS_MS))]
        at_ms = now_ms - LAGS_MS[digits.take(len(LAGS_MS))] + (DAY_MS if digits.take(100) == 99 else 0)
        event_type = TYPES[digits.take(len(TYPES))]
        more: dict[str, object] = {"value": max(0.5, digits.take(11) / 2)} if event_type == "rating" else {}
        if event_id:
            more["event_id"] = f"e{event_id}"
        records.append(record(offset, user_name(user), item_name(item), event_type, at_ms, **more))
    return records


def made_log(seed: int, n: int, n_users: int = 7, n_items: int = 40) -> list[Record]:
    """A log of `n` records, always the same for a seed."""
    rng = random.Random(seed)
    return log_of((rng.randrange(SPAN) for _ in range(n)), n_users, n_items)


def user_name(number: int) -> str:
    """`u0`, `u1` ...; the third is as long as ids may be."""
    return "ü" * 128 if number == 3 else f"u{number}"


def item_name(number: int) -> str:
    """`i0`, `i1` ...; the third is as long as ids may be."""
    return "語" * 85 + "x" if number == 3 else f"i{number}"


def log_sha256(records: Iterable[Record]) -> str:
    """Of keys and values, as sent."""
    sums = sha256()
    for each in records:
        sums.update(repr((each.key, each.value)).encode())
    return sums.hexdigest()


class _Digits:
    """The digits of a number, each in the base it is asked for."""

    def __init__(self, number: int) -> None:
        self.number = number

    def take(self, base: int) -> int:
        self.number, digit = divmod(self.number, base)
        return digit
