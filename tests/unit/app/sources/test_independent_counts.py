"""Batches as real serializers wrote them: what a source accepts, drops and refuses is what a count of its own says."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import orjson
import pytest

from app.sources import make_source
from models.errors import InvalidEvent
from tests.source_batches import SOURCES, batch
from tests.source_counts import COUNTS, Counted, Given, by_hand
from tests.sources import RECORD_MS, record, settings

FANNED_OUT = {"segment", "rudderstack", "ga4", "confluent avro", "mapping"}


def by_the_source(name: str, records: Sequence[Given]) -> list[list[Counted] | None]:
    """What the source makes of each record; None where it refuses it."""

    async def fetch(path: str) -> bytes:
        return orjson.dumps(records[0].schemas[path])

    source = make_source(settings(**SOURCES[name]), fetch=fetch)
    theirs = [record(each.value, each.key, list(each.headers.items())) for each in records]
    assert {each.timestamp_ms for each in theirs} == {RECORD_MS}
    asyncio.run(source.prepare(theirs))

    def events(place: int) -> list[Counted] | None:
        try:
            made = source.read(theirs[place])
        except InvalidEvent:
            return None
        fields = [orjson.loads(each.value or b"") for each in made]
        return [(each["user_id"], each["item_id"], each["event_type"], each["timestamp"]) for each in fields]

    return [events(place) for place in range(len(theirs))]


def tally(outcomes: Sequence[list[Counted] | None]) -> dict[str, int]:
    """How many events were accepted; how many records gave them, were dropped, were refused."""
    found = Counter("refused" if each is None else "read" if each else "dropped" for each in outcomes)
    return {**found, "events": sum(len(each) for each in outcomes if each)}


@pytest.mark.parametrize("name", COUNTS)
def test_a_source_accepts_drops_and_refuses_what_an_independent_count_does(name: str) -> None:
    """Of hundreds of records, good, fanned out, of other kinds and broken, each comes to the same by both."""
    records = batch(name)
    found, expected = by_the_source(name, records), by_hand(name, records)
    assert tally(found) == tally(expected)
    pairs = zip(records, found, expected, strict=True)
    assert [(each.value, ours, theirs) for each, ours, theirs in pairs if ours != theirs] == []


@pytest.mark.parametrize("name", COUNTS)
def test_each_batch_holds_every_kind_of_record(name: str) -> None:
    """Three hundred records: sixty or more read, ten or more dropped, as many refused; arrays where it has them."""
    counted = tally(by_hand(name, batch(name)))
    n_read, n_dropped, n_refused = counted["read"], counted["dropped"], counted["refused"]
    assert n_read + n_dropped + n_refused == len(batch(name)) >= 300
    assert n_read >= 60 and n_dropped >= 10 and n_refused >= 10
    assert (counted["events"] > n_read) is (name in FANNED_OUT)
