"""What the catalogue says of an item, and whether it may be offered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

TEXT_FIELDS = ("title", "description")
LIST_FIELDS = ("categories", "tags")


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of the catalogue.

    Parameters
    ----------
    fields
        Those of `item_features:<id>`: texts as they are, lists and attributes as JSON.
    available_from_ms, available_until_ms
        When it may be offered, Unix ms; None: no bound.
    """

    fields: Mapping[str, str]
    categories: tuple[str, ...]
    hidden: bool
    available_from_ms: int | None
    available_until_ms: int | None

    @property
    def is_always_offered(self) -> bool:
        """Whether the item may stand in a list at any time."""
        return not self.hidden and self.available_from_ms is None and self.available_until_ms is None

    def is_offered(self, now_ms: int) -> bool:
        """Whether the item may stand in a list now."""
        early = self.available_from_ms is not None and now_ms < self.available_from_ms
        late = self.available_until_ms is not None and now_ms >= self.available_until_ms
        return not (self.hidden or early or late)


def parse_entry(value: bytes) -> Entry:
    """Read a catalogue record; unknown fields are ignored.

    Raises
    ------
    ValueError
        Saying what is wrong with it.
    """
    raw = orjson.loads(value)
    if not isinstance(raw, dict):
        raise ValueError(f"a catalogue entry is a JSON object, not {type(raw).__name__}")
    fields: dict[str, str] = {}
    for name in TEXT_FIELDS:
        if isinstance(raw.get(name), str):
            fields[name] = raw[name]
    for name in LIST_FIELDS:
        if raw.get(name) is not None:
            if not isinstance(raw[name], list) or not all(isinstance(text, str) for text in raw[name]):
                raise ValueError(f"{name} has value {raw[name]!r}: send an array of strings")
            fields[name] = orjson.dumps(raw[name]).decode()
    if isinstance(raw.get("attributes"), dict):
        fields["attributes"] = orjson.dumps(raw["attributes"]).decode()
    return Entry(
        fields,
        tuple(raw.get("categories") or ()),
        raw.get("hidden") is True,
        _time(raw, "available_from"),
        _time(raw, "available_until"),
    )


def _time(raw: Mapping[str, Any], name: str) -> int | None:
    value = raw.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{name} has value {value!r}: send Unix milliseconds UTC as an integer")
    return value
