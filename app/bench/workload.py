"""A log of events as shops have them, made from a seed: skewed, repeated, late, out of order, in part malformed."""

import json
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import NamedTuple

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
START_MS = 1_700_000_000_000
YEAR_2100_MS = 4_102_444_800_000

TYPES = {
    "view": 30,
    "impression": 24,
    "click": 15,
    "rating": 12,
    "add_to_cart": 6,
    "like": 5,
    "purchase": 3,
    "skip": 3,
    "dislike": 2,
}
"""Event type -> share in percent."""

MALFORMED = (
    "not_json",
    "not_object",
    "missing_field",
    "bad_type",
    "unknown_event_type",
    "out_of_range",
    "future_timestamp",
    "rating_without_value",
    "wrong_key",
)


class Sent(NamedTuple):
    """One record as it is sent."""

    key: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Workload:
    """What the log looks like; shares are of all records.

    Parameters
    ----------
    span_ms
        Event time from the first record to the last: long enough for buckets of all windows to die.
    duplicates
        Records sent once more, up to some thousand records later: some of them too late to be noticed.
    out_of_order
        Events up to 10 minutes older than their place in the log.
    ahead
        Events up to 20 minutes ahead of it.
    late
        Events 90 minutes to three days older: beyond the grace.
    """

    n_records: int
    seed: int = 0
    n_items: int = 400
    records_per_user: int = 100
    span_ms: int = 9 * DAY_MS
    duplicates: float = 0.02
    out_of_order: float = 0.03
    ahead: float = 0.001
    late: float = 0.003
    malformed: float = 0.005
    without_event_id: float = 0.1

    def records(self) -> Iterator[Sent]:
        """The log: equal settings give equal bytes."""
        random = Random(self.seed)
        users = _Zipf(max(20, self.n_records // self.records_per_user), 1.0)
        items = _Zipf(self.n_items, 0.8)
        types, shares = list(TYPES), list(accumulate(TYPES.values()))
        recent: list[Sent] = []
        for number in range(self.n_records):
            if recent and random.random() < self.duplicates:
                yield random.choice(recent[-random.choice((20, 200, 3000)) :])
                continue
            user, item = users.draw(random), items.draw(random)
            event: dict[str, object] = {
                "user_id": f"u{user}",
                "item_id": f"ítem {item}" if item % 20 == 7 else f"i{item}",
                "event_type": types[bisect(shares, random.randrange(shares[-1]))],
                "timestamp": START_MS + number * self.span_ms // self.n_records + self._shift_ms(random),
            }
            if event["event_type"] == "rating":
                event["value"] = random.randint(1, 10) / 2
            if random.random() >= self.without_event_id:
                event["event_id"] = f"e{number}"
            if random.random() < 0.1:
                event["context"] = {"device": random.choice(("phone", "tablet", "desktop")), "unknown": None}
            sent = _sent(event)
            if random.random() < self.malformed:
                sent = _malformed(event, random.choice(MALFORMED))
            recent.append(sent)
            del recent[:-3000]
            yield sent

    def _shift_ms(self, random: Random) -> int:
        chance = random.random()
        if chance < self.late:
            return -random.randint(90 * MINUTE_MS, 3 * DAY_MS)
        if chance < self.late + self.ahead:
            return random.randint(0, 20 * MINUTE_MS)
        if chance < self.late + self.ahead + self.out_of_order:
            return -random.randint(0, 10 * MINUTE_MS)
        return 0


class _Zipf:
    """Numbers below n, number k as often as (k + 1) ** -exponent says."""

    def __init__(self, n: int, exponent: float) -> None:
        self._sums = list(accumulate((k + 1) ** -exponent for k in range(n)))

    def draw(self, random: Random) -> int:
        return min(bisect(self._sums, random.random() * self._sums[-1]), len(self._sums) - 1)


def _sent(event: dict[str, object]) -> Sent:
    return Sent(str(event["user_id"]).encode(), json.dumps(event, ensure_ascii=False).encode())


def _malformed(event: dict[str, object], how: str) -> Sent:
    key, value = _sent(event)
    if how == "not_json":
        return Sent(key, value[: len(value) // 2])
    if how == "not_object":
        return Sent(key, b"[" + value + b"]")
    if how == "wrong_key":
        return Sent(key + b"x", value)
    if how == "missing_field":
        del event["item_id"]
    elif how == "rating_without_value":
        event |= {"event_type": "rating", "value": None}
    else:
        wrong: dict[str, dict[str, object]] = {
            "bad_type": {"timestamp": str(event["timestamp"])},
            "unknown_event_type": {"event_type": "glance"},
            "out_of_range": {"item_id": "{i1}"},
            "future_timestamp": {"timestamp": YEAR_2100_MS},
        }
        event |= wrong[how]
    return Sent(key, _sent(event).value)
