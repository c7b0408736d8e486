"""The catalogue's trends and bounds, without a topic."""

import asyncio
from typing import Any

import orjson
import pytest

from app.broker import Broker
from app.settings import Settings
from app.worker.catalogue import Catalogue
from app.worker.checkpoints import CheckpointWriter
from app.worker.live_view import LiveView
from app.worker.owned import OwnedPartition
from models.windows import TRENDING_WINDOWS
from tables.catalogue import parse_entry
from tables.names import Names
from tests.logs import made_log, record
from tests.saved import folded

SETTINGS = Settings()
COLOURS = ("red", "green", "blue")


def take(catalogue: Catalogue, item_id: str, **fields: Any) -> None:
    """Let the catalogue take one entry; without fields the item is gone."""
    catalogue.take(item_id, parse_entry(orjson.dumps(fields)) if fields else None)


def stage() -> tuple[Catalogue, LiveView]:
    """A view of some items, every third of the same colour, and some that nobody has touched."""
    state = folded(made_log(13, 600, n_users=20, n_items=90), SETTINGS.fold)
    view = LiveView(SETTINGS.fold)
    view.own({0: OwnedPartition(state, CheckpointWriter(0, Names(), Broker("nowhere"), {}))})
    catalogue = Catalogue("items")
    for number in range(120):
        take(catalogue, f"i{number}", categories=[COLOURS[number % 3], "all"])
    return catalogue, view


def test_fields_for_lists_follow_the_catalogue() -> None:
    """An entry that comes, changes, loses its fields or goes does so for lists; without the setting nothing is kept."""
    catalogue, off = Catalogue("items", 2, ["title"]), Catalogue("items")
    fields = catalogue.listed  # as the publisher of lists holds it
    for each in (catalogue, off):
        take(each, "i1", title="One")
        take(each, "i2", tags=["x"])
        take(each, "i3", title="left out: there are two already")
    assert orjson.dumps(fields) == b'{"i1":{"title":"One"}}'

    take(catalogue, "i2", title="Two")
    take(catalogue, "i1", title="First")
    assert orjson.dumps(fields, option=orjson.OPT_SORT_KEYS) == b'{"i1":{"title":"First"},"i2":{"title":"Two"}}'

    take(catalogue, "i1", tags=["x"])
    take(catalogue, "i2")
    assert (fields, off.listed) == ({}, None)


@pytest.mark.parametrize("k", [4, 500])
def test_trends_by_category_are_the_trends_of_its_members(k: int) -> None:
    """In the order of the whole window, ties by id; forbidden items and those that have moved left out."""
    catalogue, view = stage()
    as_of_ms = view.as_of_ms
    take(catalogue, "i3", categories=["green"])
    take(catalogue, "i6", categories=["red"], hidden=True)
    take(catalogue, "i9")
    catalogue.apply_to(view)
    found = asyncio.run(catalogue.by_category(view, as_of_ms, k))

    assert found.keys() == {(window.name, name) for window in TRENDING_WINDOWS for name in (*COLOURS, "all")}
    for (window, category), ranked in found.items():
        index = [each.name for each in TRENDING_WINDOWS].index(window)
        trending = [(view.items.ids[item], score) for item, score in view.items.trending(index, as_of_ms, 10**6)]
        assert ranked == [entry for entry in trending if entry[0] in catalogue._members[category or ""]][:k]
    assert len(found["7d", "red"]) == min(k, len(found["7d", "red"])) > 3
    assert not {"i3", "i6", "i9"} & dict(found["7d", "red"]).keys()


def test_items_that_get_other_numbers_meanwhile() -> None:
    """What was ranked by then is right; the rest waits for the next time."""
    catalogue, view = stage()

    async def disturbed() -> dict[Any, Any]:
        ranking = asyncio.create_task(catalogue.by_category(view, view.as_of_ms, 5))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        view.own({})
        return await ranking

    whole = asyncio.run(catalogue.by_category(view, view.as_of_ms, 5))
    found = asyncio.run(disturbed())

    assert len(found) < len(whole)
    assert all(found[key] == whole[key] for key in found)


def test_only_what_is_not_offered_is_forbidden() -> None:
    """Hidden, removed, too early or too late; an entry that changes is looked at anew."""
    catalogue, view = stage()
    take(catalogue, "i1", hidden=True)
    take(catalogue, "i2")
    take(catalogue, "i3", available_from=2**52)
    take(catalogue, "i4", available_until=1)
    take(catalogue, "i5", available_from=1, available_until=2**52)
    catalogue.apply_to(view)
    assert view.items.hidden == {"i1", "i2", "i3", "i4"}
    for item_id in ("i1", "i2", "i3", "i4"):
        take(catalogue, item_id, title="again")
    catalogue.apply_to(view)
    assert view.items.hidden == set()


def test_the_catalogue_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """What comes when it is full is left out and told; what is there can still change, and go."""
    catalogue, view = Catalogue("items", max_items=3), LiveView(SETTINGS.fold)
    for number in range(6):
        take(catalogue, f"i{number}", title="first")
    take(catalogue, "i1", title="second")
    take(catalogue, "i0")
    take(catalogue, "i5", hidden=True)
    catalogue.apply_to(view)

    assert list(catalogue.ids) == ["i2", "i1", "i5"]
    assert catalogue.metadata("i1") == {"title": "second"}
    assert view.items.hidden == {"i0", "i5"}
    assert len([line for line in caplog.messages if "FRESHET_MAX_CATALOGUE" in line]) == 3


def test_the_view_knows_the_first_category_of_each_item() -> None:
    """As of the last time it was told: entries that come, change and go, of items that it knows, or will know."""
    catalogue, view = stage()
    state = view.owned[0].state
    known = [item_id for item_id in (f"i{number}" for number in range(120)) if item_id in view.items.index]
    (red, *reds), (green, *greens), (blue, *blues) = (
        [item_id for item_id in known if int(item_id[1:]) % 3 == colour] for colour in range(3)
    )

    def of(*item_ids: str) -> list[int]:
        return [int(view.items.category[view.items.index[item_id]]) for item_id in item_ids]

    assert of(red, green, blue) == [-1, -1, -1]
    catalogue.apply_to(view)
    numbers = of(red, green, blue)
    assert len(set(numbers)) == 3 and min(numbers) >= 0
    assert of(*reds, *greens, *blues) == [
        *numbers[:1] * len(reds),
        *numbers[1:2] * len(greens),
        *numbers[2:] * len(blues),
    ]

    take(catalogue, red, categories=["blue", "green"])
    take(catalogue, green, title="in no category")
    take(catalogue, blue)
    take(catalogue, reds[0], title="another title", categories=["red", "all"])
    catalogue.apply_to(view)
    expected = [numbers[2], -1, -1, numbers[0], numbers[1]]
    assert of(red, green, blue, reds[0], greens[0]) == expected

    assert "i119" not in view.items.index
    state.fold(*record(1000, "u1", "i119"))
    view.sync()
    assert of("i119") == numbers[2:]
    view.own({})
    view.own({0: OwnedPartition(state, CheckpointWriter(0, Names(), Broker("nowhere"), {}))})
    assert of(red, green, blue, reds[0], greens[0], "i119") == [*expected, numbers[2]]
