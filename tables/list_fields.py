"""The catalogue's fields inside lists: which may be asked for, and the bytes that one entry gives."""

from collections.abc import Sequence
from typing import Any, Final

import orjson

from tables.catalogue import Entry

LISTABLE: Final = ("title", "description", "categories", "tags", "available_from", "available_until")
"""Fields of an entry that may stand in lists by their name; `attributes.NAME` names one within the attributes."""

MAX_LIST_FIELDS: Final = 8
MAX_FIELD_BYTES: Final = 1000
"""Longest value as JSON; a longer one is left out, as each of 30 items would carry it."""

_WITHIN: Final = "attributes."


def checked_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse what cannot stand in lists.

    Raises
    ------
    ValueError
        If a name is none of `LISTABLE` and no attribute, stands twice, or there are more than `MAX_LIST_FIELDS`.
    """
    if len(names) > MAX_LIST_FIELDS:
        raise ValueError(
            f"{len(names)} fields are too many: every item of every list has them. Name at most {MAX_LIST_FIELDS}"
        )
    for name in names:
        if name == "hidden":
            raise ValueError("hidden is the same for all: items that are hidden are in no list. Take it out")
        if name not in LISTABLE and not (name.startswith(_WITHIN) and len(name) > len(_WITHIN)):
            raise ValueError(
                f"{name!r} is no field of the catalogue that lists may have: {', '.join(LISTABLE)}, attributes.NAME"
            )
        if names.count(name) > 1:
            raise ValueError(f"{name!r} stands there twice. Name it once")
    return names


def listed(entry: Entry, names: Sequence[str]) -> orjson.Fragment | None:
    """The chosen fields of an entry as they came, as JSON; None if it has none of them.

    An attribute that is an object or an array is left out, and so is what is longer than `MAX_FIELD_BYTES`.

    Examples
    --------
    >>> from tables.catalogue import parse_entry
    >>> entry = parse_entry(b'{"title": "Lamp", "attributes": {"price": 59.9, "sizes": [1, 2]}}')
    >>> orjson.dumps(listed(entry, ["title", "tags", "attributes.price", "attributes.sizes"]))
    b'{"title":"Lamp","attributes.price":59.9}'
    """
    attributes = orjson.loads(entry.fields.get("attributes", "{}")) if any(map(_is_within, names)) else {}
    found = {name: _value(entry, attributes, name) for name in names}
    parts = [
        orjson.dumps(name) + b":" + value
        for name, each in found.items()
        if each is not None and len(value := orjson.dumps(each)) <= MAX_FIELD_BYTES
    ]
    return orjson.Fragment(b"{%s}" % b",".join(parts)) if parts else None


def _value(entry: Entry, attributes: dict[str, Any], name: str) -> Any:
    if _is_within(name):
        value = attributes.get(name.removeprefix(_WITHIN))
        return value if isinstance(value, str | int | float) else None
    if name in ("available_from", "available_until"):
        return getattr(entry, f"{name}_ms")
    text = entry.fields.get(name)
    return text if text is None or name in ("title", "description") else orjson.loads(text)


def _is_within(name: str) -> bool:
    return name.startswith(_WITHIN)
