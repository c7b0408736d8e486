"""`[event_types.<name>]`: what is said of a type is taken, what cannot be is refused by name."""

from pathlib import Path

import pytest

from app.settings import Settings, load_settings
from models.errors import SettingsError
from models.event_types import EventType


def test_what_is_not_said_stays() -> None:
    """Known types keep weight and polarity, new ones have 1 and 1, and those that take back 0 and 0."""
    said = {
        "purchase": {"allow_repeats": True, "returns_after_days": 30},
        "share": {"weight": 2.0},
        "unlike": {"effect": "withdraw"},
        "report": {"weight": 0.0, "polarity": -1},
    }
    settings = Settings.model_validate({"extra_event_types": {"share": (3.0, -1)}, "event_types": said})
    types = settings.rules.types

    assert types["purchase"] == EventType("purchase", 1.0, 1, allow_repeats=True, returns_after_days=30.0)
    assert types["share"] == EventType("share", 2.0, -1)
    assert types["unlike"] == EventType("unlike", 0.0, 0, effect="withdraw")
    assert types["report"] == EventType("report", 0.0, -1)
    assert settings.lists.returning == (types["purchase"],)
    assert settings.fold.rules.types == types


@pytest.mark.parametrize(
    ("scale", "bounds"),
    [({}, (4.0, 2.0)), ({"rating_scale": (1, 10)}, (7.75, 3.25)), ({"rating_scale": (0, 1)}, (0.75, 0.25))],
)
def test_bounds_follow_the_scale(scale: dict[str, tuple[float, float]], bounds: tuple[float, float]) -> None:
    """Three quarters and a quarter up; what is set is set; the rating model has the scale as well."""
    settings = Settings.model_validate(scale)
    assert (settings.rules.positive_rating, settings.rules.negative_rating) == bounds
    assert Settings.model_validate({**scale, "positive_rating": 0.9 * bounds[0]}).rules.positive_rating < bounds[0]
    fold = settings.fold
    assert (fold.ratings.lowest, fold.ratings.highest) == fold.rules.rating_scale


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[event_types.unlike]\neffect = "undo"', "[event_types.unlike] effect has value 'undo'"),
        ("[event_types.a]\nallow_repeat = true", "allow_repeat is no setting of a type. Use one of weight"),
        ('[event_types.unlike]\neffect = "withdraw"\npolarity = 1', "Use polarity 0"),
        ("[event_types.dislike]\nallow_repeats = true", "'dislike' does not speak for its item"),
        ("[event_types.buy]\nreturns_after_days = -1", "returns_after_days has value -1"),
        ('[event_types."a b"]\nweight = 1', "event type name has value 'a b'"),
        ("positive_rating = 9\nrating_scale = [5, 1]", "rating_scale has value [5.0, 1.0]"),
        ("positive_rating = 2\nnegative_rating = 2", "negative_rating has value 2.0"),
    ],
)
def test_what_cannot_be_is_refused(text: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the setting, its value and what is allowed."""
    written = tmp_path / "freshet.toml"
    written.write_text(text)
    monkeypatch.setenv("FRESHET_CONFIG", str(written))
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert expected in str(caught.value)
