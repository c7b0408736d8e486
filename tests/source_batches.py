"""Batches of records as real serializers wrote them (`tests/golden/serializers`), and a source for each."""

import gzip
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson

from tests.source_counts import Given

RECORDED: Final = Path(__file__).parent / "golden" / "sources.json.gz"
REGISTRY: Final = "http://registry"
_CLOUDEVENTS: Final[dict[str, Any]] = {
    "format": "cloudevents",
    "types": {"product.viewed": "view", "product.bought": "purchase", "product.hovered": ""},
}
_LINES: Final[dict[str, Any]] = {
    "each": "lines",
    "item_id": "each.sku",
    "event_id": "order_no",
    "where": "status == 'paid' && each.quantity",
    "constants": {"event_type": "purchase"},
}
_CONFLUENT: Final[dict[str, Any]] = {"format": "confluent", "registry": REGISTRY}
SOURCES: Final[Mapping[str, Mapping[str, Any]]] = {
    "freshet": {"ignore": ["heartbeat"]},
    "segment": {"format": "segment"},
    "rudderstack": {"format": "rudderstack"},
    "ga4": {"format": "ga4"},
    "cloudevents binary": _CLOUDEVENTS,
    "cloudevents structured": _CLOUDEVENTS,
    "debezium": {"format": "debezium", "timestamp": "after.us", "time": "us"},
    "connect": {"format": "connect", "timestamp": "at", "value": "stars"},
    "confluent json": {**_CONFLUENT, "where": "!bot"},
    "confluent avro": {**_CONFLUENT, **_LINES, "user_id": "customer", "timestamp": "at"},
    "mapping": {**_LINES, "user_id": "customer || _key", "key": "json", "timestamp": "placed", "time": "s"},
}
"""Name of a batch -> what `[sources.<name>]` says of its records."""


@cache
def batch(name: str) -> list[Given]:
    """The recorded batch of a format."""
    recorded = orjson.loads(gzip.decompress(RECORDED.read_bytes()))[name]
    return [
        Given(_raw(key), _raw(value), {name: value.encode("latin-1") for name, value in headers}, recorded["schemas"])
        for key, value, headers in recorded["records"]
    ]


def _raw(text: str | None) -> bytes | None:
    return None if text is None else text.encode("latin-1")
