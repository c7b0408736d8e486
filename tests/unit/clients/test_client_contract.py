"""The client keeps the contract as the workers do: what it lets through they take, what it refuses they refuse."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from freshet_client import EventCollector, FeatureStore, InvalidEvent, UserEvent
from freshet_client.events import EVENT_TYPES, RATING_SCALE, event_record, profile_record
from freshet_client.names import Keys as ClientKeys
from models.errors import InvalidEvent as Refused
from models.events import DEFAULT_SCALE, DEFAULT_TYPES, EventRules, decode
from tables.entry_fields import entry_key
from tables.keys import TRENDING_WINDOWS, Keys
from tables.names import Names
from tables.profiles import parse_profile

NOW_MS = 1_700_000_000_000
RULES = EventRules()

ids = st.text(max_size=4) | st.integers() | st.sampled_from(["u1", "a{b", "x\n", "ü" * 128, "ü" * 129, 2**63, 1.0])
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=3)
anything = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.text(max_size=2), scalars, max_size=2)
times = st.sampled_from([0, -1, 10**11 - 1, 10**11, NOW_MS, NOW_MS + 300_000, NOW_MS + 300_001, 10**15, 1.7e9, "x"])
valid = {"user_id": "u1", "item_id": "i1", "event_type": "view", "timestamp": NOW_MS}
events = st.fixed_dictionaries(
    {},
    optional={
        "user_id": ids | scalars,
        "item_id": ids | scalars,
        "event_type": st.sampled_from([*DEFAULT_TYPES, "glance"]) | anything,
        "timestamp": times | anything,
        "event_id": ids | scalars,
        "value": st.sampled_from([0.5, 5, 5.01, 0, "4"]) | anything,
        "context": anything,
        "more": anything,
    },
)
profiles = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("age", "gender", "location", "preferences", "attributes", "more"), anything)
)


def reason_of(act: Callable[[], Any]) -> str | None:
    """The reason code of a refusal."""
    try:
        act()
    except (InvalidEvent, Refused) as error:
        return error.reason
    return None


def workers_reason(fields: Mapping[str, Any]) -> str | None:
    """What a worker says of an event as orjson writes it, with the key that belongs to it."""
    value = orjson.dumps(fields)
    user_id = orjson.loads(value).get("user_id")
    key = str(user_id).encode() if type(user_id) in (str, int) else None
    return reason_of(lambda: decode(key, value, NOW_MS, RULES))


def writable(fields: Mapping[str, Any]) -> bool:
    """Whether it can be sent at all."""
    try:
        orjson.dumps(fields)
    except TypeError:
        return False
    return True


@given(st.builds(lambda part: {**valid, **part}, events) | events)
@example({**valid, "event_type": "rating"})
@example({**valid, "event_type": "rating", "value": 5.5})
@example({**valid, "context": {"x": [1]}})
@example({**valid, "context": {"x": "y" * 65_536}})
@example({**valid, "user_id": 77})
def test_events_are_refused_as_workers_refuse_them(fields: dict[str, Any]) -> None:
    """With the same reason; and what is let through is taken, under its key."""
    if not writable(fields):
        assert reason_of(lambda: event_record(fields, NOW_MS, (), RATING_SCALE)) == "bad_type"
        return
    found = reason_of(lambda: event_record(fields, NOW_MS, (), RATING_SCALE))

    assert found == workers_reason(fields)
    if found is None:
        decode(*event_record(fields, NOW_MS, (), RATING_SCALE), NOW_MS, RULES)


@given(profiles)
@example({"age": 151})
@example({"age": 31, "preferences": {"genres": ["drama"]}})
def test_profiles_are_refused_as_workers_refuse_them(fields: dict[str, Any]) -> None:
    """With the same reason; and what is let through is taken."""
    if not writable(fields):
        assert reason_of(lambda: profile_record("u1", fields)) == "bad_type"
        return
    assert reason_of(lambda: profile_record("u1", fields)) == reason_of(lambda: parse_profile(orjson.dumps(fields)))


@given(ids.filter(lambda found: not isinstance(found, float)))
def test_keys_of_profiles_are_held_against_the_rules_of_ids(user_id: str | int) -> None:
    """A profile's key is an id, or it is refused with the workers' reason; without a profile the record deletes."""
    found = reason_of(lambda: profile_record(user_id, None))

    assert found == reason_of(lambda: entry_key("user_id", str(user_id).encode("utf-8", "surrogatepass")))
    if found is None:
        assert profile_record(user_id, None) == (str(user_id).encode(), None)


def test_words_and_bounds_are_the_workers() -> None:
    """Event types and scale are those that workers know without settings."""
    assert tuple(DEFAULT_TYPES) == EVENT_TYPES
    assert RATING_SCALE == DEFAULT_SCALE


def test_an_event_is_of_now_and_has_an_id() -> None:
    """What an application leaves out is filled in, so that one sent again is folded once; None is not sent."""
    event = UserEvent("u1", "i1", "view")

    fields = event.as_fields()

    assert abs(event.timestamp - time.time_ns() // 1_000_000) < 60_000
    assert fields.keys() == {"user_id", "item_id", "event_type", "timestamp", "event_id"}
    assert fields["event_id"] != UserEvent("u1", "i1", "view").event_id


@pytest.mark.parametrize(("namespace", "prefix"), [("", ""), ("shop", ""), ("shop", "p-"), ("", "p-")])
def test_names_are_the_workers(namespace: str, prefix: str) -> None:
    """Keys and topics of every namespace and prefix are called alike."""
    ours, theirs = Keys(namespace, prefix), ClientKeys(namespace, prefix)

    for name in ("user_list", "segment_list", "item_similarity", "user_features", "item_features"):
        assert getattr(theirs, name)("x:ü") == getattr(ours, name)("x:ü").encode()
    assert theirs.default_list() == ours.default_list().encode()
    assert theirs.trending("7d", "a:b") == ours.trending(TRENDING_WINDOWS[2], "a:b").encode()
    names = Names(namespace, prefix=prefix)
    assert EventCollector("b:1", namespace, topic_prefix=prefix)._topic == names.events
    assert FeatureStore("redis://h", "b:1", namespace, topic_prefix=prefix)._topic == names.profiles
