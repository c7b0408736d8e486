"""From the fields of a record to a catalogue entry or a profile, by the words that events are mapped with."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from app.sources.mapping import as_json, asks_meta
from app.sources.paths import compile_path, is_true, root_names
from app.sources.settings import SourceSettings
from app.sources.source import SourceEvent, SourceRecord
from models.errors import InvalidEvent
from models.events import MAX_ID_BYTES, shown

_IDS: Final = {"items": "item_id", "users": "user_id"}
_EACH: Final = "each"


class EntryMapping:
    """A mapping onto entries of `items` or `users`, with its paths compiled.

    The id is that at the path `item_id` (`user_id`), or the record's key where that gives nothing. Without `fields`
    the record goes on as it is. A record without a value, or a deleted row, deletes.
    """

    def __init__(self, settings: SourceSettings, meta: Callable[[SourceRecord], dict[str, Any]]) -> None:
        self._meta = meta
        self._name = _IDS[settings.kind]
        is_row = settings.format.split("+")[-1] == "debezium"
        self._prefix = "after" if is_row else None
        text = getattr(settings, self._name) or (f"after.{self._name}" if is_row else self._name)
        self._id_text = text
        self._id_path = compile_path(text)
        self._fields = {name: compile_path(path) for name, path in settings.fields.items()}
        self._constants = dict(settings.constants)
        self._each = compile_path(settings.each) if settings.each else None
        self._where = compile_path(settings.where) if settings.where else None
        self._where_in_each = settings.where is not None and _EACH in root_names(settings.where)
        self._wants_meta = asks_meta([text, settings.each, settings.where, *settings.fields.values()])

    def read(self, body: Any, record: SourceRecord) -> list[SourceEvent]:
        """The entries in a record whose wrappers are off; body None: the entry of its key is gone.

        Raises
        ------
        InvalidEvent
            If any of them is none.
        """
        document: dict[str, Any] = dict(body) if isinstance(body, dict) else {}
        if self._wants_meta:
            document |= self._meta(record)
        if body is None:
            return [SourceEvent(self._id(document, record), None)]
        return list(self._entries(document, body, record))

    def _entries(self, document: dict[str, Any], body: Any, record: SourceRecord) -> Iterator[SourceEvent]:
        if self._where is not None and not self._where_in_each and not is_true(self._where(document)):
            return
        if self._each is None:
            yield self._entry(document, body, record)
            return
        elements = self._each(document if isinstance(body, dict) else body)
        if not isinstance(elements, list):
            raise InvalidEvent("bad_type", f"each gives {shown(elements)}: it has to be an array.")
        for index, element in enumerate(elements):
            document[_EACH] = element
            if self._where is not None and self._where_in_each and not is_true(self._where(document)):
                continue
            try:
                yield self._entry(document, element, record)
            except InvalidEvent as invalid:
                raise InvalidEvent(invalid.reason, f"element {index} of {len(elements)}: {invalid.message}") from None

    def _entry(self, document: dict[str, Any], own: Any, record: SourceRecord) -> SourceEvent:
        key = self._id(document, record)
        if self._prefix is not None:
            if isinstance(own, dict) and own.get("op") == "d":
                return SourceEvent(key, None)
            own = own.get(self._prefix) if isinstance(own, dict) else own
        if self._fields:
            entry = {name: path(document) for name, path in self._fields.items()} | self._constants
            entry = {name: value for name, value in entry.items() if value is not None}
        elif isinstance(own, dict):
            entry = {**own, **self._constants}
        else:
            raise InvalidEvent("not_object", f"the entry is {shown(own)}: send an object, or map its `fields`.")
        return SourceEvent(key, as_json(entry))

    def _id(self, document: dict[str, Any], record: SourceRecord) -> bytes:
        found = self._id_path(document)
        if found is None:
            found = self._meta(record)["_key"]
        if isinstance(found, str) or type(found) is int:
            key = str(found).encode("utf-8", "surrogatepass")
            if 0 < len(key) <= MAX_ID_BYTES:
                return key
            raise InvalidEvent("out_of_range", f"{self._name} has {len(key)} bytes: send 1 to {MAX_ID_BYTES}.")
        if found is None:
            raise InvalidEvent(
                "missing_field", f"{self._name} is missing: nothing stands at {self._id_text!r}, and there is no key."
            )
        raise InvalidEvent("bad_type", f"{self._name} has value {shown(found)}: neither text nor an integer.")
