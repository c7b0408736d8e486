"""From the fields of a record to plain events: paths, time, aliases, constants, a filter, and an array fanned out."""

from collections.abc import Callable, Iterable
from typing import Any, Final

import orjson

from app.sources.elements import EACH, element_id, fitting_id
from app.sources.ids import plain_id
from app.sources.paths import Path, compile_path, is_true, root_names
from app.sources.presets import CLOUDEVENTS, PRESETS
from app.sources.settings import PATH_FIELDS, SourceSettings
from app.sources.source import SourceEvent, SourceRecord
from app.sources.times import NUMBER, Instant, iso_ms, time_reader
from app.sources.type_names import TypeNames
from models.errors import InvalidEvent
from models.events import EventRules, decode, shown

META: Final = frozenset(("_key", "_headers", "_topic", "_timestamp"))
_AFTER: Final = "after."

Meta = Callable[[SourceRecord], dict[str, Any]]
Refused = list[tuple[int, InvalidEvent]]


class EventMapping:
    """A mapping with its paths compiled.

    Parameters
    ----------
    settings
        What the source says.
    rules
        What a valid event is, so that a bad element refuses its whole record here.
    meta
        Gives `META` of a record.
    of_file
        Records are rows of a file: whole numbers as ids may be written as floats, see `plain_id`.
    """

    def __init__(self, settings: SourceSettings, rules: EventRules, meta: Meta, *, of_file: bool = False) -> None:
        self._of_file = of_file
        self._rules = rules
        self._meta = meta
        given = _with_preset(settings)
        names: dict[str, str] = {name: given[name] for name in PATH_FIELDS if name in given}
        self._names = names
        self._paths: dict[str, Path] = {name: compile_path(text) for name, text in names.items()}
        self._paths |= {name: _always(value) for name, value in settings.constants.items() if name in PATH_FIELDS}
        context = given.get("context")
        table: dict[str, str] = context if isinstance(context, dict) else {}
        self._context_paths = {name: compile_path(text) for name, text in table.items()}
        self._context_whole = compile_path(context) if isinstance(context, str) else None
        self._context_constants = {
            name.removeprefix("context."): value
            for name, value in settings.constants.items()
            if name not in PATH_FIELDS
        }
        constant = settings.constants.get("event_type")
        self._constant_type = None if constant is None else str(constant)
        time = given.get("time")
        self._to_ms = None if time is None else time_reader(time)
        self._time_said = time
        self._each_name = given.get("each")
        self._each = compile_path(self._each_name) if self._each_name else None
        self._types = TypeNames(given.get("types", {}), given.get("ignore") or ())
        wheres = [where for where in (given.get("preset_where"), settings.where) if where is not None]
        self._wheres = [compile_path(where) for where in wheres if EACH not in root_names(where)]
        self._element_wheres = [compile_path(where) for where in wheres if EACH in root_names(where)]
        self._type_first = self._each is not None and EACH not in root_names(names.get("event_type", "none"))
        whole = context if isinstance(context, str) else None
        texts = [*names.values(), *wheres, *table.values(), self._each_name, whole]
        self._wants_meta = asks_meta(texts)

    def read(self, body: Any, record: SourceRecord) -> list[SourceEvent]:
        """The events in a record whose wrappers are off.

        Raises
        ------
        InvalidEvent
            If any of them is none.
        """
        return self._read(body, record, None)

    def read_apart(self, body: Any, record: SourceRecord) -> list[SourceEvent | InvalidEvent]:
        """The events in a record, in their order; in the place of an element that is none, what is wrong with it.

        Raises
        ------
        InvalidEvent
            For what is wrong with the record itself.
        """
        refused: Refused = []
        found: list[SourceEvent | InvalidEvent] = [*self._read(body, record, refused)]
        for place, invalid in refused:
            found.insert(place, invalid)
        return found

    def _read(self, body: Any, record: SourceRecord, refused: Refused | None) -> list[SourceEvent]:
        """`refused` takes in bad elements, each with its place in the answer; None: the first one is raised."""
        outer = ({**body} if isinstance(body, dict) else {}) | self._meta(record) if self._wants_meta else body
        if not all(is_true(where(outer)) for where in self._wheres):
            return []
        if self._each is None:
            event = self._event(outer, record, None)
            return [] if event is None else [event]
        if self._type_first and self._type(outer) is None:
            return []
        return self._elements(self._each(outer if isinstance(body, dict) else body), outer, record, refused)

    def _elements(self, elements: Any, outer: Any, record: SourceRecord, refused: Refused | None) -> list[SourceEvent]:
        if not isinstance(elements, list):
            reason = "missing_field" if elements is None else "bad_type"
            raise InvalidEvent(reason, f"each = {self._each_name!r} gives {shown(elements)}: it has to be an array.")
        events: list[SourceEvent] = []
        document = dict(outer) if isinstance(outer, dict) else {}
        for index, element in enumerate(elements):
            document[EACH] = element
            try:
                if not all(is_true(where(document)) for where in self._element_wheres):
                    continue
                event = self._event(document, record, index)
            except InvalidEvent as invalid:
                said = InvalidEvent(invalid.reason, f"element {index} of {len(elements)}: {invalid.message}")
                if refused is None:
                    raise said from None
                refused.append((len(events) + len(refused), said))
                continue
            if event is not None:
                events.append(event)
        return events

    def _event(self, document: Any, record: SourceRecord, index: int | None) -> SourceEvent | None:
        event_type = self._type(document)
        if event_type is None:
            return None
        user_id, item_id = self._id("user_id", document), self._id("item_id", document)
        event: dict[str, Any] = {
            "user_id": user_id,
            "item_id": item_id,
            "event_type": event_type,
            "timestamp": self._time(document),
        }
        event_id = self._optional("event_id", document)
        if event_id is not None:
            text = self._as_id("event_id", event_id)
            event["event_id"] = fitting_id(text) if index is None else element_id(text, index)
        number = self._optional("value", document)
        if number is not None:
            event["value"] = number_of(number)
        context = self._context(document)
        if context is not None:
            event["context"] = context
        key, value = user_id.encode("utf-8", "surrogatepass"), as_json(event)
        decode(key, value, record.timestamp_ms, self._rules)
        return SourceEvent(key, value)

    def _type(self, document: Any) -> str | None:
        """Our name of the type; None where it is left out. A constant is ours already."""
        if self._constant_type is not None:
            return self._constant_type
        theirs = self._required("event_type", document)
        if isinstance(theirs, int) and not isinstance(theirs, bool):
            theirs = str(theirs)
        if not isinstance(theirs, str):
            raise self._refused("event_type", theirs, "not a string")
        return self._types.of(theirs)

    def _id(self, name: str, document: Any) -> str:
        return self._as_id(name, self._required(name, document))

    def _as_id(self, name: str, found: Any) -> str:
        if self._of_file:
            found = plain_id(found)
        if type(found) is str:
            return found
        if type(found) is int:
            return str(found)
        if isinstance(found, list):
            raise self._refused(name, found, "not one id. Name the array in `each`, and its element's id as each.NAME")
        if isinstance(found, float):
            raise self._refused(
                name,
                found,
                "a number with a fraction, or with more digits than 64 bits hold, of which the last are lost (it is "
                "shown as it was rounded). Send ids as text or integers",
            )
        raise self._refused(name, found, "neither text nor an integer")

    def _time(self, document: Any) -> int:
        found = self._required("timestamp", document)
        if type(found) is Instant:
            return int(found)
        if self._to_ms is None:
            ms = iso_ms(found) if isinstance(found, str) else None
            if ms is None:
                raise self._refused("timestamp", found, 'its unit is not declared. Set time, e.g. time = "ms"')
            return ms
        ms = self._to_ms(found)
        if ms is None:
            raise self._refused("timestamp", found, f"no time in the form {self._time_said!r}. Set `time` to its form")
        return ms

    def _context(self, document: Any) -> Any:
        whole = self._context_whole(document) if self._context_whole else None
        if whole == "":
            whole = None
        if not (self._context_paths or self._context_constants) or not (whole is None or isinstance(whole, dict)):
            return whole
        found = {name: path(document) for name, path in self._context_paths.items()} | self._context_constants
        return (whole or {}) | {name: value for name, value in found.items() if value is not None and value != ""}

    def _required(self, name: str, document: Any) -> Any:
        found = self._paths[name](document)
        if found is None:
            raise InvalidEvent("missing_field", f"{name} is missing: nothing stands at {self._names[name]!r}.")
        return found

    def _optional(self, name: str, document: Any) -> Any:
        path = self._paths.get(name)
        found = path(document) if path is not None else None
        return None if found == "" else found

    def _refused(self, name: str, found: object, why: str) -> InvalidEvent:
        return InvalidEvent("bad_type", f"{name} has value {shown(found)}: {why}.")


def asks_meta(expressions: Iterable[str | None]) -> bool:
    """Whether any of the paths asks for what is known of the record itself."""
    return any(root_names(expression) & META for expression in expressions if expression)


def number_of(found: object) -> object:
    """The number that a text spells; what is no text stays as it is."""
    if isinstance(found, str) and (match := NUMBER.fullmatch(found)):
        return int(found) if match[2] is None and match[3] is None and len(match[1]) < 16 else float(found)
    return found


def as_json(fields: dict[str, Any]) -> bytes:
    """JSON bytes of what a record had.

    Raises
    ------
    InvalidEvent
        For what JSON cannot say, an unpaired surrogate or an integer beyond 64 bits.
    """
    try:
        return orjson.dumps(fields)
    except TypeError as error:
        raise InvalidEvent("bad_type", f"a field cannot be written as JSON: {error}.") from None


def _with_preset(settings: SourceSettings) -> dict[str, Any]:
    """What the format stands for, with what the settings say themselves over it."""
    is_bare = settings.format.split("+")[-1] in ("cloudevents", "debezium")
    if is_bare and "cloudevents" in settings.wrappers and "debezium" not in settings.wrappers:
        preset = dict(CLOUDEVENTS)
    else:
        preset = dict(PRESETS[settings.event_format])
    if is_bare and "debezium" in settings.wrappers:
        preset = {name: f"{_AFTER}{path}" for name, path in preset.items() if name != "time"}
    said = {name: getattr(settings, name) for name in (*PATH_FIELDS, "context", "each", "time", "ignore")}
    said = {name: value for name, value in said.items() if value is not None}
    if "timestamp" in said and "time" not in said:
        preset.pop("time", None)
    preset_where = preset.pop("where", None)
    types = preset.pop("types", {}) | settings.types
    for name in settings.constants:
        preset.pop(name, None)
    return preset | said | {"types": types, "preset_where": preset_where}


def _always(value: object) -> Path:
    return lambda document: value
