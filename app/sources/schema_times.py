"""Values whose own schema says what they mean: times in their unit, decimals. By Connect's and Debezium's names."""

from base64 import b64decode
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from app.sources.times import DAY_MS, Instant, iso_ms

Convert = Callable[[Any], Any]

_CONNECT_DECIMAL: Final = "org.apache.kafka.connect.data.Decimal"


def _integer(raw: Any, numerator: int, denominator: int) -> Any:
    return Instant(raw * numerator // denominator) if type(raw) is int else raw


def _zoned(raw: Any) -> Any:
    ms = iso_ms(raw) if isinstance(raw, str) else None
    return raw if ms is None else Instant(ms)


TIMES: Final[Mapping[str, Convert]] = {
    "org.apache.kafka.connect.data.Timestamp": lambda raw: _integer(raw, 1, 1),
    "org.apache.kafka.connect.data.Date": lambda raw: _integer(raw, DAY_MS, 1),
    "io.debezium.time.Timestamp": lambda raw: _integer(raw, 1, 1),
    "io.debezium.time.MicroTimestamp": lambda raw: _integer(raw, 1, 1000),
    "io.debezium.time.NanoTimestamp": lambda raw: _integer(raw, 1, 1_000_000),
    "io.debezium.time.Date": lambda raw: _integer(raw, DAY_MS, 1),
    "io.debezium.time.ZonedTimestamp": _zoned,
    "timestamp-millis": lambda raw: _integer(raw, 1, 1),
    "timestamp-micros": lambda raw: _integer(raw, 1, 1000),
    "timestamp-nanos": lambda raw: _integer(raw, 1, 1_000_000),
    "local-timestamp-millis": lambda raw: _integer(raw, 1, 1),
    "local-timestamp-micros": lambda raw: _integer(raw, 1, 1000),
    "local-timestamp-nanos": lambda raw: _integer(raw, 1, 1_000_000),
    "date": lambda raw: _integer(raw, DAY_MS, 1),
}
"""Name of a schema -> what makes an `Instant` of its value; a value of another kind stays as it is."""


def plain_decimal(number: Decimal) -> int | float:
    """A decimal as JSON says it: an integer where it is one."""
    return int(number) if number == number.to_integral_value() else float(number)


def by_connect_schema(schema: Any, value: Any) -> Any:
    """A value of Connect's JSON, its times as `Instant`, its decimals as numbers, by the schema that came with it."""
    if value is None or not isinstance(schema, dict):
        return value
    name = schema.get("name")
    if isinstance(name, str) and name in TIMES:
        return TIMES[name](value)
    if name == _CONNECT_DECIMAL:
        return _connect_decimal(schema, value)
    kind = schema.get("type")
    if kind == "struct" and isinstance(value, dict):
        fields = schema.get("fields")
        known = fields if isinstance(fields, list) else []
        typed = {str(field.get("field")): field for field in known if isinstance(field, dict)}
        return {name: by_connect_schema(typed.get(name), each) for name, each in value.items()}
    if kind == "array" and isinstance(value, list):
        return [by_connect_schema(schema.get("items"), each) for each in value]
    if kind == "map" and isinstance(value, dict):
        return {name: by_connect_schema(schema.get("values"), each) for name, each in value.items()}
    return value


def _connect_decimal(schema: Mapping[str, Any], value: Any) -> Any:
    """Base64 of a signed integer, big endian, whose scale is a parameter of the schema; or a number as it is."""
    if not isinstance(value, str):
        return value
    try:
        unscaled = int.from_bytes(b64decode(value, validate=True), "big", signed=True)
        return plain_decimal(Decimal(unscaled).scaleb(-int(schema["parameters"]["scale"])))
    except (ValueError, KeyError, TypeError, ArithmeticError):
        return value
