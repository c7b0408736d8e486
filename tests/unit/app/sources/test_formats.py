"""The event formats that are known: Segment, RudderStack, GA4."""

from collections import Counter
from typing import Any

import pytest

from app.sources import SourceSettings
from tests.sources import events, record, refusal, settings

MS = 1_700_000_000_000
SEGMENT = settings(format="segment")


def track(event: str, **changes: Any) -> dict[str, Any]:
    """A call of Segment's spec, as a destination gets it."""
    return {
        "anonymousId": "23adfd82-aa0f-45a7-a756-24f2a7a4c895",
        "context": {"library": {"name": "analytics.js", "version": "2.11.1"}, "ip": "108.0.78.21"},
        "event": event,
        "messageId": "ajs-f8ca1e4de5024d9430b3928bd8ac6b96",
        "properties": {"product_id": "507f1f77bcf86cd799439011", "sku": "G-32", "price": 18.99, "position": 3},
        "receivedAt": "2023-11-14T22:13:22.909Z",
        "sentAt": "2023-11-14T22:20:21.000Z",
        "originalTimestamp": "2023-11-14T22:20:19.000Z",
        "timestamp": "2023-11-14T22:13:20.000Z",
        "type": "track",
        "userId": "AiUGstSDIg",
        **changes,
    }


def products(*ids: object) -> dict[str, object]:
    """Properties of an event about several products."""
    return {"order_id": "50314b8e", "products": [{"product_id": each, "quantity": 1} for each in ids]}


def test_a_segment_event_is_timed_by_the_corrected_clock() -> None:
    """`timestamp`, not `originalTimestamp`, which is what the device's clock said, seven minutes ahead."""
    (event,) = events(SEGMENT, record(track("Product Viewed")))
    assert event == {
        "user_id": "AiUGstSDIg",
        "item_id": "507f1f77bcf86cd799439011",
        "event_type": "view",
        "timestamp": MS,
        "event_id": "ajs-f8ca1e4de5024d9430b3928bd8ac6b96/0",
    }


def test_an_anonymous_person_has_the_anonymous_id() -> None:
    """Without userId, or with null or an empty one, it is anonymousId."""
    for changes in ({"userId": None}, {"userId": ""}):
        (event,) = events(SEGMENT, record(track("Product Viewed", **changes)))
        assert event["user_id"] == "23adfd82-aa0f-45a7-a756-24f2a7a4c895"
    error = refusal(SEGMENT, record(track("Product Viewed", userId=None, anonymousId=None)))
    assert error.reason == "missing_field" and "userId || anonymousId" in error.message


def test_each_product_of_an_order_is_a_purchase() -> None:
    """products[] is fanned out, a list that was viewed as impressions; ids of 100 characters stay unique."""
    order = track("Order Completed", properties=products("a", 7, "c"), messageId="m" * 100)
    made = events(SEGMENT, record(order))
    assert [(each["item_id"], each["event_type"]) for each in made] == [
        ("a", "purchase"),
        ("7", "purchase"),
        ("c", "purchase"),
    ]
    assert len({each["event_id"] for each in made}) == 3
    (shown,) = events(SEGMENT, record(track("Product List Viewed", properties=products("a"))))
    assert shown["event_type"] == "impression"


def test_one_product_without_its_id_refuses_the_order() -> None:
    """No order is counted in part."""
    error = refusal(SEGMENT, record(track("Order Completed", properties=products("a", None, "c"))))
    assert error.message.startswith("element 1 of 3: item_id is missing")


def test_what_is_about_no_product_is_left_out() -> None:
    """Calls other than track, and events that the format gives no meaning, are no events, and no dead letters."""
    others = [track("x", type=kind, properties=None) for kind in ("identify", "page", "group", "alias", "screen")]
    others += [track(name, properties={}) for name in ("Signed Up", "Cart Viewed", "Products Searched")]
    assert events(SEGMENT, *(record(each) for each in others)) == []


def test_own_event_names_are_added_to_those_of_the_format() -> None:
    """`types` adds to and overrides the format's table; an own path replaces one of the format."""
    given = settings(
        format="segment", types={"Video Played": "view", "Product Clicked": ""}, item_id="each.sku", where="userId"
    )
    rows = [
        track("Video Played"),
        track("Product Clicked"),
        track("Product Added"),
        track("Product Added", userId=None),
    ]
    made = events(given, *(record(each) for each in rows))
    assert [(each["item_id"], each["event_type"]) for each in made] == [("G-32", "view"), ("G-32", "add_to_cart")]


def test_a_constant_type_is_ours_already() -> None:
    """A topic of orders alone: the type that is set stands for all, whatever the format leaves out."""
    given = settings(format="segment", constants={"event_type": "purchase"})
    (event,) = events(given, record(track("Thank You Shown")))
    assert event["event_type"] == "purchase"


def test_rudderstack_is_timed_by_original_timestamp() -> None:
    """The same call read as RudderStack's has the other time."""
    (event,) = events(settings(format="rudderstack"), record(track("Product Viewed")))
    assert event["timestamp"] == MS + 419_000


def ga4(name: str, *items: object, **changes: Any) -> dict[str, Any]:
    """A row of a GA4 export to BigQuery, as JSON: integers are texts there."""
    return {
        "event_date": "20231114",
        "event_timestamp": "1700000000123456",
        "event_name": name,
        "event_params": [{"key": "page_title", "value": {"string_value": "Lamps"}}],
        "user_id": None,
        "user_pseudo_id": "1234567890.1700000000",
        "items": [{"item_id": each, "item_name": "Lamp", "price": 20.5} for each in items],
        **changes,
    }


def test_ga4_times_are_microseconds() -> None:
    """event_timestamp is microseconds, as text or as a number; the person is user_id, else user_pseudo_id."""
    rows = [ga4("view_item", "a"), ga4("view_item", "a", event_timestamp=1_700_000_000_123_456, user_id="u9")]
    assert [(each["user_id"], each["timestamp"]) for each in events(settings(format="ga4"), *map(record, rows))] == [
        ("1234567890.1700000000", MS + 123),
        ("u9", MS + 123),
    ]


def test_ga4_rows_give_what_an_independent_count_gives() -> None:
    """Over rows of all kinds, each item of each commerce event is one event of its type, and nothing else is."""
    rows = [
        ga4(name, *[f"i{n}-{each}" for each in range(n % 4)])
        for n in range(200)
        for name in ("page_view", "click", "session_start", "view_item_list", "view_item", "add_to_cart", "purchase")
    ]
    ours = {"view_item_list": "impression", "view_item": "view", "add_to_cart": "add_to_cart", "purchase": "purchase"}
    expected: Counter[str] = Counter()
    for row in rows:
        if row["event_name"] in ours:
            expected[ours[row["event_name"]]] += len(row["items"])
    counted = Counter(each["event_type"] for each in events(settings(format="ga4"), *map(record, rows)))
    assert counted == expected and counted.total() == 4 * 300


@pytest.mark.parametrize("value", [77, "77"])
def test_the_plain_format_takes_integer_ids(value: object) -> None:
    """77 is "77", and is what the key says."""
    row = {"user_id": value, "item_id": value, "event_type": "view", "timestamp": MS}
    (event,) = events(SourceSettings(), record(row))
    assert (event["user_id"], event["item_id"]) == ("77", "77")
