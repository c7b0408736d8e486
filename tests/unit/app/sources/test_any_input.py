"""Whatever bytes come: events that a worker takes, or one refusal; never another exception."""

from collections.abc import Sequence

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sources import SourceEvent, SourceRecord, SourceSettings, make_source
from models.errors import InvalidEvent
from models.events import REASONS, EventRules, decode
from tests.sources import RECORD_MS, settings

NAMES = (
    "user_id item_id event_type timestamp event_id value context userId anonymousId properties product_id products "
    "event type messageId event_name event_timestamp items user_pseudo_id op after before source ts_ms schema payload "
    "specversion id data subject time fields field name each u i t"
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["track", "Order Completed", "view_item", "click", "c", "2023-11-14T22:13:20Z", "struct", "1.0"])
)
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES.split()) | st.text(max_size=3), inner, max_size=6)
    ),
)
EVENTS = st.fixed_dictionaries(
    {"type": st.just("track"), "event": st.just("Order Completed"), "event_name": st.just("purchase")},
    optional={
        "userId": LEAVES,
        "user_pseudo_id": LEAVES,
        "timestamp": LEAVES,
        "event_timestamp": LEAVES,
        "properties": JSON,
        "items": st.lists(JSON, max_size=3),
    },
)
SOURCES: dict[str, SourceSettings] = {
    "freshet": SourceSettings(),
    **{name: settings(format=name) for name in ("segment", "ga4", "cloudevents", "connect", "debezium", "confluent")},
    "mapping": settings(
        each="items || data",
        user_id="_key || u || length(@)",
        item_id="each.i || each",
        timestamp="t || _timestamp",
        time="s",
        context={"a": "fields[0].name", "b": "value"},
        where="!op",
        key="json",
    ),
    "items": settings(
        kind="items", each="items", item_id="each.id", fields={"title": "each.name", "attributes": "_headers"}
    ),
    "users": settings(kind="users", format="debezium"),
}


def outcome(name: str, value: bytes | None, key: bytes | None = None) -> int:
    """Number of events or entries; -1 for a refusal."""
    headers = [("ce_specversion", b"1.0"), ("ce_id", b"\xff"), ("ce_source", None)] if key == b"" else []
    try:
        made = make_source(SOURCES[name]).read(SourceRecord("t", key, value, headers, RECORD_MS))
    except InvalidEvent as invalid:
        refused = invalid
    else:
        check(name, made)
        return len(made)
    assert refused.reason in REASONS
    assert len(refused.message) < 2000
    return -1


def check(name: str, made: Sequence[SourceEvent]) -> None:
    """Hold what was made against the contract."""
    if SOURCES[name].kind == "events":
        for event in made:
            decode(event.key, event.value, RECORD_MS, EventRules())
    else:
        assert all(1 <= len(entry.key) <= 256 for entry in made)


@pytest.mark.parametrize("name", SOURCES)
@given(document=JSON | EVENTS, key=st.none() | st.binary(max_size=4) | st.just(b'"u1"'))
def test_any_json_is_events_or_one_refusal(name: str, document: object, key: bytes | None) -> None:
    """No document makes a source fail in another way."""
    outcome(name, orjson.dumps(document), key)


@pytest.mark.parametrize("name", SOURCES)
@given(value=st.none() | st.binary(max_size=64), key=st.none() | st.binary(max_size=8))
def test_any_bytes_are_events_or_one_refusal(name: str, value: bytes | None, key: bytes | None) -> None:
    """Neither key nor value need be text."""
    outcome(name, value, key)


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("value", [b"[" * 5000, b'{"a":' * 900 + b"1" + b"}" * 900, b'{"user_id":' + b"9" * 400 + b"}"])
def test_deep_and_long_values_are_refused(name: str, value: bytes) -> None:
    """Nesting and digits without end are one refusal each, or nothing at all."""
    assert outcome(name, value) <= 0


def test_a_schema_as_deep_as_is_parsed_is_one_refusal() -> None:
    """A schema and a payload nested a thousand times do not exhaust the stack."""
    deep = b'{"schema":' + b'{"type":"array","items":' * 1000 + b"1" + b"}" * 1000
    assert outcome("connect", deep + b',"payload":' + b"[" * 1000 + b"]" * 1000 + b"}") == -1
