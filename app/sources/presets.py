"""The event formats that are known beforehand, as the mappings that they are."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

ALL_OTHERS: Final = "*"

_SEGMENT_TYPES: Final = {
    "Product List Viewed": "impression",
    "Product Viewed": "view",
    "Product Clicked": "click",
    "Product Added": "add_to_cart",
    "Product Added to Wishlist": "like",
    "Order Completed": "purchase",
}
_SEGMENT: Final[dict[str, Any]] = {
    "where": "type == 'track'",
    "user_id": "userId || anonymousId",
    "each": "properties.products || [properties]",
    "item_id": "each.product_id",
    "event_type": "event",
    "timestamp": "timestamp",
    "time": "iso",
    "event_id": "messageId",
    "types": _SEGMENT_TYPES,
    "ignore": (ALL_OTHERS,),
}

PRESETS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "freshet": {
            "user_id": "user_id",
            "item_id": "item_id",
            "event_type": "event_type",
            "timestamp": "timestamp",
            "time": "ms",
            "event_id": "event_id",
            "value": "value",
            "context": "context",
        },
        "segment": _SEGMENT,  # `timestamp` is corrected for the skew of the device's clock, `originalTimestamp` is not
        "rudderstack": _SEGMENT | {"timestamp": "originalTimestamp"},
        "ga4": {
            "user_id": "user_id || user_pseudo_id",
            "each": "items",
            "item_id": "each.item_id",
            "event_type": "event_name",
            "timestamp": "event_timestamp",
            "time": "us",  # as text in exports to JSON
            "types": {
                "view_item_list": "impression",
                "view_item": "view",
                "select_item": "click",
                "add_to_cart": "add_to_cart",
                "add_to_wishlist": "like",
                "purchase": "purchase",
            },
            "ignore": (ALL_OTHERS,),  # also its `click`, which is one on a link to elsewhere
        },
    }
)
"""Format -> the settings that it stands for. What `[sources.<name>]` says itself goes first; types are added."""

CLOUDEVENTS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "user_id": "data.user_id",
        "item_id": "data.item_id || subject",
        "event_type": "type",
        "timestamp": "time",
        "time": "iso",
        "event_id": "_event_id",
        "value": "data.value",
        "context": "data.context",
    }
)
"""What `format = "cloudevents"` says of the plain fields; with another format behind, that one looks at `data`."""
