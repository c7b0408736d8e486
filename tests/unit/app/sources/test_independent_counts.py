"""Batches as real serializers wrote them: what a source accepts, drops and refuses is what a count of its own says."""

import asyncio
import gzip
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.sources import SourceSettings, make_source
from models.errors import InvalidEvent
from tests.source_counts import COUNTS, Counted, Given, Refused
from tests.sources import RECORD_MS, record, settings

RECORDED = Path(__file__).parents[3] / "golden" / "sources.json.gz"
CLOUDEVENTS: dict[str, Any] = {
    "format": "cloudevents",
    "types": {"product.viewed": "view", "product.bought": "purchase", "product.hovered": ""},
}
LINES: dict[str, Any] = {
    "user_id": "customer",
    "each": "lines",
    "item_id": "each.sku",
    "event_id": "order_no",
    "where": "status == 'paid' && each.quantity",
    "constants": {"event_type": "purchase"},
}
REGISTRY: dict[str, Any] = {"registry": "http://registry"}
SOURCES = {
    "freshet": settings(ignore=["heartbeat"]),
    "segment": settings(format="segment"),
    "rudderstack": settings(format="rudderstack"),
    "ga4": settings(format="ga4"),
    "cloudevents binary": settings(**CLOUDEVENTS),
    "cloudevents structured": settings(**CLOUDEVENTS),
    "debezium": settings(format="debezium", timestamp="after.us", time="us"),
    "connect": settings(format="connect", timestamp="at", value="stars"),
    "confluent json": settings(format="confluent", where="!bot", **REGISTRY),
    "confluent avro": settings(format="confluent", timestamp="at", **LINES, **REGISTRY),
    "mapping": settings(**LINES | {"user_id": "customer || _key"}, key="json", timestamp="placed", time="s"),
}
FANNED_OUT = {"segment", "rudderstack", "ga4", "confluent avro", "mapping"}

Outcome = list[Counted] | None
"""The events of a record, none where it was dropped; None where it was refused."""


@cache
def batch(name: str) -> list[Given]:
    """The recorded batch of a format."""
    recorded = orjson.loads(gzip.decompress(RECORDED.read_bytes()))[name]
    return [
        Given(raw(key), raw(value), {name: value.encode("latin-1") for name, value in headers}, recorded["schemas"])
        for key, value, headers in recorded["records"]
    ]


def raw(text: str | None) -> bytes | None:
    """Bytes from the characters that they were recorded as."""
    return None if text is None else text.encode("latin-1")


def by_the_source(given: SourceSettings, records: list[Given]) -> list[Outcome]:
    """What a source makes of each record."""

    async def fetch(path: str) -> bytes:
        return orjson.dumps(records[0].schemas[path])

    source = make_source(given, fetch=fetch)
    theirs = [record(each.value, each.key, list(each.headers.items())) for each in records]
    assert {each.timestamp_ms for each in theirs} == {RECORD_MS}
    asyncio.run(source.prepare(theirs))

    def events(place: int) -> Outcome:
        try:
            made = source.read(theirs[place])
        except InvalidEvent:
            return None
        fields = [orjson.loads(each.value or b"") for each in made]
        return [(each["user_id"], each["item_id"], each["event_type"], each["timestamp"]) for each in fields]

    return [events(place) for place in range(len(theirs))]


def by_hand(count: Callable[[Given], list[Counted]], records: list[Given]) -> list[Outcome]:
    """What the records hold by a count that knows no source."""

    def events(each: Given) -> Outcome:
        try:
            return count(each)
        except Refused:
            return None

    return [events(each) for each in records]


def tally(outcomes: list[Outcome]) -> dict[str, int]:
    """How many events were accepted, and how many records gave them, were dropped and were refused."""
    found = Counter("refused" if each is None else "read" if each else "dropped" for each in outcomes)
    return {**found, "events": sum(len(each) for each in outcomes if each)}


@pytest.mark.parametrize("name", COUNTS)
def test_a_source_accepts_drops_and_refuses_what_an_independent_count_does(name: str) -> None:
    """Of hundreds of records, good, fanned out, of other kinds and broken, each comes to the same by both."""
    records = batch(name)
    found, expected = by_the_source(SOURCES[name], records), by_hand(COUNTS[name], records)
    assert tally(found) == tally(expected)
    differing = [
        (each.value, mine, theirs)
        for each, mine, theirs in zip(records, found, expected, strict=True)
        if mine != theirs
    ]
    assert differing == []


@pytest.mark.parametrize("name", COUNTS)
def test_each_batch_holds_every_kind_of_record(name: str) -> None:
    """Three hundred records: sixty or more read, ten or more dropped, as many refused; arrays where it has them."""
    counted = tally(by_hand(COUNTS[name], batch(name)))
    n_read, n_dropped, n_refused = counted["read"], counted["dropped"], counted["refused"]
    assert n_read + n_dropped + n_refused == len(batch(name)) >= 300
    assert n_read >= 60 and n_dropped >= 10 and n_refused >= 10
    assert (counted["events"] > n_read) is (name in FANNED_OUT)
