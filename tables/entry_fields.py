"""The fields of catalogue entries and profiles: which kinds there are, and how a record's JSON is held against them."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from models.errors import InvalidEvent
from models.events import checked_id, shown

MAX_ENTRY_BYTES: Final = 1_000_000
"""Longest value of an entry; topics take 1,048,588 bytes unless they are told otherwise."""

TEXT, TEXTS, TRUTH, TIME, AGE, OBJECT = "text", "texts", "truth", "time", "age", "object"

WANTED: Final[Mapping[str, str]] = {
    TEXT: "send a string",
    TEXTS: "send an array of strings",
    TRUTH: "send true or false",
    TIME: "send Unix milliseconds UTC as an integer",
    AGE: "send whole years, 0 to 150",
    OBJECT: "send an object",
}
"""What to do about a field that is not of its kind."""

_MAX_AGE: Final = 150
_SECONDS: Final = range(10**9, 10**10)  # 2001 to 2286; in milliseconds a spring day of 1970


def entry_key(name: str, key: bytes | None) -> str:
    """The id that a record's key is: UTF-8, under the rules of the ids in events.

    Raises
    ------
    InvalidEvent
        If it is none.
    """
    try:
        return checked_id(name, (key or b"").decode())
    except UnicodeDecodeError:
        raise InvalidEvent("wrong_key", f"the key is {shown(key)}: send the {name} in UTF-8.") from None


def entry_fields(value: bytes, kinds: Mapping[str, str]) -> dict[str, Any]:
    """Read the known fields of a record; null counts as absent, unknown fields are ignored.

    Parameters
    ----------
    kinds
        Field -> its kind, one of `WANTED`.

    Raises
    ------
    InvalidEvent
        For whatever is no such record.
    """
    if len(value) > MAX_ENTRY_BYTES:
        raise InvalidEvent("too_large", f"the entry has {len(value)} bytes: send at most {MAX_ENTRY_BYTES}.")
    try:
        raw = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise InvalidEvent("not_json", f"the entry is {shown(value)}: {error}. Send a JSON object in UTF-8.") from None
    if not isinstance(raw, dict):
        raise InvalidEvent("not_object", f"the entry is {shown(raw)}: send a JSON object.")
    found = {name: raw[name] for name in kinds if raw.get(name) is not None}
    for name, each in found.items():
        _check(name, kinds[name], each)
    return found


def _check(name: str, kind: str, found: object) -> None:
    if not _is_of_kind(kind, found):
        raise InvalidEvent("bad_type", f"{name} has value {shown(found)}: {WANTED[kind]}.")
    if kind == AGE and not 0 <= _number(found) <= _MAX_AGE:
        raise InvalidEvent("out_of_range", f"{name} has value {shown(found)}: {WANTED[kind]}.")
    if kind == TIME and _number(found) in _SECONDS:
        raise InvalidEvent(
            "out_of_range", f"{name} has value {shown(found)}, which looks like seconds: {WANTED[kind]}."
        )


def _is_of_kind(kind: str, found: object) -> bool:
    if kind == TEXT:
        return isinstance(found, str)
    if kind == TEXTS:
        return isinstance(found, list) and all(isinstance(text, str) for text in found)
    if kind == TRUTH:
        return isinstance(found, bool)
    if kind == OBJECT:
        return isinstance(found, dict)
    return type(found) is int


def _number(found: object) -> int:
    return found if isinstance(found, int) else 0
