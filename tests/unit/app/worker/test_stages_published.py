"""Settings of stages reach the lists that a worker publishes."""

import asyncio
from collections import Counter
from typing import Any, cast

import orjson
import pytest

from app.settings import Settings, load_settings
from app.store.store import Store
from app.worker.gauge import LiveGauge
from app.worker.latency import Latency
from app.worker.lists import ListPublisher
from tables.catalogue import parse_entry
from tables.list_model import ListModels
from tests.unit.app.worker.test_publishers import SETTINGS, Stage

KEY = "recs:user:u3"
COLOURS = {f"i{number}": ("red", "red", "green", None)[number % 4] for number in range(60)}


def published(scene: Stage, settings: Settings) -> dict[str, Any]:
    """What Redis gets for one user, by these settings."""
    scene.lists = ListPublisher(settings, scene.view, cast(Store, scene.store), Latency(), LiveGauge())
    scene.catalogue.apply_to(scene.view)
    assert asyncio.run(scene.publish([(scene.partition, "u3")]))
    found: dict[str, Any] = orjson.loads(scene.store.lists[KEY])
    return found


def colours_of(found: dict[str, Any], n: int) -> Counter[str | None]:
    """How many of the first items are of each category."""
    return Counter(COLOURS[item["id"]] for item in found["items"][:n])


def test_at_most_so_many_of_a_category_are_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the variable, from the catalogue as it is by then; `model` names the lists, `n_own` counts what stands."""
    scene = Stage(n=120, n_items=60)
    for item_id, colour in COLOURS.items():
        scene.catalogue.take(item_id, parse_entry(orjson.dumps({"categories": [colour] if colour else []})))
    monkeypatch.setenv("FRESHET_LIST_SIZE", "12")
    plain = published(scene, load_settings())
    monkeypatch.setenv("FRESHET_MAX_PER_CATEGORY", "2")
    settings = load_settings()
    capped = published(scene, settings)

    assert max(colours_of(plain, 12)["red"], colours_of(plain, 12)["green"]) > 2
    assert max(colours_of(capped, 12)["red"], colours_of(capped, 12)["green"]) == 2
    assert len(plain["items"]) == len(capped["items"]) == 12
    assert capped["model"] == ListModels(SETTINGS.fold, settings.lists, 12).blend != plain["model"]
    assert capped["n_own"] == sum(1 for item in capped["items"] if item["because"]) > 0
    scores = [item["score"] for item in capped["items"]]
    assert scores == sorted(scores, reverse=True)

    for item_id in COLOURS:
        scene.catalogue.take(item_id, parse_entry(b'{"title": "in no category"}'))
    uncapped = published(scene, settings)
    assert [item["id"] for item in uncapped["items"]] == [item["id"] for item in plain["items"]]


@pytest.mark.parametrize("most", ["0", None])
def test_without_the_setting_the_catalogue_moves_no_item(monkeypatch: pytest.MonkeyPatch, most: str | None) -> None:
    """Lists are those of a worker that knows no catalogue, but for the time when they were made."""
    if most is not None:
        monkeypatch.setenv("FRESHET_MAX_PER_CATEGORY", most)
    known, unknown = Stage(n=120, n_items=60), Stage(n=120, n_items=60)
    for item_id in COLOURS:
        known.catalogue.take(item_id, parse_entry(b'{"categories": ["one"]}'))
    lists = [published(scene, load_settings()) for scene in (known, unknown)]
    for found in lists:
        found.pop("generated_at_ms")
    assert lists[0] == lists[1]
