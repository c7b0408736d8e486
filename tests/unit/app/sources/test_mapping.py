"""A mapping of one's own: paths, times, aliases, constants, a filter, and an array fanned out."""

import pytest

from app.sources import SourceSettings, make_source
from models.errors import InvalidEvent
from models.event_types import DEFAULT_TYPES, EventType
from models.events import EventRules
from tests.sources import RECORD_MS, events, record, refusal, settings

MS = 1_700_000_000_000
NESTED = settings(
    user_id="user.id",
    item_id="data.sku",
    event_type="action",
    timestamp="at",
    time="s",
    event_id="id",
    value="data.stars",
    context={"device": "client.kind", "position": "data.place"},
    types={"Product Viewed": "view", "stars given": "rating"},
)
OTTO = settings(
    user_id="session",
    each="events",
    item_id="each.aid",
    event_type="each.type",
    timestamp="each.ts",
    time="ms",
    event_id="id",
    types={"clicks": "click", "carts": "add_to_cart"},
)


def test_each_field_comes_from_its_path() -> None:
    """Nested fields, a type of any characters, seconds, an integer id, a number as text, and a table of context."""
    row = {
        "id": 9,
        "user": {"id": 77},
        "data": {"sku": "lamp", "stars": "4.5", "place": 3},
        "action": "stars given",
        "at": 1_700_000_000.25,
        "client": {"kind": "phone"},
    }
    assert events(NESTED, record(row)) == [
        {
            "user_id": "77",
            "item_id": "lamp",
            "event_type": "rating",
            "timestamp": MS + 250,
            "event_id": "9",
            "value": 4.5,
            "context": {"device": "phone", "position": 3},
        }
    ]


def test_fields_that_no_path_names_keep_their_own() -> None:
    """A source that names one field alone takes the rest from where freshet's own events have them."""
    row = {"visitor": "u1", "item_id": 5, "event_type": "view", "timestamp": MS, "context": {"a": 1}, "colour": "red"}
    assert events(settings(user_id="visitor"), record(row)) == [
        {"user_id": "u1", "item_id": "5", "event_type": "view", "timestamp": MS, "context": {"a": 1}}
    ]


def test_an_array_gives_an_event_for_each_element() -> None:
    """Fields of the element stand at each.NAME, those around it where they are; the event_id is <id>/<index>."""
    row = {
        "session": 12,
        "id": "s12",
        "events": [{"aid": 1, "type": "clicks", "ts": MS}, {"aid": 2, "type": "carts", "ts": MS + 1}],
    }
    made = events(OTTO, record(row))
    assert [(each["user_id"], each["item_id"], each["event_type"], each["timestamp"]) for each in made] == [
        ("12", "1", "click", MS),
        ("12", "2", "add_to_cart", MS + 1),
    ]
    assert [each["event_id"] for each in made] == ["s12/0", "s12/1"]


def test_an_element_without_its_id_refuses_the_record_and_pairs_nothing_wrong() -> None:
    """One bad element, a null among them, refuses all of its record, by its index; no other takes its place."""
    row = {"session": 12, "events": [{"aid": 1, "type": "clicks", "ts": MS}, {"type": "clicks", "ts": MS}]}
    error = refusal(OTTO, record(row))
    assert error.reason == "missing_field"
    assert "element 1 of 2: item_id is missing: nothing stands at 'each.aid'" in error.message
    row = {"session": 12, "events": [None, {"aid": 1, "type": "clicks", "ts": MS}]}
    assert "element 0 of 2" in refusal(OTTO, record(row)).message


def test_elements_may_be_plain_ids() -> None:
    """`each` itself is the element: an array of ids is an array of items."""
    given = settings(each="shown", item_id="each", constants={"event_type": "impression"})
    row = {"user_id": "u1", "timestamp": MS, "shown": ["a", 7]}
    assert [each["item_id"] for each in events(given, record(row))] == ["a", "7"]


def test_a_record_may_be_an_array() -> None:
    """`each = "@"` takes a record that is an array of events."""
    given = settings(
        each="@",
        user_id="each.u",
        item_id="each.i",
        event_type="each.e",
        timestamp="each.t",
        time="ms",
    )
    rows = [{"u": "u1", "i": "a", "e": "view", "t": MS}, {"u": "u2", "i": "b", "e": "view", "t": MS}]
    assert [each["user_id"] for each in events(given, record(rows))] == ["u1", "u2"]


def test_an_empty_array_gives_nothing_and_a_missing_one_is_refused() -> None:
    """No elements, no events; no array at all is a record of another form."""
    assert events(OTTO, record({"session": 1, "events": []})) == []
    assert "each = 'events' gives null" in refusal(OTTO, record({"session": 1})).message
    assert refusal(OTTO, record({"session": 1, "events": {"a": 1}})).reason == "bad_type"


def test_a_path_to_several_ids_names_each() -> None:
    """An array where one id is expected is refused with the way to fan it out."""
    given = settings(item_id="items[].id")
    error = refusal(given, record({"user_id": "u", "event_type": "view", "timestamp": MS, "items": [{"id": 1}]}))
    assert "Name the array in `each`" in error.message


@pytest.mark.parametrize(
    ("found", "part"),
    [
        (77.0, "fraction"),
        (1e30, "of which the last are lost"),
        (True, "neither text nor an integer"),
        ({"a": 1}, "neither text"),
    ],
)
def test_ids_are_text_or_integers(found: object, part: str) -> None:
    """A float may have been another id, and true is none."""
    error = refusal(NESTED, record({"user": {"id": found}, "data": {"sku": 1}, "action": "Product Viewed", "at": 1}))
    assert error.reason == "bad_type" and part in error.message


def test_types_are_renamed_left_out_or_passed_on() -> None:
    """An alias of "" and a type of `ignore` give no event; "*" ignores all that `types` lacks; others are refused."""
    given = {"types": {"cart": "add_to_cart", "search": ""}, "ignore": ["filter"]}
    rows = [
        record({"user_id": "u", "item_id": "a", "event_type": name, "timestamp": MS})
        for name in ("cart", "search", "filter", "view")
    ]
    assert [each["event_type"] for each in events(settings(**given), *rows)] == ["add_to_cart", "view"]
    assert [each["event_type"] for each in events(settings(**given | {"ignore": ["*"]}), *rows)] == ["add_to_cart"]
    error = refusal(settings(**given), rows[0]._replace(value=(rows[0].value or b"").replace(b"cart", b"Wishlist")))
    assert error.reason == "unknown_event_type" and "[sources.<name>] types" in error.message


def test_the_type_of_a_record_is_looked_at_before_its_array() -> None:
    """A record of a type that is left out need not have the array at all."""
    given = settings(each="items", item_id="each.id", ignore=["page_view"])
    assert events(given, record({"user_id": "u", "event_type": "page_view", "timestamp": MS})) == []


def test_rows_that_are_no_interactions_are_filtered() -> None:
    """`where` is asked of the record, or of each element where it says each."""
    given = settings(where="kind == 'product' && qty > `0`", constants={"event_type": "view"})
    row = {"user_id": "u", "item_id": "a", "timestamp": MS, "qty": 1}
    assert len(events(given, record(row | {"kind": "product"}), record(row | {"kind": "search"}))) == 1
    given = settings(each="lines", item_id="each.id", where="each.qty", constants={"event_type": "purchase"})
    row = {"user_id": "u", "timestamp": MS, "lines": [{"id": "a", "qty": None}, {"id": "b", "qty": 2}]}
    assert [each["item_id"] for each in events(given, record(row))] == ["b"]


def test_a_path_that_does_not_fit_a_record_refuses_it() -> None:
    """A function asked of a value of the wrong kind is that record's fault, not an exception."""
    error = refusal(settings(where="length(tags) > `1`"), record({"tags": 5}))
    assert error.reason == "bad_type" and "length(tags)" in error.message


def test_constants_stand_for_fields_and_context() -> None:
    """A constant is the same for all records, also within context."""
    given = settings(constants={"event_type": "click", "context.surface": "web"}, context={"device": "d"})
    row = {"user_id": "u", "item_id": "a", "timestamp": MS, "d": "phone", "event_type": "other"}
    (event,) = events(given, record(row))
    assert event["event_type"] == "click"
    assert event["context"] == {"device": "phone", "surface": "web"}


def test_key_headers_topic_and_the_records_own_time_are_there() -> None:
    """_key, _headers, _topic and _timestamp stand beside a record's fields; a key in quotes is read with key = json."""
    given = settings(
        user_id="_key",
        item_id="_headers.item",
        timestamp="_timestamp",
        event_type="_topic",
        key="json",
        types={"clicks": "click"},
    )
    (event,) = events(given, record({}, b'"u1"', [("item", b"lamp")]))
    assert event == {"user_id": "u1", "item_id": "lamp", "event_type": "click", "timestamp": RECORD_MS}
    assert events(given, record({}, b"77", [("item", b"lamp")]))[0]["user_id"] == "77"
    assert "the value is no JSON" in refusal(given, record({}, b"u1", [("item", b"lamp")])).message


def test_a_time_without_a_declared_unit_is_refused_unless_it_is_iso() -> None:
    """A number could be seconds or milliseconds: its size decides nothing."""
    given = settings(timestamp="ts")
    row = {"user_id": "u", "item_id": "a", "event_type": "view"}
    for number in (1_700_000_000, MS, str(MS)):
        error = refusal(given, record(row | {"ts": number}))
        assert error.reason == "bad_type" and "unit is not declared" in error.message
    assert events(given, record(row | {"ts": "2023-11-14T22:13:20Z"}))[0]["timestamp"] == MS
    assert (
        "no time in the form 'iso'" in refusal(settings(timestamp="ts", time="iso"), record(row | {"ts": MS})).message
    )


def test_long_event_ids_become_their_hash() -> None:
    """An event_id of more than 64 bytes is replaced by 32 hex digits of its BLAKE2b, the element's index in it."""
    row = {"session": 1, "id": "m" * 63, "events": [{"aid": n, "type": "clicks", "ts": MS} for n in range(2)]}
    first, second = (str(each["event_id"]) for each in events(OTTO, record(row)))
    assert len(first) == len(second) == 32 and first != second
    assert events(OTTO, record(row | {"id": "m" * 62}))[1]["event_id"] == "m" * 62 + "/1"
    assert str(events(OTTO, record(row))[0]["event_id"]) == first


def test_what_the_fold_would_refuse_is_refused_here() -> None:
    """Braces in an id, a time in the future, a context that is not flat: one dead letter for the whole record."""
    row = {
        "session": 1,
        "events": [{"aid": "a", "type": "clicks", "ts": MS}, {"aid": "{b}", "type": "clicks", "ts": MS}],
    }
    error = refusal(OTTO, record(row))
    assert error.reason == "out_of_range" and error.message.startswith("element 1 of 2: item_id")
    row["events"] = [{"aid": "a", "type": "clicks", "ts": RECORD_MS + 400_000}]
    assert refusal(OTTO, record(row)).reason == "future_timestamp"
    flat = {"user_id": "u", "item_id": "a", "event_type": "view", "timestamp": MS, "context": {"geo": {"lat": 1}}}
    assert "not flat" in refusal(SourceSettings(), record(flat)).message


def test_configured_types_are_known_where_they_are_given() -> None:
    """A source knows the types of the rules that it is made with."""
    row = record({"user_id": "u", "item_id": "a", "event_type": "share", "timestamp": MS})
    rules = EventRules(types={**DEFAULT_TYPES, "share": EventType("share", 2.0, 1)})
    assert len(make_source(SourceSettings(), rules).read(row)) == 1
    with pytest.raises(InvalidEvent, match="unknown"):
        make_source(SourceSettings()).read(row)


@pytest.mark.parametrize("value", [None, b"", b"{", b"[1]", b"7", b'"x"', b"null", b"\xff"])
def test_what_is_no_object_is_refused(value: bytes | None) -> None:
    """Neither null, nor broken JSON, nor a value that has no fields is an event."""
    assert refusal(SourceSettings(), record(value)).reason in {"not_json", "missing_field"}


def test_the_frame_of_a_serializer_is_named() -> None:
    """A value with Confluent's frame in a source that does not say so names the format to set."""
    error = refusal(SourceSettings(), record(b"\x00\x00\x00\x00\x07{}"))
    assert error.reason == "not_json" and 'format = "confluent"' in error.message
