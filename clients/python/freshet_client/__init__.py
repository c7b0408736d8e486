"""Events into Freshet, recommendation lists out of it.

Examples
--------
>>> from freshet_client import Reader
>>> with Reader("redis://localhost:6379/0") as reader:  # doctest: +SKIP
...     found = reader.recs("u42", segment="f-25-34")
"""

from freshet_client.collector import EventCollector
from freshet_client.errors import (
    FreshetError,
    InvalidEvent,
    ServiceError,
    SettingsError,
    StateError,
    UnknownVersion,
)
from freshet_client.events import UserEvent
from freshet_client.features import FeatureStore
from freshet_client.lists import ListItem, RecommendationList
from freshet_client.producer import Position
from freshet_client.reader import AsyncReader, Reader
from freshet_client.requests import ItemDetails, ItemState

__all__ = [
    "AsyncReader",
    "EventCollector",
    "FeatureStore",
    "FreshetError",
    "InvalidEvent",
    "ItemDetails",
    "ItemState",
    "ListItem",
    "Position",
    "Reader",
    "RecommendationList",
    "ServiceError",
    "SettingsError",
    "StateError",
    "UnknownVersion",
    "UserEvent",
]
