"""Settings that may fit a sample: a known format, or a mapping by the names of fields."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from app.sniff.fields import EVENT_ID, ITEM, TIME, TYPE, USER, VALUE, arrays_of, fields_of, find
from app.sniff.types import aliases
from app.sniff.units import unit_of
from app.sources import SourceRecord
from app.sources.framing import schema_name
from app.sources.schema_times import by_connect_schema
from app.sources.times import Instant
from app.sources.wrappers import cloudevent, header, is_binary_cloudevent, is_connect
from models.errors import InvalidEvent
from models.foreign import envelope_of, is_framed

MAX_TYPES: Final = 50
_MOST: Final = 0.5

Words = dict[str, Any]
"""Settings of a source, as in TOML."""


def wrappers_of(records: Sequence[SourceRecord]) -> list[str]:
    """What stands around most of the values, the outermost first, as far as bytes and headers tell."""
    n_least = _MOST * len(records)
    found = []
    if sum(_names_a_schema(record) for record in records) > n_least:
        found.append("confluent")
    if sum(header(record, "ce_specversion") is not None for record in records) > n_least:
        found.append("cloudevents")
    return found


def _names_a_schema(record: SourceRecord) -> bool:
    return is_framed(record.value) or header(record, "__value_schema_id") is not None


def documents_of(records: Sequence[SourceRecord]) -> list[Any]:
    """The values that are JSON, also behind a frame."""
    found = []
    for record in records:
        value = record.value
        if value is None:
            continue
        try:
            if _names_a_schema(record):
                _, value = schema_name(value, header(record, "__value_schema_id"))
            found.append(as_document(orjson.loads(value), record))
        except (orjson.JSONDecodeError, InvalidEvent):
            continue
    return found


def as_document(body: Any, record: SourceRecord) -> Any:
    """A value as the mapping's paths see it: that of a binary CloudEvent beside its attributes."""
    return cloudevent(body, record) if is_binary_cloudevent(record) else body


def key_form(records: Sequence[SourceRecord]) -> str:
    """How most of the keys are written."""
    keys = [record.key for record in records if record.key]
    n_least = _MOST * len(keys)
    if keys and sum(is_framed(key) for key in keys) > n_least:
        return "confluent"
    if keys and sum(key[:1] == b'"' == key[-1:] for key in keys) > n_least:
        return "json"
    return "text"


def guesses(wrappers: Sequence[str], documents: Sequence[Any]) -> list[tuple[Words, str]]:
    """Settings to try, the likeliest first, and what is said of each one's time.

    Parameters
    ----------
    wrappers
        Those known already, outermost first.
    documents
        Values behind them.
    """
    objects = [document for document in documents if isinstance(document, dict)]
    envelopes = Counter(found[0] for each in objects if (found := envelope_of(each)))
    envelope = next((name for name, n in envelopes.most_common(1) if n > _MOST * len(objects)), None)
    if envelope == "connect" and "connect" not in wrappers and "debezium" not in wrappers:
        payloads = [by_connect_schema(each["schema"], each["payload"]) for each in objects if is_connect(each)]
        rows = [each for each in payloads if isinstance(each, dict)]
        if rows and sum("op" in each and "after" in each for each in rows) > _MOST * len(rows):
            return guesses([*wrappers, "debezium"], rows)
        return guesses([*wrappers, "connect"], payloads)
    if envelope in ("cloudevents", "debezium") and envelope not in wrappers:
        return guesses([*wrappers, envelope], documents)
    if envelope in ("segment", "ga4") and "debezium" not in wrappers:
        own = "rudderstack" if envelope == "segment" and _has_no_timestamp(objects) else envelope
        said = "the format says so"
        return [({"format": _joined(wrappers, own)}, said), *mappings(wrappers, documents)]
    if wrappers and wrappers[-1] == "cloudevents":
        types = Counter(each["type"] for each in objects if isinstance(each.get("type"), str))
        renamed = aliases(name for name, _ in types.most_common(MAX_TYPES))
        said = "the format says so"
        plain: Words = {"format": _joined(wrappers, None)} | ({"types": renamed} if renamed else {})
        return [(plain, said), ({"format": _joined(wrappers, "freshet")}, said), *mappings(wrappers, documents)]
    return [({"format": _joined(wrappers, None) or "freshet"}, "the format says so"), *mappings(wrappers, documents)]


def mappings(wrappers: Sequence[str], documents: Sequence[Any]) -> list[tuple[Words, str]]:
    """A mapping by the names of fields, with and without an array fanned out."""
    objects = [document for document in documents if isinstance(document, dict)]
    found = [_mapping(wrappers, objects, None, [])]
    for path, arrays in arrays_of(objects).items():
        elements = [element for array in arrays for element in array]
        found.append(_mapping(wrappers, objects, path, elements))
    tops = [element for document in documents if isinstance(document, list) for element in document]
    if len(tops) > len(objects):
        found.append(_mapping(wrappers, [], "@", tops))
    return [each for each in found if each is not None]


def _mapping(
    wrappers: Sequence[str], documents: Sequence[Any], each: str | None, elements: Sequence[Any]
) -> tuple[Words, str] | None:
    outer = {path: values for path, values in fields_of(documents).items() if not path.startswith("before.")}
    inner = {f"each.{path}": values for path, values in fields_of(elements).items()}
    values = {**inner, **outer} if each else outer
    n_least = max(1, int(0.3 * len(documents)))
    is_list_of_ids = bool(elements) and all(isinstance(element, str | int) for element in elements)
    item = find(inner, ITEM, 1) if each else find(outer, ITEM, n_least)
    if each and is_list_of_ids and find({each: ["x"]}, ITEM, 1):
        item = "each"
    user, time = find(outer, USER, n_least) or find(inner, USER, 1), find(values, TIME, 1)
    if item is None or user is None or time is None:
        return None
    words: Words = {"format": _joined(wrappers, None)} if wrappers else {}
    words |= {"each": each} if each else {}
    words |= {"user_id": user, "item_id": item}
    value = find(values, VALUE, n_least)
    taken = {user, item, time, value}
    event_type = find({path: found for path, found in values.items() if path not in taken}, TYPE, n_least)
    constants = {}
    theirs = Counter(each for each in values.get(event_type or "", []) if isinstance(each, str))
    if event_type is not None and 0 < len(theirs) <= MAX_TYPES:
        words["event_type"] = event_type
    else:
        constants["event_type"] = "rating" if value is not None else "view"
    words["timestamp"] = time
    unit_said = "its schema says so"
    if not all(type(found) is Instant for found in values[time]):
        unit = unit_of([found for found in values[time] if type(found) is not Instant])
        unit_said = unit.why
        if unit.form is not None:
            words["time"] = unit.form
    if value is not None:
        words["value"] = value
    event_id = find(outer, EVENT_ID, n_least)
    if event_id is not None and event_id not in taken and _is_unique(outer[event_id]):
        words["event_id"] = event_id
    if constants:
        words["constants"] = constants
    renamed = aliases(name for name, _ in theirs.most_common()) if "event_type" in words else {}
    if renamed:
        words["types"] = renamed
    return words, unit_said


def _is_unique(values: Sequence[Any]) -> bool:
    ids = [value for value in values if isinstance(value, str | int)]
    return len(ids) == len(values) and len(set(ids)) > 0.95 * len(ids)


def _joined(wrappers: Sequence[str], own: str | None) -> str:
    return "+".join([*wrappers, own] if own else wrappers)


def _has_no_timestamp(objects: Sequence[Mapping[str, Any]]) -> bool:
    return sum("timestamp" in each for each in objects) < _MOST * len(objects)
