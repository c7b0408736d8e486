"""What each format's records hold, found without the sources: JSON's and Avro's own readers, and its rules in a row."""

import base64
import io
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import fastavro

from tests.sources import RECORD_MS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_MS = RECORD_MS + 300_000
TYPES = {"impression", "view", "click", "add_to_cart", "like", "purchase", "rating"}
SEGMENT = {
    "Product List Viewed": "impression",
    "Product Viewed": "view",
    "Product Clicked": "click",
    "Product Added": "add_to_cart",
    "Product Added to Wishlist": "like",
    "Order Completed": "purchase",
}
GA4 = {
    "view_item_list": "impression",
    "view_item": "view",
    "select_item": "click",
    "add_to_cart": "add_to_cart",
    "add_to_wishlist": "like",
    "purchase": "purchase",
}
Counted = tuple[str, str, str, int]
"""User, item, type and Unix milliseconds of one event."""


class Refused(Exception):
    """A record that is no valid event."""


class Given(NamedTuple):
    """A record as it lies in a topic, and the schemas of its registry by path."""

    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]
    schemas: Mapping[str, Mapping[str, str]]


def event(user: object, item: object, kind: object, ms: int) -> Counted:
    """One event under the rules of all of them."""
    for found in (user, item):
        if type(found) not in (str, int) or not str(found) or "{" in str(found):
            raise Refused(f"{found!r} is no id")
    if kind not in TYPES or not 0 < ms <= LATEST_MS:
        raise Refused(f"{kind!r} at {ms}")
    return str(user), str(item), str(kind), ms


def parsed(value: bytes | None) -> Any:
    """The JSON that a value is."""
    try:
        return json.loads(value or b"")
    except ValueError as error:
        raise Refused(str(error)) from None


def iso(text: str | None) -> int:
    """Unix milliseconds of an ISO 8601 time, rounded down."""
    if not text:
        raise Refused("no time")
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)


def freshet(given: Given) -> list[Counted]:
    """The plain form, heartbeats left out; a time may be digits as text, a rating has its value."""
    row = parsed(given.value)
    if row["event_type"] == "heartbeat":
        return []
    stamp = row["timestamp"]
    if isinstance(stamp, str) and not stamp.isdigit():
        raise Refused(stamp)
    if row["event_type"] == "rating" and row["value"] is None:
        raise Refused("no value")
    return [event(row["user_id"], row["item_id"], row["event_type"], int(stamp))]


def _track(given: Given, time: str) -> list[Counted]:
    call = parsed(given.value)
    if call["type"] != "track" or call["event"] not in SEGMENT:
        return []
    user = call["userId"] or call["anonymousId"]
    products = call["properties"].get("products") or [call["properties"]]
    return [event(user, each.get("product_id"), SEGMENT[call["event"]], iso(call[time])) for each in products]


def segment(given: Given) -> list[Counted]:
    """Product calls of `track`, one event a product, at the server's time."""
    return _track(given, "timestamp")


def rudderstack(given: Given) -> list[Counted]:
    """The same at the device's time."""
    return _track(given, "originalTimestamp")


def ga4(given: Given) -> list[Counted]:
    """One event of each item of a commerce event, microseconds."""
    row = parsed(given.value)
    if row["event_name"] not in GA4:
        return []
    if row["items"] is None:
        raise Refused("no items")
    user, stamp = row["user_id"] or row["user_pseudo_id"], str(row["event_timestamp"])
    if row["items"] and not stamp.isdigit():
        raise Refused(stamp)
    return [event(user, each.get("item_id"), GA4[row["event_name"]], int(stamp) // 1000) for each in row["items"]]


def _cloudevent(attributes: Mapping[str, Any], data: Any) -> list[Counted]:
    names = {"product.viewed": "view", "product.bought": "purchase", "product.hovered": None}
    kind = names.get(attributes["type"], attributes["type"])
    if kind is None:
        return []
    if not isinstance(data, dict):
        raise Refused("no data")
    item = data.get("item_id") or attributes.get("subject")
    return [event(data["user_id"], item, kind, iso(attributes.get("time")))]


def cloudevents_binary(given: Given) -> list[Counted]:
    """Attributes in headers, the value the data; a tombstone says nothing."""
    if given.value is None:
        return []
    attributes = {name[3:]: value.decode() for name, value in given.headers.items() if name.startswith("ce_")}
    try:
        data = json.loads(given.value)
    except ValueError:
        data = None
    return _cloudevent(attributes, data)


def cloudevents_structured(given: Given) -> list[Counted]:
    """Attributes beside the data, which may be in base64."""
    if given.value is None:
        return []
    whole = parsed(given.value)
    packed = whole.get("data_base64")
    return _cloudevent(whole, json.loads(base64.b64decode(packed)) if packed else whole.get("data"))


def debezium(given: Given) -> list[Counted]:
    """Rows inserted; no snapshots, updates, deletes, truncations and tombstones; microseconds."""
    if given.value is None:
        return []
    whole = parsed(given.value)
    change = whole.get("payload", whole)
    if change["op"] != "c":
        return []
    row = change["after"]
    return [event(row["user_id"], row["item_id"], row["event_type"], row["us"] // 1000)]


def connect(given: Given) -> list[Counted]:
    """The payload beside its schema; user_id is a decimal of scale 0 in base64, a rating has its stars."""
    if given.value is None:
        return []
    whole = parsed(given.value)
    if set(whole) != {"schema", "payload"}:
        raise Refused("no schema")
    row = whole["payload"]
    if row is None:
        return []
    if row["user_id"] is None or row["at"] is None or (row["event_type"] == "rating" and row["stars"] is None):
        raise Refused("a field is missing")
    user = int.from_bytes(base64.b64decode(row["user_id"]), "big", signed=True)
    return [event(user, row["item_id"], row["event_type"], row["at"])]


def _unframed(given: Given) -> tuple[Mapping[str, str], bytes]:
    """The schema that a value names in its frame or its header, and what is behind."""
    if given.value is None:
        raise Refused("no value")
    guid = given.headers.get("__value_schema_id")
    if guid is not None:
        text = guid[1:].hex()
        name = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
        return given.schemas[f"/schemas/guids/{name}"], given.value
    if len(given.value) < 5:
        raise Refused("no frame")
    return given.schemas[f"/schemas/ids/{int.from_bytes(given.value[1:5], 'big')}"], given.value[5:]


def confluent_json(given: Given) -> list[Counted]:
    """The plain form behind a frame, bots left out."""
    schema, body = _unframed(given)
    assert schema["schemaType"] == "JSON"
    row = parsed(body)
    if row["bot"]:
        return []
    return [event(row["user_id"], row["item_id"], row["event_type"], row["timestamp"])]


def confluent_avro(given: Given) -> list[Counted]:
    """Lines of paid orders by fastavro with its own logical types; a line without a quantity is left out."""
    schema, body = _unframed(given)
    stream = io.BytesIO(body)
    try:
        order = fastavro.schemaless_reader(stream, fastavro.parse_schema(json.loads(schema["schema"])), None)
    except (ValueError, IndexError, EOFError) as error:
        raise Refused(type(error).__name__) from None
    if stream.read():
        raise Refused("bytes are left")
    assert isinstance(order, dict)
    at = (order["at"] - EPOCH) // timedelta(milliseconds=1)
    return _lines(order, order["customer"], at)


def mapping(given: Given) -> list[Counted]:
    """Lines of paid orders in seconds with a fraction; a guest is the key, which stands in quotes."""
    order = parsed(given.value)
    return _lines(order, order["customer"] or parsed(given.key), round(order["placed"] * 1000))


def _lines(order: Mapping[str, Any], user: object, ms: int) -> list[Counted]:
    if order["status"] != "paid":
        return []
    return [event(user, each["sku"], "purchase", ms) for each in order["lines"] if each["quantity"] is not None]


COUNTS: Mapping[str, Callable[[Given], list[Counted]]] = {
    "freshet": freshet,
    "segment": segment,
    "rudderstack": rudderstack,
    "ga4": ga4,
    "cloudevents binary": cloudevents_binary,
    "cloudevents structured": cloudevents_structured,
    "debezium": debezium,
    "connect": connect,
    "confluent json": confluent_json,
    "confluent avro": confluent_avro,
    "mapping": mapping,
}
"""Name of a recorded batch -> the events that one of its records holds; raises `Refused`."""


def by_hand(name: str, records: Iterable[Given]) -> list[list[Counted] | None]:
    """What a batch's records hold; None for one that is refused."""

    def events(each: Given) -> list[Counted] | None:
        try:
            return COUNTS[name](each)
        except Refused:
            return None

    return [events(each) for each in records]
