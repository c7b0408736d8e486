"""Avro values by their writer's schema."""

import io
import struct
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import fastavro
import orjson
from fastavro.schema import SchemaParseException, UnknownType

from app.sources.schema_times import TIMES, Convert, plain_decimal
from models.errors import InvalidEvent, SettingsError

_PRIMITIVES: Final = frozenset(("null", "boolean", "int", "long", "float", "double", "bytes", "string"))
_RECORDS: Final = ("record", "error")
# what fastavro raises for bytes that are not of the schema
_BAD_DATA: Final = (
    ValueError,
    IndexError,
    EOFError,
    OverflowError,
    TypeError,
    KeyError,
    ArithmeticError,
    RecursionError,
    struct.error,
)


class AvroReader:
    """Reads values written by one schema; its times come out as `Instant`, decimals as numbers.

    Parameters
    ----------
    schema
        The schema as JSON.
    references
        Schemas that it names and that stand elsewhere, each before those that name it.
    what
        What to call it in messages.

    Raises
    ------
    SettingsError
        When it is no Avro schema.
    """

    def __init__(self, schema: bytes | str, references: tuple[str, ...] = (), *, what: str) -> None:
        self._what = what
        try:
            named: dict[str, Any] = {}
            for reference in references:
                fastavro.parse_schema(_without_logical_types(orjson.loads(reference)), named_schemas=named)
            raw = orjson.loads(schema)
            self._schema = fastavro.parse_schema(_without_logical_types(raw), named_schemas=named)
        except (ValueError, SchemaParseException, UnknownType, KeyError, TypeError, AttributeError) as error:
            said = " ".join(str(error).split())[:200]
            raise SettingsError(f"{what} is no Avro schema ({said or type(error).__name__}).") from None
        definitions: dict[str, Any] = {}
        for text in references:
            definitions |= dict(_definitions(orjson.loads(text), ""))
        self._convert = _Converters(definitions | dict(_definitions(raw, ""))).of(raw, "")

    def read(self, data: bytes) -> Any:
        """The value that all of the bytes are.

        Raises
        ------
        InvalidEvent
            When they are no value of the schema, or more than one.
        """
        stream = io.BytesIO(data)
        try:
            value = fastavro.schemaless_reader(
                stream, self._schema, None, return_record_name=True, return_record_name_override=True
            )
        except _BAD_DATA as error:
            raise InvalidEvent(
                "not_json",
                f"the value's {len(data)} bytes are no Avro by {self._what} ({type(error).__name__}): "
                "check the schema that they were written by.",
            ) from None
        if rest := len(data) - stream.tell():
            raise InvalidEvent(
                "not_json",
                f"{rest} of the value's {len(data)} bytes are left behind what {self._what} says: "
                "check the schema that they were written by.",
            )
        return value if self._convert is None else self._convert(value)


def local_schema(path: str) -> AvroReader:
    """The Avro schema of a file.

    Raises
    ------
    SettingsError
        When there is none.
    """
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        raise SettingsError(
            f"schema_file {path} cannot be read ({error.strerror}). Name a file of an Avro schema."
        ) from None
    return AvroReader(text, what=path)


class _Converters:
    """Compiles schemas into what turns a decoded value into a plain one; None where there is nothing to turn.

    Each looks at the kind of value before it touches it, so that those of a union's branches can be tried in turn.
    """

    def __init__(self, definitions: dict[str, Any]) -> None:
        self._definitions = definitions
        self._records: dict[str, list[Convert | None]] = {}

    def of(self, schema: Any, space: str) -> Convert | None:
        """What turns values of a schema that stands in a namespace."""
        if isinstance(schema, list):
            return self._union(schema, space)
        if isinstance(schema, str):
            return None if schema in _PRIMITIVES else self._named(_full_name(schema, space))
        kind = schema["type"]
        for meaning in (schema.get("connect.name"), schema.get("logicalType")):
            if meaning in TIMES and kind in ("int", "long", "string"):
                return TIMES[meaning]
        if schema.get("logicalType") == "decimal":
            return lambda raw: plain_decimal(raw) if isinstance(raw, Decimal) else raw
        if kind in _RECORDS:
            return self._named(_full_name(schema["name"], schema.get("namespace", space)))
        if kind == "array" and (each := self.of(schema["items"], space)):
            return lambda raw: [each(one) for one in raw] if isinstance(raw, list) else raw
        if kind == "map" and (value := self.of(schema["values"], space)):
            return lambda raw: {name: value(one) for name, one in raw.items()} if isinstance(raw, dict) else raw
        return self.of(kind, space) if isinstance(kind, dict | list) else None

    def _named(self, name: str) -> Convert | None:
        definition = self._definitions.get(name)
        if definition is None or definition["type"] not in _RECORDS:
            return None
        if name in self._records:  # also one that holds itself: what it becomes is known by the time it is used
            cell = self._records[name]
            return lambda raw: raw if cell[0] is None else cell[0](raw)
        cell = self._records[name] = [None]
        space = name.rpartition(".")[0]
        turned = {field["name"]: self.of(field["type"], space) for field in definition["fields"]}
        if any(turned.values()):
            cell[0] = lambda raw: _turn_fields(turned, raw) if isinstance(raw, dict) else raw
        return cell[0]

    def _union(self, branches: list[Any], space: str) -> Convert | None:
        records = {name: self.of(branch, space) for branch in branches if (name := self._record_name(branch, space))}
        wanted = [convert for branch in branches if (convert := self.of(branch, space)) is not None]
        if len(records) > 1:  # fastavro says which it is

            def turn_record(raw: Any) -> Any:
                if not isinstance(raw, tuple):
                    return _in_turn(wanted, raw)
                name, fields = raw
                convert = records.get(name)
                return fields if convert is None else convert(fields)

            return turn_record
        return (lambda raw: _in_turn(wanted, raw)) if wanted else None

    def _record_name(self, branch: Any, space: str) -> str | None:
        if isinstance(branch, list):
            return None
        name = branch if isinstance(branch, str) else branch.get("name", "")
        full = _full_name(name, space if isinstance(branch, str) else branch.get("namespace", space))
        return full if self._definitions.get(full, {}).get("type") in _RECORDS else None


def _turn_fields(turned: dict[str, Convert | None], fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value if (convert := turned.get(name)) is None else convert(value) for name, value in fields.items()}


def _in_turn(converts: list[Convert], raw: Any) -> Any:
    for convert in converts:
        raw = convert(raw)
    return raw


def _full_name(name: str, space: str | None) -> str:
    return name if "." in name or not space else f"{space}.{name}"


def _definitions(schema: Any, space: str) -> Iterator[tuple[str, Any]]:
    """Every named type in a schema, by its full name."""
    if isinstance(schema, list):
        for branch in schema:
            yield from _definitions(branch, space)
    elif isinstance(schema, dict):
        kind = schema.get("type")
        if kind in (*_RECORDS, "enum", "fixed"):
            name = _full_name(schema["name"], schema.get("namespace", space))
            yield name, schema
            space = name.rpartition(".")[0]
        for field in schema.get("fields", ()):
            yield from _definitions(field.get("type"), space)
        for inner in ("items", "values"):
            yield from _definitions(schema.get(inner), space)
        if isinstance(kind, dict | list):
            yield from _definitions(kind, space)


def _without_logical_types(schema: Any) -> Any:
    """The schema with plain integers and texts for times and UUIDs: what they mean is said by `TIMES`."""
    if isinstance(schema, list):
        return [_without_logical_types(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    plain = dict(schema) if schema.get("logicalType") == "decimal" else _without(schema, "logicalType")
    for name in ("type", "items", "values"):
        if name in plain:
            plain[name] = _without_logical_types(plain[name])
    if "fields" in plain:
        plain["fields"] = [_without_logical_types(field) for field in plain["fields"]]
    return plain


def _without(schema: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != name}
