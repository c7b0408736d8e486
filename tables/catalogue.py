"""What the catalogue says of an item, and whether it may be offered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from models.errors import InvalidEvent
from tables.entry_fields import OBJECT, TEXT, TEXTS, TIME, TRUTH, entry_fields

ENTRY_FIELDS: Final[Mapping[str, str]] = {
    "title": TEXT,
    "description": TEXT,
    "categories": TEXTS,
    "tags": TEXTS,
    "attributes": OBJECT,
    "hidden": TRUTH,
    "available_from": TIME,
    "available_until": TIME,
}
"""Every field of a catalogue entry, and its kind."""


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
    """Read a catalogue entry; unknown fields are ignored.

    Raises
    ------
    InvalidEvent
        If it is none.

    Examples
    --------
    >>> parse_entry(b'{"title": "Lamp", "categories": ["light"]}').categories
    ('light',)
    """
    found = entry_fields(value, ENTRY_FIELDS)
    kept = {name: each for name, each in found.items() if ENTRY_FIELDS[name] in (TEXT, TEXTS, OBJECT)}
    return Entry(
        {name: each if isinstance(each, str) else _as_json(name, each) for name, each in kept.items()},
        tuple(found.get("categories", ())),
        found.get("hidden", False),
        found.get("available_from"),
        found.get("available_until"),
    )


def _as_json(name: str, found: object) -> str:
    try:
        return orjson.dumps(found).decode()
    except TypeError as error:  # deeper than can be written
        raise InvalidEvent("bad_type", f"{name} cannot be written as JSON: {error}. Send a flatter one.") from None
