"""The names of the ways that lists are made."""

import re
from dataclasses import replace
from typing import Any

import pytest

from app.settings import Settings
from models.cooccurrence import CooccurrenceSettings
from models.event_types import DEFAULT_TYPES, EventType
from models.events import EventRules
from models.factorization import FactorizationSettings
from models.history_factors import HistoryFactorsSettings
from tables.fold_settings import FoldSettings
from tables.list_model import ListModels
from tables.list_settings import WEIGHTS, ListSettings

FOLD, LISTS, SIZE = FoldSettings(), ListSettings(), 30
NOW = ListModels(FOLD, LISTS, SIZE)
EXTRA = EventRules(types={**DEFAULT_TYPES, "share": EventType("share", 2.0, 1)})


def test_names_are_a_kind_and_eight_hex_digits_and_the_same_each_time() -> None:
    """Nothing of the process is in them: equal settings, however made, give equal names."""
    assert re.fullmatch(r"blend-[0-9a-f]{8}", NOW.blend)
    assert re.fullmatch(r"filler-[0-9a-f]{8}", NOW.filler)
    again = ListModels(Settings().fold, Settings().lists, Settings().list_size)
    measured = ListModels(replace(Settings().fold, evaluate_fraction=1.0), LISTS, 30)
    assert (again.blend, again.filler) == (measured.blend, measured.filler) == (NOW.blend, NOW.filler)


@pytest.mark.parametrize(
    "changes",
    [
        {"cooccurrence": CooccurrenceSettings(n_keep=100)},
        {"history": HistoryFactorsSettings(seed=17)},
        {"history": HistoryFactorsSettings(decay=0.5)},
        {"cooccurrence": CooccurrenceSettings(n_history=7)},
    ],
    ids=["pairs", "seed", "decay", "history"],
)
def test_what_shapes_users_lists_alone_leaves_the_filler_its_name(changes: dict[str, Any]) -> None:
    """The default list is made without pairs and factors."""
    changed = ListModels(replace(FOLD, **changes), LISTS, SIZE)

    assert changed.blend != NOW.blend
    assert changed.filler == NOW.filler


@pytest.mark.parametrize(
    "lists",
    [
        ListSettings("ranks"),
        ListSettings("log_shares"),
        ListSettings("scores"),
        ListSettings(depth=51),
        ListSettings(weights={"history": 1.0}),
        ListSettings(max_per_category=3),
    ],
    ids=["ranks", "fixed", "scores", "depth", "weights", "stage"],
)
def test_another_blend_has_another_name(lists: ListSettings) -> None:
    """How sources are weighed, how far they look, which are asked and what re-ranks; the default list asks none."""
    changed = ListModels(FOLD, lists, SIZE)

    assert changed.blend != NOW.blend
    assert changed.filler == NOW.filler


def test_stages_that_are_off_are_in_no_name() -> None:
    """Lists without stages keep the name that they had before there were any: an upgrade makes no list anew."""
    assert not [name for name in NOW.shapes if "category" in name]
    names = {ListModels(FOLD, ListSettings(max_per_category=most), SIZE).blend for most in (0, 1, 2)}
    assert len(names) == 3 and NOW.blend in names


def test_weights_said_and_weights_by_default_are_the_same() -> None:
    """A name is of what is in force, not of how it was written; a source of weight 0 is as good as none."""
    said = ListSettings(weights={**WEIGHTS["learned"]})
    without = {"co_occurrence": 1.0}

    assert ListModels(FOLD, said, SIZE).blend == NOW.blend
    ranks = [ListSettings("ranks", weights) for weights in (without, {**without, "history": 0.0})]
    assert len({ListModels(FOLD, lists, SIZE).blend for lists in ranks}) == 1


@pytest.mark.parametrize(
    "changed",
    [
        ListModels(replace(FOLD, rules=EventRules(positive_rating=3.0)), LISTS, SIZE),
        ListModels(replace(FOLD, rules=EXTRA), LISTS, SIZE),
        ListModels(replace(FOLD, max_items=17), LISTS, SIZE),
        ListModels(replace(FOLD, late_grace_ms=17), LISTS, SIZE),
        ListModels(FOLD, LISTS, 31),
    ],
    ids=["rules", "types", "max_items", "late_grace", "list_size"],
)
def test_what_shapes_every_list_changes_both_names(changed: ListModels) -> None:
    """What counts, what is kept, and how many there are."""
    assert changed.blend != NOW.blend
    assert changed.filler != NOW.filler


@pytest.mark.parametrize(
    "changes",
    [
        {"evaluate_fraction": 0.17},
        {"partitioner": "crc32"},
        {"ratings": FactorizationSettings(seed=17)},
    ],
    ids=["evaluate_fraction", "partitioner", "ratings"],
)
def test_what_shapes_no_list_changes_no_name(changes: dict[str, Any]) -> None:
    """Measuring, placing users and predicting ratings leave lists as they are."""
    changed = ListModels(replace(FOLD, **changes), LISTS, SIZE)

    assert (changed.blend, changed.filler) == (NOW.blend, NOW.filler)


def test_the_rating_model_names_lists_that_its_source_counts_in() -> None:
    """Where ratings weigh, their model's settings shape users' lists; the default list never."""
    lists, other = ListSettings(weights={"history": 1.0, "ratings": 0.1}), FactorizationSettings(seed=17)
    one, two = (ListModels(fold, lists, SIZE) for fold in (FOLD, replace(FOLD, ratings=other)))

    assert one.blend != two.blend
    assert one.filler == two.filler == NOW.filler


@pytest.mark.parametrize("version", ["tables.fold_settings.STATE_VERSION", "tables.list_model.LIST_VERSION"])
def test_another_fold_and_other_lists_have_other_names(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """Either version of the code is in both names."""
    before = NOW.blend, NOW.filler
    monkeypatch.setattr(version, 1000)

    assert not {NOW.blend, NOW.filler} & {*before}
