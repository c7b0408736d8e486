"""A source put together from its settings: bytes, wrappers, then the mapping."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app.sources.entries import EntryMapping
from app.sources.framing import json_value, schema_name
from app.sources.mapping import EventMapping
from app.sources.settings import SourceSettings
from app.sources.source import Source, SourceEvent, SourceRecord
from app.sources.times import Instant
from app.sources.wrappers import CHANGES, change, cloudevent, connect_payload, header, is_binary_cloudevent
from models.errors import InvalidEvent
from models.events import EventRules, shown
from models.foreign import hint_of_value

if TYPE_CHECKING:
    from app.sources.avro import AvroReader
    from app.sources.registry import Fetch, Schemas

_VALUE_SCHEMA, _KEY_SCHEMA = "__value_schema_id", "__key_schema_id"
_GONE = object()


def make_source(settings: SourceSettings, rules: EventRules | None = None, *, fetch: "Fetch | None" = None) -> Source:
    """Build a source.

    Parameters
    ----------
    rules
        What a valid event is (`Settings.rules`): what they refuse, the source refuses. The default ones if None.
    fetch
        Asks the schema registry; over HTTP if None.

    Raises
    ------
    SettingsError
        When a schema's or a password's file cannot be read.
    """
    return _Source(settings, rules if rules is not None else EventRules(), fetch)


def file_source(settings: SourceSettings, rules: EventRules) -> Source:
    """A source for lines and rows of files, which have no frames and no keys: what is behind the frame is in them."""
    names = [name for name in settings.format.split("+") if name != "confluent"]
    plain = {"format": "+".join(names) or "freshet", "key": "text", "registry": None, "schema_file": None}
    return _Source(settings.model_copy(update=plain), rules, None, of_file=True)


def _schemas(settings: SourceSettings, fetch: "Fetch | None") -> "Schemas | None":
    if settings.registry is None:
        return None
    from app.sources.registry import Schemas, http_fetch  # Avro and HTTP: only for those who need them

    return Schemas(fetch or http_fetch(settings.registry, settings.registry_ca_file, settings.registry_login_file))


def _local_schema(settings: SourceSettings) -> "AvroReader | None":
    if settings.schema_file is None:
        return None
    from app.sources.avro import local_schema

    return local_schema(settings.schema_file)


def _too_deep() -> InvalidEvent:
    return InvalidEvent("bad_type", "the value is nested too deep to be read: send it flatter.")


class _Source:
    """The one `Source`: what differs between formats is which of its steps are there."""

    def __init__(
        self, settings: SourceSettings, rules: EventRules, fetch: "Fetch | None", *, of_file: bool = False
    ) -> None:
        self._key_form = settings.key
        self._is_framed = "confluent" in settings.wrappers
        self._is_connect = "connect" in settings.wrappers
        self._is_cloudevent = "cloudevents" in settings.wrappers
        self._cloudevent_data = self._is_cloudevent and settings.format.split("+")[-1] != "cloudevents"
        self._is_change = "debezium" in settings.wrappers
        self._change_row = self._is_change and settings.format.split("+")[-1] != "debezium"
        self._ops = frozenset(settings.ops or (CHANGES if settings.kind != "events" else ("c",)))
        self._schemas, self._local = _schemas(settings, fetch), _local_schema(settings)
        self._takes_null = settings.kind != "events" or self._is_cloudevent or self._is_change or self._is_connect
        make = (
            EventMapping(settings, rules, self._meta, of_file=of_file)
            if settings.kind == "events"
            else EntryMapping(settings, self._meta, of_file=of_file)
        )
        self._mapping: EventMapping | EntryMapping = make

    async def prepare(self, records: Sequence[SourceRecord]) -> None:
        """Fetch what the records' frames name; see `Source`."""
        if self._schemas is None:
            return
        names: dict[str, None] = {}
        for record in records:
            for part, where, framed in (
                (record.value, _VALUE_SCHEMA, self._is_framed),
                (record.key, _KEY_SCHEMA, self._key_form == "confluent"),
            ):
                if framed and part is not None:
                    try:
                        names[schema_name(part, header(record, where))[0]] = None
                    except InvalidEvent:
                        continue  # reading it says so
        for name in names:
            if name not in self._schemas:
                await self._schemas.fetch(name)

    def read(self, record: SourceRecord) -> list[SourceEvent]:
        """The events in a record; see `Source`."""
        try:
            body = self._body(record)
            return [] if body is _GONE else self._mapping.read(body, record)
        except RecursionError:
            raise _too_deep() from None

    def read_apart(self, record: SourceRecord) -> list[SourceEvent | InvalidEvent]:
        """The events in a record, and what is wrong with single ones; see `Source`."""
        if isinstance(self._mapping, EntryMapping):
            return [*self.read(record)]
        try:
            body = self._body(record)
            return [] if body is _GONE else self._mapping.read_apart(body, record)
        except RecursionError:
            raise _too_deep() from None

    def _body(self, record: SourceRecord) -> Any:
        """What the mapping's paths are about; None for a deleted item or user, `_GONE` for what is left out."""
        if record.value is None and self._takes_null:
            return None if isinstance(self._mapping, EntryMapping) else _GONE
        if record.value is None:
            raise InvalidEvent("not_json", "the record's value is null: send an event.")
        body = self._decoded(record)
        if self._is_connect:
            body = connect_payload(body)
            if body is None:
                return None if isinstance(self._mapping, EntryMapping) else _GONE
        if self._is_cloudevent:
            event = cloudevent(body, record)
            body = event.get("data") if self._cloudevent_data else event
        if self._is_change:
            changed = change(body, self._ops)
            if changed is None:
                return _GONE
            body = changed.get("after") if self._change_row else changed
        return body

    def _decoded(self, record: SourceRecord) -> Any:
        value = record.value or b""
        if not self._is_framed:
            try:
                return json_value(value)
            except InvalidEvent as invalid:
                if self._is_cloudevent and is_binary_cloudevent(record):
                    return value.decode("utf-8", "replace")  # data may be anything
                why = hint_of_value(value) or invalid.message
                raise InvalidEvent(invalid.reason, f"the value is {shown(value)}: {why}") from None
        name, body = schema_name(value, header(record, _VALUE_SCHEMA))
        return self._by_schema(name, body)

    def _by_schema(self, name: str, body: bytes) -> Any:
        if self._schemas is not None:
            return self._schemas[name](body)
        if self._local is not None:
            return self._local.read(body)
        try:
            return json_value(body)
        except InvalidEvent as invalid:
            raise InvalidEvent(
                invalid.reason,
                f"{invalid.message} Behind the frame of schema {name} stands {shown(body)}: if that is Avro, set "
                "`registry` or `schema_file`.",
            ) from None

    def _meta(self, record: SourceRecord) -> dict[str, Any]:
        return {
            "_key": self._key(record),
            "_headers": {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers},
            "_topic": record.topic,
            "_timestamp": Instant(record.timestamp_ms),
        }

    def _key(self, record: SourceRecord) -> Any:
        if record.key is None:
            return None
        if self._key_form == "json":
            return json_value(record.key)
        if self._key_form == "confluent":
            name, body = schema_name(record.key, header(record, _KEY_SCHEMA))
            return self._by_schema(name, body)
        try:
            return record.key.decode()
        except UnicodeDecodeError:
            raise InvalidEvent("wrong_key", f"the key is {shown(record.key)}: no UTF-8 text. Set `key`.") from None
