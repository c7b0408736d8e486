"""How well settings fit a sample: what is parsed, which partitioner the keys follow, how far from the order of time."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import orjson

from app.sniff.sample import Sample
from app.sources import Source, SourceSettings
from models.errors import InvalidEvent
from models.partitioner import CLIENTS, PARTITIONERS, fitting

EXAMPLES: Final = 3
LEAST_KEYS: Final = 10


@dataclass(slots=True)
class Verdict:
    """What a source makes of a sample.

    Parameters
    ----------
    n_records, n_parsed, n_left_out
        Records in all, those that gave events, and those that the settings leave out; the others are refused.
    events
        Every event, in each partition's order.
    refused
        Reason and message -> how many.
    """

    settings: SourceSettings
    n_records: int = 0
    n_parsed: int = 0
    n_left_out: int = 0
    n_keyed_by_user: int = 0
    events: list[list[dict[str, Any]]] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    first_refused: str = ""

    @property
    def examples(self) -> list[dict[str, Any]]:
        """The first events."""
        return [event for events in self.events for event in events][:EXAMPLES]

    @property
    def n_events(self) -> int:
        """Events in all."""
        return sum(map(len, self.events))

    @property
    def rank(self) -> tuple[int, int]:
        """What makes one verdict better than another: records that gave events, then such as were not refused."""
        return self.n_parsed, self.n_left_out


def judge(source: Source, settings: SourceSettings, sample: Sample) -> Verdict:
    """Read the sample."""
    verdict = Verdict(settings)
    if sample.bad_rows:
        verdict.n_records = verdict.refused["bad_type"] = len(sample.bad_rows)
        verdict.first_refused = f"bad_type: {sample.bad_rows[0]}"
    for records in sample.partitions:
        made: list[dict[str, Any]] = []
        for record in records:
            verdict.n_records += 1
            try:
                events = source.read(record)
            except InvalidEvent as invalid:
                verdict.refused[invalid.reason] += 1
                verdict.first_refused = verdict.first_refused or f"{invalid.reason}: {invalid.message}"
                continue
            verdict.n_parsed += bool(events)
            verdict.n_left_out += not events
            verdict.n_keyed_by_user += bool(events) and all(event.key == record.key for event in events)
            made += [orjson.loads(event.value or b"{}") for event in events]
        verdict.events.append(made)
    return verdict


class Placing(NamedTuple):
    """Which partitioners fit all keys, and the sentence to say."""

    names: list[str]
    said: str


def placing(sample: Sample) -> Placing:
    """What places the keys of a topic."""
    n = len(sample.partitions)
    places: defaultdict[bytes, set[int]] = defaultdict(set)
    for number, records in enumerate(sample.partitions):
        for record in records:
            if record.key is not None:
                places[record.key].add(number)
    if not sample.is_topic:
        return Placing([], "a file has no partitions.")
    if not places:
        return Placing([], "the records have no keys: the intake keys them by user.")
    if n == 1:
        return Placing(list(PARTITIONERS), "one partition holds all keys: any partitioner fits.")
    if len(places) < LEAST_KEYS:
        return Placing([], f"{len(places)} different keys are too few to tell: {LEAST_KEYS} are needed.")
    fits = fitting(((key, place) for key, ps in places.items() for place in ps), n)
    if fits:
        whose = "; ".join(f"{name} ({', '.join(CLIENTS.get(name, ()))})" for name in fits)
        return Placing(fits, f"all {len(places):,} keys fit {whose}.")
    scattered = sum(len(ps) > 1 for ps in places.values())
    if scattered:
        return Placing(
            [],
            f"no function of the key: {scattered:,} of {len(places):,} keys lie on several partitions, as by "
            "kafka-go's default round robin. Set a Balancer there, or read the topic through the intake.",
        )
    shares = {name: _share(places, name, n) for name in PARTITIONERS}
    best = max(shares, key=lambda name: shares[name])
    return Placing(
        [],
        f"each key lies on one partition, but by no formula that is known (the nearest, {best}, fits "
        f"{shares[best]:.0%}): read the topic through the intake.",
    )


def _share(places: dict[bytes, set[int]], name: str, n: int) -> float:
    return sum(ps == {PARTITIONERS[name](key) % n} for key, ps in places.items()) / len(places)


class Order(NamedTuple):
    """How many events come behind one of a later time in their partition, and by how much at most."""

    n_late: int
    most_ms: int


def order(events: Sequence[Sequence[dict[str, Any]]]) -> Order:
    """How far events are from the order of time."""
    n_late = most = 0
    for partition in events:
        latest = 0
        for event in partition:
            behind = latest - event["timestamp"]
            n_late += behind > 0
            most = max(most, behind)
            latest = max(latest, event["timestamp"])
    return Order(n_late, most)
