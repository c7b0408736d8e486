"""Event types and rules: what an event means, and which configurations of it are refused."""

import json
from collections.abc import Callable
from dataclasses import asdict

import orjson
import pytest

from models.errors import InvalidEvent, SettingsError
from models.event_types import DEFAULT_TYPES, type_codes
from models.events import Event, EventRules, EventType, decode

RECORD_MS = 1_700_000_000_000
RULES = EventRules()


def text(event_type: str, **more: object) -> bytes:
    """A valid event of user u1, at the record's time, as bytes."""
    return orjson.dumps({"user_id": "u1", "item_id": "i1", "event_type": event_type, "timestamp": RECORD_MS} | more)


def test_a_configured_type_is_known_and_means_what_it_says() -> None:
    """A type by configuration is decoded, and counts by its own weight and polarity."""
    assert {"share", "report"}.isdisjoint(DEFAULT_TYPES)
    rules = EventRules({**DEFAULT_TYPES, "share": EventType("share", 2.0, 1), "report": EventType("report", 0.25, -1)})
    share = decode(b"u1", text("share"), RECORD_MS, rules)
    assert (rules.is_positive(share), rules.weight(share), rules.is_seen(share)) == (True, 2.0, True)
    report = decode(b"u1", text("report"), RECORD_MS, rules)
    assert (rules.is_positive(report), rules.weight(report), rules.is_seen(report)) == (False, 0.25, True)


@pytest.mark.parametrize(
    ("rules", "value", "reason"),
    [
        (EventRules({"view": DEFAULT_TYPES["view"]}), text("click"), "unknown_event_type"),
        (EventRules(max_bytes=len(text("view"))), text("view", a=1), "too_large"),
        (EventRules(max_ahead_ms=0), text("view", timestamp=RECORD_MS + 1), "future_timestamp"),
    ],
    ids=["types", "max_bytes", "max_ahead_ms"],
)
def test_the_limits_of_decode_are_settings(rules: EventRules, value: bytes, reason: str) -> None:
    """A narrower setting refuses what the default takes, and still takes what lies on its limit."""
    assert decode(b"u1", value, RECORD_MS, EventRules()).user_id == "u1"
    assert decode(b"u1", text("view"), RECORD_MS, rules).user_id == "u1"
    with pytest.raises(InvalidEvent) as caught:
        decode(b"u1", value, RECORD_MS, rules)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("event_type", "value", "positive", "weight", "seen"),
    [
        ("impression", None, False, 0.0, False),
        ("view", None, True, 1.0, True),
        ("click", 0.5, True, 1.0, True),
        ("add_to_cart", None, True, 1.0, True),
        ("purchase", None, True, 1.0, True),
        ("rating", 5.0, True, 1.0, True),
        ("rating", 4.0, True, 1.0, True),
        ("rating", 3.999, False, 0.5, True),
        ("rating", 0.5, False, 0.5, True),
        ("like", None, True, 1.0, True),
        ("dislike", 5.0, False, 0.0, True),
        ("skip", 5.0, False, 0.0, False),
    ],
)
def test_what_each_type_means(event_type: str, value: float | None, positive: bool, weight: float, seen: bool) -> None:
    """Ratings count by their value, all other types by their polarity and weight."""
    event = decode(b"u1", text(event_type, value=value), RECORD_MS, RULES)
    assert (RULES.is_positive(event), RULES.weight(event), RULES.is_seen(event)) == (positive, weight, seen)


def test_the_rating_limits_are_settings() -> None:
    """Two bounds part for, against and neither; low_rating_weight is the weight below the first."""
    rules = EventRules(positive_rating=8.0, negative_rating=3.0, low_rating_weight=0.1, rating_scale=(1.0, 10.0))
    seven, eight = (Event("u1", "i1", "rating", RECORD_MS, value=stars) for stars in (7.0, 8.0))
    assert (rules.is_positive(seven), rules.weight(seven)) == (False, 0.1)
    assert (rules.is_positive(eight), rules.weight(eight)) == (True, 1.0)
    three, four = (Event("u1", "i1", "rating", RECORD_MS, value=stars) for stars in (3.0, 4.0))
    assert [rules.is_negative(each) for each in (three, four, seven, eight)] == [True, False, False, False]


def test_rules_are_plain_data() -> None:
    """Rules are printed and hashed as JSON; a later change of the mapping they were made from is not theirs."""
    types = dict(DEFAULT_TYPES)
    rules = EventRules(types)
    types.clear()
    assert rules == EventRules(DEFAULT_TYPES) == RULES
    assert json.loads(json.dumps(asdict(rules)))["types"]["skip"] == asdict(DEFAULT_TYPES["skip"])


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (lambda: EventType("", 1.0, 1), "name has value ''"),
        (lambda: EventType("a b", 1.0, 1), "name has value 'a b'"),
        (lambda: EventType("view\n", 1.0, 1), "name has value"),
        (lambda: EventType("share", -1.0, 1), "weight of event type 'share' has value -1.0"),
        (lambda: EventType("share", float("nan"), 1), "has value nan"),
        (lambda: EventType("share", 1.0, 2), "polarity of event type 'share' has value 2"),
        (lambda: EventType("rating", 1.0, 1), "a rating is judged by its value"),
        (lambda: EventRules({"a": EventType("b", 1.0, 1)}), "'b' is filed under 'a'"),
        (lambda: EventRules(max_bytes=0), "max_bytes has value 0"),
        (lambda: EventRules(max_ahead_ms=-1), "max_ahead_ms has value -1"),
        (lambda: EventRules(low_rating_weight=float("inf")), "low_rating_weight has value inf"),
        (lambda: EventRules(positive_rating=float("nan")), "positive_rating has value nan"),
    ],
)
def test_settings_without_meaning_are_refused(make: Callable[[], object], part: str) -> None:
    """A setting that cannot be meant says which, its value and what is allowed."""
    with pytest.raises(SettingsError) as caught:
        make()
    assert part in str(caught.value)


def test_the_number_of_a_type_is_a_function_of_its_name() -> None:
    """Stored counts keep their meaning whatever other types are configured, in whatever order."""
    some, others = type_codes(["view", "share", "like"]), type_codes(["like", "save", "share", "view"])
    assert {name: others[name] for name in some} == some
    assert some["view"] == list(DEFAULT_TYPES).index("view")
    assert len(set(others.values())) == 4
