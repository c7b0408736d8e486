"""From the fields of a record to a catalogue entry or a profile, by the words that events are mapped with."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from app.sources.cells import shape_of, truth
from app.sources.ids import plain_id
from app.sources.mapping import as_json, asks_meta
from app.sources.paths import compile_path, is_true, root_names
from app.sources.settings import SourceSettings
from app.sources.source import SourceEvent, SourceRecord
from app.sources.times import time_reader
from models.errors import InvalidEvent
from models.events import checked_id, shown
from tables.catalogue import ENTRY_FIELDS, parse_entry
from tables.entry_fields import OBJECT
from tables.profiles import PROFILE_FIELDS, parse_profile

_EACH: Final = "each"


class EntryKind(NamedTuple):
    """What there is to know of a kind of entries: its id, its fields, and who says whether one is valid."""

    id_name: str
    fields: Mapping[str, str]
    parse: Callable[[bytes], object]


KINDS: Final[Mapping[str, EntryKind]] = {
    "items": EntryKind("item_id", ENTRY_FIELDS, parse_entry),
    "users": EntryKind("user_id", PROFILE_FIELDS, parse_profile),
}


class EntryMapping:
    """A mapping onto entries of `items` or `users`, with its paths compiled.

    The id is that at the path `item_id` (`user_id`), or the record's key where that gives nothing. Without `fields`
    the record goes on as it is; `attributes.NAME` becomes NAME within `attributes`. Values are brought into the form of
    their field where they say the same in another one (`app.sources.cells`), and what comes out is held against the
    parser of those who read it. A record without a value, a deleted row, or one for which `deleted` is true, deletes.
    """

    def __init__(
        self, settings: SourceSettings, meta: Callable[[SourceRecord], dict[str, Any]], *, of_file: bool = False
    ) -> None:
        self._of_file = of_file
        self._meta = meta
        self._name, kinds, self._parse = KINDS[settings.kind]
        is_row = settings.format.split("+")[-1] == "debezium"
        self._prefix = "after" if is_row else None
        text = getattr(settings, self._name) or (f"after.{self._name}" if is_row else self._name)
        self._id_text = text
        self._id_path = compile_path(text)
        self._fields = {name: compile_path(path) for name, path in settings.fields.items()}
        self._keep = settings.keep
        self._constants = dict(settings.constants)
        to_ms = time_reader(settings.time) if settings.time else None
        self._shapes = {name: shape_of(kind, settings.list_separator, to_ms) for name, kind in kinds.items()}
        self._objects = tuple(name for name, kind in kinds.items() if kind == OBJECT)
        self._each = compile_path(settings.each) if settings.each else None
        self._where = compile_path(settings.where) if settings.where else None
        self._where_in_each = settings.where is not None and _EACH in root_names(settings.where)
        self._deleted = compile_path(settings.deleted) if settings.deleted else None
        paths = [text, settings.each, settings.where, settings.deleted, *settings.fields.values()]
        self._wants_meta = asks_meta(paths)

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
        if self._deleted is not None and self._is_gone(self._deleted(document)):
            return SourceEvent(key, None)
        if self._prefix is not None:
            if isinstance(own, dict) and own.get("op") == "d":
                return SourceEvent(key, None)
            own = own.get(self._prefix) if isinstance(own, dict) else own
        if self._fields or self._keep:
            kept = own if self._keep and isinstance(own, dict) else {}
            entry = {name: value for name, value in kept.items() if self._is_known(name)}
            entry |= {name: path(document) for name, path in self._fields.items()} | self._constants
            entry = {name: value for name, value in entry.items() if value is not None}
        elif isinstance(own, dict):
            entry = {**own, **self._constants}
        else:
            raise InvalidEvent("not_object", f"the entry is {shown(own)}: send an object, or map its `fields`.")
        value = as_json(self._shaped(entry))
        self._parse(value)
        return SourceEvent(key, value)

    def _is_gone(self, mark: Any) -> bool:
        """Whether a row is marked as deleted; what is neither yes nor no is not for us to guess."""
        said = truth(mark)
        if said != "" and isinstance(said, str | int | float) and not isinstance(said, bool):
            raise InvalidEvent(
                "bad_type",
                f"deleted has value {shown(mark)}: send true or false. Where a time says so, set it in the source, "
                'e.g. deleted = "deleted_at != `null`".',
            )
        return is_true(said)

    def _shaped(self, entry: dict[str, Any]) -> dict[str, Any]:
        """The fields in the contract's form, and those with a dot within the objects that they name."""
        for name, shape in self._shapes.items():
            if entry.get(name) is not None:
                entry[name] = shape(name, entry[name])
        for name in [name for name in entry if "." in name]:
            outer, _, inner = name.partition(".")
            whole = entry.get(outer, {})
            if outer in self._objects and isinstance(whole, dict):
                entry[outer] = {**whole, inner: entry.pop(name)}
        return entry

    def _is_known(self, name: str) -> bool:
        return name in self._shapes or name.partition(".")[0] in self._objects

    def _id(self, document: dict[str, Any], record: SourceRecord) -> bytes:
        found = self._id_path(document)
        if found is None:
            found = self._meta(record)["_key"]
        if found is None:
            raise InvalidEvent(
                "missing_field", f"{self._name} is missing: nothing stands at {self._id_text!r}, and there is no key."
            )
        return checked_id(self._name, plain_id(found) if self._of_file else found).encode()
