"""The settings of the fold: each one shapes the state and therefore the fingerprint."""

import math
from dataclasses import replace
from typing import Any

import numpy.typing as npt
import pytest

from models.cooccurrence import CooccurrenceSettings
from models.errors import SettingsError
from models.event_types import DEFAULT_TYPES, EventType
from models.events import EventRules
from models.factorization import FactorizationSettings
from models.following import FollowingSettings
from models.history_factors import HistoryFactorsSettings
from tables.fold_settings import FoldSettings
from tests.logs import record
from tests.saved import folded

CHANGED: dict[str, Any] = {
    "rules": EventRules(positive_rating=3.0),
    "cooccurrence": CooccurrenceSettings(n_keep=100),
    "ratings": FactorizationSettings(seed=17),
    "history": HistoryFactorsSettings(seed=17),
    "following": FollowingSettings(n_back=17),
    "evaluate_fraction": 0.17,
    "max_seen": 17,
    "max_users": 17,
    "max_items": 17,
    "max_idle_ms": 17,
    "late_grace_ms": 17,
    "partitioner": "crc32",
}
CHANGED_PAIRS = {"n_history": 3, "n_keep": 3, "decay": 0.5, "known_exponent": 0.5, "candidate_exponent": 0.5}
CHANGED_RATINGS = {
    "n_factors": 3,
    "lr_bias": 0.01,
    "lr_factors": 0.01,
    "start_scale": 0.01,
    "max_gradient": 3.0,
    "max_weight": 3.0,
    "seed": 3,
}
CHANGED_HISTORY = {
    "n_factors": 8,
    "n_history": 3,
    "decay": 0.5,
    "learning_rate": 0.5,
    "start_scale": 0.5,
    "start_accumulator": 0.5,
    "n_negatives": 3,
    "round_to": 0.5,
    "max_weight": 3.0,
    "seed": 3,
}
CHANGED_FOLLOWING = {"n_back": 3, "decay": 0.5, "n_keep": 3}
CHANGED_RULES = {
    "max_bytes": 3,
    "max_ahead_ms": 3,
    "positive_rating": 3.0,
    "negative_rating": 1.0,
    "low_rating_weight": 0.1,
    "rating_scale": (0.0, 10.0),
}


def with_types(*types: EventType) -> FoldSettings:
    """Settings with the default types but for these."""
    return FoldSettings(EventRules(types={**DEFAULT_TYPES, **{each.name: each for each in types}}))


def test_every_setting_has_a_case_here() -> None:
    """A new setting without a case fails here first."""
    assert {*CHANGED, "rating_model"} == set(FoldSettings.__dataclass_fields__)
    assert FoldSettings(rating_model="river").fingerprint() == FoldSettings().fingerprint(), "the state is the same"
    assert set(CHANGED_PAIRS) == set(CooccurrenceSettings.__dataclass_fields__)
    assert {*CHANGED_RATINGS, "lowest", "highest"} == set(FactorizationSettings.__dataclass_fields__)
    assert set(CHANGED_HISTORY) == set(HistoryFactorsSettings.__dataclass_fields__)
    assert set(CHANGED_FOLLOWING) == set(FollowingSettings.__dataclass_fields__)
    assert {*CHANGED_RULES, "types"} == set(EventRules.__dataclass_fields__)


def test_every_change_changes_the_fingerprint() -> None:
    """All of these are different from the default and from each other; equal settings are equal."""
    made = [FoldSettings(), *(replace(FoldSettings(), **{name: value}) for name, value in CHANGED.items())]
    made += [
        replace(FoldSettings(), cooccurrence=replace(CooccurrenceSettings(), **{name: value}))  # type: ignore[arg-type]  # as annotated there
        for name, value in CHANGED_PAIRS.items()
        if name != "n_keep"
    ]
    made += [
        FoldSettings(replace(EventRules(), **{name: value}))  # type: ignore[arg-type]  # as annotated there
        for name, value in CHANGED_RULES.items()
        if name != "positive_rating"
    ]
    models: tuple[tuple[str, Any, dict[str, float]], ...] = (
        ("ratings", FactorizationSettings(), CHANGED_RATINGS),
        ("history", HistoryFactorsSettings(), CHANGED_HISTORY),
        ("following", FollowingSettings(), CHANGED_FOLLOWING),
    )
    for name, model, changed in models:
        made += [replace(FoldSettings(), **{name: replace(model, **{key: to})}) for key, to in changed.items()]
    made += [with_types(EventType("share", 1.0, 1)), with_types(EventType("share", 2.0, 1))]
    made += [with_types(EventType("share", 1.0, -1)), with_types(EventType("view", 0.5, 1))]
    made += [with_types(EventType("view", 1.0, 1, allow_repeats=True)), with_types(EventType("undo", 0.0, 0))]
    made += [with_types(EventType("undo", 0.0, 0, effect="withdraw"))]
    made += [with_types(EventType("view", 1.0, 1, returns_after_days=days)) for days in (1, 2)]
    made += [replace(made[3], cooccurrence=CooccurrenceSettings(n_keep=99))]
    prints = [settings.fingerprint() for settings in made]

    assert len(set(prints)) == len(prints)
    assert FoldSettings().fingerprint() == FoldSettings().fingerprint() == prints[0]
    assert len(prints[0]) == 16
    int(prints[0], 16)


def test_one_fingerprint_means_one_state() -> None:
    """Two settings whose types were written down in another order make other bytes, or have another fingerprint."""
    view, like = DEFAULT_TYPES["view"], DEFAULT_TYPES["like"]
    one = FoldSettings(EventRules(types={"view": view, "like": like}))
    other = FoldSettings(EventRules(types={"like": like, "view": view}))
    log = [record(0, "u1", "i1", "view"), record(1, "u1", "i2", "like")]
    states = [folded(log, settings).cut(0) for settings in (one, other)]

    assert (states[0].users[0] == states[1].users[0]) == (one.fingerprint() == other.fingerprint())


@pytest.mark.parametrize("weight", [1e6, 1e100, 1.7e308])
def test_no_accepted_weight_can_make_the_state_infinite(weight: float) -> None:
    """A weight is refused, or a thousand events of it leave every number of the state finite."""
    try:
        bounds = with_types(EventType("view", weight, 1))
    except SettingsError:
        return
    state = folded([record(offset, f"u{offset % 3}", f"i{offset % 4}") for offset in range(1_000)], bounds)
    rows = [state.items.pairs.row(slot)[1] for slot in range(4)]
    values: list[npt.NDArray[Any]] = [
        state.items.weight[:4],
        state.items.trending.value[:4],
        *rows,
        state.items.history.rows[:4],
    ]

    assert all(math.isfinite(number) for part in values for number in part.ravel().tolist())
