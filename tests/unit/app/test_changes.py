"""What a changed setting leads to: each setting's mark is true of what it shapes."""

from typing import Any

import pytest

from app.changes import mark_of, on_change, owner
from app.event_types import TypeSettings
from app.settings import Settings
from tests.command import freshet

OTHER: dict[str, Any] = {
    "partitioner": "fnv1a",
    "extra_event_types": {"share": (2.0, 1)},
    "event_types": {"share": TypeSettings(allow_repeats=True)},
    "rating_scale": (1.0, 10.0),
    "positive_rating": 3.0,
    "negative_rating": 1.0,
    "low_rating_weight": 0.25,
    "history_size": 7,
    "neighbours": 77,
    "follow_back": 7,
    "max_seen": 77,
    "max_users": 77,
    "max_items": 77,
    "max_idle_days": 7,
    "evaluate_fraction": 0.5,
    "late_grace_s": 7,
}
"""Another value of every setting that shapes the fold."""

FIELDS = Settings.model_fields
BESIDE = {"event_types": {"extra_event_types"}, "rating_scale": {"positive_rating", "negative_rating"}}
"""Settings that name what another shapes too."""
UNSEEN = {"topic"}  # kept in the marker beside the settings of the fold


def shaped_by(**changes: Any) -> set[str]:
    """What becomes other with other values of settings."""
    before, after = Settings().fold.described(), Settings(**changes).fold.described()
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


@pytest.mark.parametrize("name", OTHER)
def test_a_mark_says_what_the_setting_shapes(name: str) -> None:
    """Whatever becomes other with it is owned by it, and it is not free."""
    shaped = shaped_by(**{name: OTHER[name]})

    assert shaped
    for part in shaped:
        assert (owner(part, FIELDS) or ("nobody", None))[0] in {name, *BESIDE.get(name, ())}
    assert on_change(FIELDS[name]) != "free"


def test_every_mark_has_a_case_here() -> None:
    """A setting is marked, or what it says never reaches the fold: a new one without mark or case fails here."""
    marks = {name: mark for name, field in FIELDS.items() if (mark := mark_of(field)) is not None}

    assert {name for name, mark in marks.items() if mark.shapes not in UNSEEN} == OTHER.keys()
    odd: dict[str, Any] = {name: object() for name in FIELDS if name not in marks} | {"rating_model": "river"}
    made = Settings.model_construct(**odd, **OTHER)
    assert made.fold.described() == Settings(**OTHER).fold.described()


def test_the_partitioner_and_the_topic_are_refused_all_else_warned_of() -> None:
    """Only what cannot stand side by side in one state is refused."""
    kinds = {name: on_change(field) for name, field in FIELDS.items()}

    assert {name for name, kind in kinds.items() if kind == "refuse"} == {"partitioner", "events_topic"}
    assert {name for name, kind in kinds.items() if kind == "warn"} == OTHER.keys() - {"partitioner"}
    assert kinds["list_size"] == kinds["checkpoint_s"] == "free"


def test_settings_shows_them() -> None:
    """A column for people, a field for programs."""
    text = freshet("settings").out

    assert '"on_change":"refuse"' in freshet("settings", "--json").out.replace(" ", "")
    assert "on change" in text.splitlines()[0] or "on_change" in text
    assert owner("history.decay", FIELDS) is None
