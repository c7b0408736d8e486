"""What must come out: an independent fold of a partition's log, in plain Python.

It imports nothing of this project and is written from the contract alone, so that it repeats none of its mistakes. It
keeps everything, and so holds for runs whose caps (users, items, neighbours, seen items) are never reached.

- A record is an event if it meets the contract of `user_events`; anything else is a dead letter and changes nothing.
- An event whose `event_id` is among the last 32 different ones of its user is a duplicate and changes nothing.
- The clock is the third-greatest of the users' last event times, the lowest while there are fewer than three users; an
  event is late if it is older than the clock, which has seen the event, by more than an hour.
- Users and items count their events by type: in all, and, unless late, in the bucket `time // step` of each window. A
  bucket is alive while it is above `as_of // step - n`, with as_of = max(clock, event time). An event leaves buckets
  alone that are not alive. When dead buckets are forgotten is left open: compare those alive as of `horizon_ms`.
- A rating from 4 and any type but `impression`, `skip` and `dislike` is for its item; a rating to 2 and a `dislike` are
  against it. The latest by event time is the user's word, and each user counts as one person for or against. An event
  older than the word on its item changes nothing more.
- It weighs 1, a rating below 4 .5, a `dislike` nothing. Within a day of the last on its item it teaches half of what
  that taught, at most 15 times halved: it adds that to its item's weight, and that * other's weight to the pair with
  every other item of the user's history, both ways.
- The history are the last 20 different items by event time, of equals as they came, each with its latest weight. What
  is against an item takes it out; what is older than all of a full history does not enter, and teaches nothing.
"""

import json
import math
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, NoReturn

WINDOWS = {"1m": (5_000, 12), "1h": (60_000, 60), "1d": (1_800_000, 48), "7d": (10_800_000, 56)}
"""Window -> width of a bucket in ms, number of buckets alive."""

WEIGHTS = {
    "impression": 0.0,
    "view": 1.0,
    "click": 1.0,
    "add_to_cart": 1.0,
    "purchase": 1.0,
    "rating": 1.0,
    "like": 1.0,
    "dislike": 0.0,
    "skip": 0.0,
}
"""Every event type and its weight."""

STANCES = dict.fromkeys(WEIGHTS, 1) | {"impression": 0, "skip": 0, "dislike": -1}
"""Whether a type speaks for its item (1), against it (-1) or says nothing; of ratings the value decides."""

GRACE_MS, MAX_AHEAD_MS, FIRST_MS = 3_600_000, 300_000, 100_000_000_000
N_HISTORY, N_EVENT_IDS = 20, 32
POSITIVE_RATING, NEGATIVE_RATING, LOW_RATING_WEIGHT = 4, 2, 0.5
LOWEST_RATING, HIGHEST_RATING = 0.5, 5
REPEAT_MS, REPEATED_PART, MAX_REPEATS = 86_400_000, 0.5, 15
MAX_EVENT_BYTES, MAX_ID_BYTES, MAX_EVENT_ID_BYTES = 65_536, 256, 64


@dataclass(slots=True)
class Counts:
    """Events by type: in all, and by window and bucket."""

    totals: Counter[str] = field(default_factory=Counter)
    buckets: dict[str, dict[int, Counter[str]]] = field(default_factory=lambda: {window: {} for window in WINDOWS})

    def add(self, event_type: str, time_ms: int, as_of_ms: int, late: bool) -> None:
        """Count one event and forget what is no longer alive."""
        self.totals[event_type] += 1
        for window, (step_ms, n) in WINDOWS.items():
            kept, floor, bucket = self.buckets[window], as_of_ms // step_ms - n, time_ms // step_ms
            if kept and min(kept) <= floor:
                kept = self.buckets[window] = {number: found for number, found in kept.items() if number > floor}
            if not late and bucket > floor:
                kept.setdefault(bucket, Counter())[event_type] += 1

    def alive(self, as_of_ms: int) -> dict[tuple[str, str, int], int]:
        """(type, window, bucket) -> events, of the buckets alive as of a time."""
        return {
            (event_type, window, bucket): n_events
            for window, (step_ms, n) in WINDOWS.items()
            for bucket, found in self.buckets[window].items()
            if bucket > as_of_ms // step_ms - n
            for event_type, n_events in found.items()
        }


@dataclass(slots=True)
class User:
    """What is known of a user.

    `history` holds (time, item, weight), the newest last; `words` the time, the stance (1, 0, -1) and the repeats of
    what was last said of each item.
    """

    n_events: int = 0
    last_ms: int | None = None
    counts: Counts = field(default_factory=Counts)
    history: list[tuple[int, str, float]] = field(default_factory=list)
    words: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    event_ids: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Item:
    """What one partition knows of an item."""

    n_events: int = 0
    weight: float = 0.0
    n_for: int = 0
    n_against: int = 0
    counts: Counts = field(default_factory=Counts)


class Oracle:
    """The expected state of one partition after the records given so far."""

    def __init__(self) -> None:
        self.users: defaultdict[str, User] = defaultdict(User)
        self.items: defaultdict[str, Item] = defaultdict(Item)
        self.pairs: defaultdict[tuple[str, str], float] = defaultdict(float)
        self.n_records = self.n_events = self.n_duplicates = self.n_late = self.n_dead_letters = 0
        self.horizon_ms = 0  # the latest time that any event was counted as of
        self._last_times: list[int] = []  # of every user, ascending

    @property
    def clock_ms(self) -> int:
        """The partition's clock; 0 before the first event."""
        return self._last_times[-3:][0] if self._last_times else 0

    def add(self, record_ms: int, key: bytes | None, value: bytes | None) -> None:
        """Take the next record of the partition; `record_ms` is Kafka's timestamp."""
        self.n_records += 1
        event = _event(key, value, record_ms)
        if event is None:
            self.n_dead_letters += 1
            return
        user = self.users[event["user_id"]]
        event_id = event.get("event_id")
        if event_id is not None:
            if event_id in user.event_ids:
                self.n_duplicates += 1
                return
            user.event_ids = [*user.event_ids, event_id][-N_EVENT_IDS:]
        self._count(event, user)
        self._learn(event, user)

    def _count(self, event: dict[str, Any], user: User) -> None:
        item, event_type, time_ms = self.items[event["item_id"]], event["event_type"], event["timestamp"]
        self._observe(user, time_ms)
        late = time_ms < self.clock_ms - GRACE_MS
        self.n_events += 1
        self.n_late += late
        as_of_ms = max(self.clock_ms, time_ms)
        self.horizon_ms = max(self.horizon_ms, as_of_ms)
        for counted in (user, item):
            counted.n_events += 1
            counted.counts.add(event_type, time_ms, as_of_ms, late)

    def _observe(self, user: User, time_ms: int) -> None:
        if user.last_ms is not None:
            if time_ms <= user.last_ms:
                return
            del self._last_times[bisect_left(self._last_times, user.last_ms)]
        user.last_ms = time_ms
        insort(self._last_times, time_ms)

    def _learn(self, event: dict[str, Any], user: User) -> None:
        item_id, event_type, time_ms = event["item_id"], event["event_type"], event["timestamp"]
        weight, stance = WEIGHTS[event_type], STANCES[event_type]
        if event_type == "rating":
            stance = (event["value"] >= POSITIVE_RATING) - (event["value"] <= NEGATIVE_RATING)
            weight = weight if stance > 0 else LOW_RATING_WEIGHT
        elif not stance:
            return
        before_ms, before, repeats = user.words.get(item_id, (0, 0, -1))
        repeats = min(repeats + 1, MAX_REPEATS) if time_ms - before_ms < REPEAT_MS else 0
        if time_ms < before_ms:
            user.words[item_id] = before_ms, before, repeats
            return
        user.words[item_id] = time_ms, stance, repeats
        item = self.items[item_id]
        item.n_for += (stance > 0) - (before > 0)
        item.n_against += (stance < 0) - (before < 0)
        others = [entry for entry in user.history if entry[1] != item_id]
        if stance < 0:
            user.history = others
        else:
            place = sum(each_ms <= time_ms for each_ms, _, _ in others)
            if len(others) == N_HISTORY and not place:
                return
            user.history = [*others[:place], (time_ms, item_id, weight), *others[place:]][-N_HISTORY:]
        if not weight:
            return
        taught = weight * REPEATED_PART**repeats
        item.weight += taught
        for _, other, other_weight in others:
            self.pairs[item_id, other] += taught * other_weight
            self.pairs[other, item_id] += taught * other_weight


def _event(key: bytes | None, value: bytes | None, record_ms: int) -> dict[str, Any] | None:
    """The fields of an event, or None for a dead letter (the partition it lies in is not judged)."""
    if value is None or len(value) > MAX_EVENT_BYTES:
        return None
    try:
        event = json.loads(value.decode(), parse_constant=_refuse)
        valid = isinstance(event, dict) and _is_valid(event, record_ms) and key == event["user_id"].encode()
    except (ValueError, RecursionError):
        return None
    return event if valid else None


def _is_valid(event: dict[str, Any], record_ms: int) -> bool:
    time_ms, number, event_type = event.get("timestamp"), event.get("value"), event.get("event_type")
    event_id, context = event.get("event_id"), event.get("context")
    return (
        _is_text(event.get("user_id"), MAX_ID_BYTES)
        and _is_text(event.get("item_id"), MAX_ID_BYTES)
        and not any(_steers(character) for character in event["user_id"] + event["item_id"])
        and isinstance(event_type, str)
        and event_type in WEIGHTS
        and type(time_ms) is int
        and FIRST_MS <= time_ms <= record_ms + MAX_AHEAD_MS
        and (number is not None or event_type != "rating")
        and (number is None or (type(number) in (int, float) and math.isfinite(number)))
        and (event_type != "rating" or LOWEST_RATING <= float(number or 0) <= HIGHEST_RATING)
        and (event_id is None or _is_text(event_id, MAX_EVENT_ID_BYTES))
        and (context is None or (isinstance(context, dict) and not any(map(_is_nested, context.values()))))
    )


def _is_text(found: object, max_bytes: int) -> bool:
    return isinstance(found, str) and 0 < len(found.encode()) <= max_bytes


def _steers(character: str) -> bool:
    return character in "{}" or character <= "\x1f" or "\x7f" <= character <= "\x9f"


def _is_nested(found: object) -> bool:
    return isinstance(found, dict | list)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
