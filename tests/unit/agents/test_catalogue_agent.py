"""The catalogue agent over batches from a list."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import orjson
import pytest

from agents.catalogue import RECORDS_BETWEEN_TURNS, follow_catalogue
from app.settings import Settings
from app.worker.catalogue import Catalogue
from app.worker.live_view import LiveView

SETTINGS = Settings()


class Batch(NamedTuple):
    """What has come."""

    records: list[Any]
    is_caught_up: bool


def record(item_id: str, **fields: Any) -> Any:
    """One record; without fields a tombstone."""
    value = orjson.dumps(fields) if fields else None
    return SimpleNamespace(key=item_id.encode(), value=value, offset=7)


async def given(*batches: Batch) -> AsyncIterator[Batch]:
    """Batches, one after another."""
    for batch in batches:
        yield batch


def followed(*batches: Batch) -> tuple[Catalogue, LiveView]:
    """What comes of some batches."""
    catalogue, view = Catalogue("items"), LiveView(SETTINGS.fold)
    asyncio.run(follow_catalogue(given(*batches), catalogue=catalogue, view=view))
    return catalogue, view


def test_entries_come_change_and_go() -> None:
    """The latest entry of each item counts, and a tombstone takes it away."""
    first = [record("i1", title="One"), record("i2", title="Two"), record("i3", title="Three")]
    catalogue, _ = followed(Batch(first, False), Batch([record("i2"), record("i3", title="3")], False))

    assert list(catalogue.ids) == ["i1", "i3"]
    assert catalogue.metadata("i3") == {"title": "3"}


@pytest.mark.parametrize("item_id", ["", "x" * 257, "i{1}"])
def test_a_record_without_an_items_id_is_left_out_and_told(item_id: str, caplog: pytest.LogCaptureFixture) -> None:
    """An item has the id that events have; of many such records only some are told, with how many there were."""
    catalogue, _ = followed(Batch([record(item_id, title="nobody's")] * 50, False))

    assert not list(catalogue.ids)
    assert ["item_id has value" in line for line in caplog.messages] == [True] * 4
    assert "record 7 of items" in caplog.messages[-1] and "(10 so far)" in caplog.messages[-1]


def test_a_value_that_is_no_entry_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """It is told, what is known of its item stays, and the next record is taken."""
    bad = SimpleNamespace(key=b"i1", value=b"{ no json", offset=8)
    catalogue, _ = followed(Batch([record("i1", title="One"), bad, record("i2", title="Two")], False))

    assert [catalogue.metadata(item_id) for item_id in ("i1", "i2")] == [{"title": "One"}, {"title": "Two"}]
    assert "record 8 of items is no catalogue entry" in caplog.text


def test_the_view_waits_for_what_the_topic_held() -> None:
    """Until it is all there the view does not know what is hidden; from then on it is told by whoever publishes."""
    hidden = record("i1", hidden=True)

    _, view = followed(Batch([hidden], False), Batch([], False))
    assert (view.knows_catalogue, view.items.hidden) == (False, set())

    _, view = followed(Batch([hidden], False), Batch([], True), Batch([record("i2", hidden=True)], True))
    assert (view.knows_catalogue, view.items.hidden) == (True, {"i1"})

    _, view = followed(Batch([], True))
    assert view.knows_catalogue


def test_others_have_their_turn_in_a_long_batch() -> None:
    """Between slices of records the event loop runs what waits."""
    catalogue, view = Catalogue("items"), LiveView(SETTINGS.fold)
    seen: list[int] = []

    async def watch() -> None:
        while len(seen) < 3:
            seen.append(len(list(catalogue.ids)))
            await asyncio.sleep(0)

    async def work() -> None:
        records = [record(f"i{number}", title="t") for number in range(2 * RECORDS_BETWEEN_TURNS + 1)]
        watching = asyncio.create_task(watch())
        await follow_catalogue(given(Batch(records, True)), catalogue=catalogue, view=view)
        await watching

    asyncio.run(work())

    assert seen == [RECORDS_BETWEEN_TURNS, 2 * RECORDS_BETWEEN_TURNS, 2 * RECORDS_BETWEEN_TURNS + 1]
