"""Confluent's wire format: framed JSON and Avro, by a registry or a schema's file."""

import asyncio
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fastavro
import orjson
import pytest

from app.sources import make_source
from app.sources.framing import schema_name
from app.sources.registry import Schemas
from models.errors import InvalidEvent, SchemaUnavailable, SettingsError
from tests.sources import events, record, refusal, settings

MS = 1_700_000_000_000
AVRO = orjson.dumps(
    {
        "type": "record",
        "name": "Click",
        "namespace": "shop",
        "fields": [
            {"name": "visitor", "type": "long"},
            {"name": "sku", "type": ["null", "string"], "default": None},
            {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["VIEW", "CLICK"]}},
            {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
            {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
            {"name": "session", "type": {"type": "string", "logicalType": "uuid"}},
        ],
    }
)
# what JSONSerializer and AvroSerializer of confluent-kafka 2.16.1 write, with the id in front and in a header
FRAMED_JSON = b'\0\0\0\0\1{"user_id":77,"item_id":"lamp","event_type":"click","timestamp":1700000000000}'
AVRO_BODY = b"\x9a\x01\x02\x08lamp\x02\x80\x89\x81\x82\x83\x89\x85\x06\x04\x07\xcfH00000000-0000-0000-0000-000000000007"
FRAMED_AVRO = b"\0\0\0\0\2" + AVRO_BODY
GUID_HEADER = b"\x01\x80\xa6\xfa\x16\xab\x9dO\x90\x86\x0f+w\x807\x16\xaa"
GUID = "80a6fa16-ab9d-4f90-860f-2b77803716aa"
MAPPED: dict[str, Any] = {
    "format": "confluent",
    "user_id": "visitor",
    "item_id": "sku",
    "event_type": "kind",
    "timestamp": "at",
    "context": {"price": "price", "session": "session"},
    "types": {"CLICK": "click"},
}
EXPECTED = {
    "user_id": "77",
    "item_id": "lamp",
    "event_type": "click",
    "timestamp": MS + 123,
    "context": {"price": 19.99, "session": "00000000-0000-0000-0000-000000000007"},
}


class Registry:
    """A registry's answers, by path; counts what is asked."""

    def __init__(self, answers: Mapping[str, object]) -> None:
        self.answers = dict(answers)
        self.asked: list[str] = []

    async def fetch(self, path: str) -> bytes:
        self.asked.append(path)
        if path not in self.answers:
            raise SchemaUnavailable(f"404 for {path}")
        return orjson.dumps(self.answers[path])


def schemas(**answers: object) -> tuple[Schemas, Registry]:
    """Schemas by a registry with these answers, `ids_1` standing for /schemas/ids/1."""
    registry = Registry({f"/schemas/{name.replace('_', '/')}": answer for name, answer in answers.items()})
    return Schemas(registry.fetch), registry


@pytest.fixture
def avro_file(tmp_path: Path) -> str:
    """The schema as a file."""
    path = tmp_path / "click.avsc"
    path.write_bytes(AVRO)
    return str(path)


def test_framed_json_needs_no_registry() -> None:
    """What JSONSerializer wrote is JSON behind five bytes."""
    assert events(settings(format="confluent"), record(FRAMED_JSON)) == [
        {"user_id": "77", "item_id": "lamp", "event_type": "click", "timestamp": MS}
    ]


def test_avro_by_a_file(avro_file: str) -> None:
    """What AvroSerializer wrote: microseconds, a decimal, an enumeration and a UUID by the schema."""
    given = settings(**MAPPED, schema_file=avro_file)
    assert events(given, record(FRAMED_AVRO)) == [EXPECTED]
    assert events(given, record(AVRO_BODY, headers=[("__value_schema_id", GUID_HEADER)])) == [EXPECTED]


def test_frames_and_headers_name_their_schema() -> None:
    """An id of four bytes, big endian, in front or in the header; or a GUID in the header, and no frame."""
    assert schema_name(FRAMED_AVRO, None) == ("ids/2", AVRO_BODY)
    assert schema_name(AVRO_BODY, GUID_HEADER) == (f"guids/{GUID}", AVRO_BODY)
    assert schema_name(AVRO_BODY, b"\0\0\0\1\0") == ("ids/256", AVRO_BODY)
    assert schema_name(b"\0\xff\xff\xff\xff", None) == ("ids/4294967295", b"")


def test_each_schema_is_asked_for_once() -> None:
    """A schema is immutable: what has been fetched is kept, by its id and by its GUID."""
    known, registry = schemas(ids_2={"schema": AVRO.decode()}, ids_1={"schema": "{}", "schemaType": "JSON"})
    for name in ("ids/2", "ids/1", "ids/2"):
        if name not in known:
            asyncio.run(known.fetch(name))
    assert registry.asked == ["/schemas/ids/2", "/schemas/ids/1"]
    assert known["ids/2"](AVRO_BODY)["visitor"] == 77
    assert known["ids/1"](b'{"a":1}') == {"a": 1}


def test_a_schema_brings_those_that_it_refers_to() -> None:
    """References are fetched by subject and version, the deepest first."""
    inner = {"type": "record", "name": "shop.At", "fields": [{"name": "t", "type": "long"}]}
    middle = {"type": "record", "name": "shop.Where", "fields": [{"name": "when", "type": "shop.At"}]}
    outer = {"type": "record", "name": "shop.E", "fields": [{"name": "w", "type": "shop.Where"}]}
    known, registry = schemas(
        ids_3={"schema": orjson.dumps(outer).decode(), "references": [{"name": "w", "subject": "shop w", "version": 1}]}
    )
    registry.answers["/subjects/shop%20w/versions/1"] = {
        "schema": orjson.dumps(middle).decode(),
        "references": [{"name": "a", "subject": "at", "version": 2}],
    }
    registry.answers["/subjects/at/versions/2"] = {"schema": orjson.dumps(inner).decode()}
    asyncio.run(known.fetch("ids/3"))
    assert known["ids/3"](b"\x0e") == {"w": {"when": {"t": 7}}}


@pytest.mark.parametrize("answer", [None, [], {}, {"schema": 5}, {"schema": "{"}, {"schema": '{"type": "recor"}'}])
def test_what_is_no_schema_is_the_registrys_fault(answer: object) -> None:
    """No record is refused for what the registry answers: it is asked again later."""
    known, _ = schemas(ids_2=answer)
    with pytest.raises(SchemaUnavailable):
        asyncio.run(known.fetch("ids/2"))
    with pytest.raises(SchemaUnavailable, match="has not been fetched"):
        known["ids/2"]


def test_protobuf_is_refused_by_name() -> None:
    """A schema of a type that is not read makes dead letters that say so."""
    known, _ = schemas(ids_4={"schema": 'syntax = "proto3";', "schemaType": "PROTOBUF"})
    asyncio.run(known.fetch("ids/4"))
    with pytest.raises(InvalidEvent, match="of type PROTOBUF: only AVRO and JSON"):
        known["ids/4"](b"\0\1")


BAD = {
    "cut short": FRAMED_AVRO[:-5],
    "a byte too many": FRAMED_AVRO + b"\0",
    "another record behind it": FRAMED_AVRO + AVRO_BODY,
    "nothing behind the frame": FRAMED_AVRO[:5],
    "a length beyond the end": FRAMED_AVRO[:7] + b"\x02\xfe\xff\xff\xff\x0f",
    "a negative length": FRAMED_AVRO[:7] + b"\x02\x01",
    "an unknown branch": FRAMED_AVRO[:7] + b"\x08",
    "an unknown symbol": FRAMED_AVRO.replace(b"lamp\x02", b"lamp\x7e"),
    "text that is no UTF-8": FRAMED_AVRO.replace(b"lamp", b"\xff\xfe\xfd\xfc"),
    "a number of eleven bytes": b"\0\0\0\0\2" + b"\xff" * 11,
}


@pytest.mark.parametrize("case", BAD)
def test_bytes_that_are_not_of_the_schema_are_refused(case: str, avro_file: str) -> None:
    """Whatever the library raises or overlooks, it is one dead letter."""
    error = refusal(settings(**MAPPED, schema_file=avro_file), record(BAD[case]))
    assert error.reason in {"not_json", "out_of_range"}


def test_no_bytes_whatever_fail_in_another_way(avro_file: str) -> None:
    """Every single byte of a value changed to each of nine others: an event or a refusal."""
    source = make_source(settings(**MAPPED, schema_file=avro_file))
    outcomes: set[int | str] = set()
    for place in range(5, len(FRAMED_AVRO)):
        for other in (0, 1, 2, 0x7F, 0x80, 0xC0, 0xFE, 0xFF, 0x10):
            value = FRAMED_AVRO[:place] + bytes([other]) + FRAMED_AVRO[place + 1 :]
            try:
                outcomes.add(len(source.read(record(value))))
            except InvalidEvent as invalid:
                outcomes.add(invalid.reason)
    assert {1, "not_json"} <= outcomes


@pytest.mark.parametrize("value", [b"", b"\0\0\0\0", FRAMED_JSON[5:], b"\1" + FRAMED_JSON[1:]])
def test_a_value_without_a_frame_is_refused(value: bytes) -> None:
    """The message says what a frame is, and which setting to change."""
    error = refusal(settings(format="confluent"), record(value))
    assert error.reason == "not_json" and 'Take "confluent" out' in error.message


def test_avro_without_a_schema_names_the_setting() -> None:
    """Binary behind the frame, and nothing to read it by."""
    error = refusal(settings(format="confluent"), record(FRAMED_AVRO))
    assert "set `registry` or `schema_file`" in error.message


def test_a_schema_that_is_not_there_stops_and_refuses_nothing() -> None:
    """Before `prepare` has its schema a record is neither event nor dead letter."""
    source = make_source(settings(**MAPPED, registry="http://127.0.0.1:9"))
    with pytest.raises(SchemaUnavailable):
        source.read(record(FRAMED_AVRO))


def test_the_schemas_of_values_and_keys_are_prepared() -> None:
    """Each id in a batch is asked for once, also those of framed keys; a record without a frame asks for nothing."""
    registry = Registry({f"/schemas/ids/{n}": {"schema": '"string"'} for n in (1, 3)})
    registry.answers[f"/schemas/guids/{GUID}"] = {"schema": AVRO.decode()}
    source = make_source(
        settings(**MAPPED | {"user_id": "_key", "registry": "http://registry", "key": "confluent"}),
        fetch=registry.fetch,
    )
    key = b"\0\0\0\0\3\x04u1"
    rows = [record(AVRO_BODY, key, [("__value_schema_id", GUID_HEADER)]), record(b"{}"), record(b"\0\0\0\0\1\2a")]
    asyncio.run(source.prepare(rows + rows))
    asyncio.run(source.prepare(rows))
    assert registry.asked == [f"/schemas/guids/{GUID}", "/schemas/ids/3", "/schemas/ids/1"]
    assert source.read(rows[0])[0].key == b"u1"


def test_a_registry_that_is_away_is_asked_again() -> None:
    """A failure is not kept: the next `prepare` asks anew, and no record has been refused."""
    registry = Registry({})
    source = make_source(settings(**MAPPED, registry="http://registry"), fetch=registry.fetch)
    with pytest.raises(SchemaUnavailable):
        asyncio.run(source.prepare([record(FRAMED_AVRO)]))
    registry.answers["/schemas/ids/2"] = {"schema": AVRO.decode()}
    asyncio.run(source.prepare([record(FRAMED_AVRO)]))
    assert len(source.read(record(FRAMED_AVRO))) == 1


def test_a_schema_file_that_is_none_is_told_at_once(tmp_path: Path) -> None:
    """No file, or no Avro in it: told where the source is made."""
    (tmp_path / "wrong.avsc").write_text('{"type": "recor"}')
    for name, part in (("missing.avsc", "cannot be read"), ("wrong.avsc", "is no Avro schema")):
        with pytest.raises(SettingsError, match=part):
            make_source(settings(format="confluent", schema_file=str(tmp_path / name)))


@pytest.mark.parametrize(
    ("kind", "raw", "ms"),
    [
        ({"type": "long", "logicalType": "timestamp-millis"}, MS, MS),
        ({"type": "long", "logicalType": "timestamp-nanos"}, MS * 1_000_000, MS),
        ({"type": "long", "logicalType": "local-timestamp-millis"}, MS, MS),
        ({"type": "int", "logicalType": "date"}, 19_675, 19_675 * 86_400_000),
        (["null", {"type": "long", "connect.name": "org.apache.kafka.connect.data.Timestamp"}], MS, MS),
        ({"type": "long", "connect.name": "io.debezium.time.MicroTimestamp"}, MS * 1000, MS),
        ({"type": "long", "connect.name": "io.debezium.time.NanoTimestamp"}, MS * 1_000_000, MS),
        ({"type": "string", "connect.name": "io.debezium.time.ZonedTimestamp"}, "2023-11-14T22:13:20Z", MS),
    ],
)
def test_times_have_the_unit_of_their_avro_schema(kind: object, raw: object, ms: int, tmp_path: Path) -> None:
    """Logical types and Connect's names, within a union too; beside them a record that holds itself."""
    schema = {
        "type": "record",
        "name": "E",
        "fields": [
            {"name": "user_id", "type": "long"},
            {"name": "item_id", "type": "string"},
            {"name": "event_type", "type": "string"},
            {"name": "at", "type": kind},
            {"name": "cause", "type": ["null", "E"]},
        ],
    }
    (tmp_path / "e.avsc").write_bytes(orjson.dumps(schema))
    row = {"user_id": 7, "item_id": "a", "event_type": "view", "at": raw, "cause": None}
    given = settings(format="confluent", timestamp="cause.at", schema_file=str(tmp_path / "e.avsc"))
    assert events(given, record(written(plain(schema), row | {"cause": row})))[0]["timestamp"] == ms


def test_of_a_union_of_records_each_has_its_own_units(tmp_path: Path) -> None:
    """Two records with the same fields in other units: the schema's branch decides, not the names."""
    branches = [
        {"type": "record", "name": name, "fields": [{"name": "t", "type": {"type": "long", "logicalType": unit}}]}
        for name, unit in (("Old", "timestamp-millis"), ("New", "timestamp-micros"))
    ]
    schema = {"type": "record", "name": "E", "fields": [{"name": "at", "type": branches}]}
    (tmp_path / "e.avsc").write_bytes(orjson.dumps(schema))
    constants = {"user_id": "u", "item_id": "a", "event_type": "view"}
    given = settings(format="confluent", timestamp="at.t", schema_file=str(tmp_path / "e.avsc"), constants=constants)
    old, new = ({"at": (name, {"t": raw})} for name, raw in (("Old", MS), ("New", MS * 1000)))
    made = events(given, record(written(plain(schema), old)), record(written(plain(schema), new)))
    assert [each["timestamp"] for each in made] == [MS, MS]


def test_a_change_of_debezium_in_avro() -> None:
    """confluent+debezium: the envelope's records come by name, the row's time by its schema."""
    row = {
        "type": "record",
        "name": "Value",
        "fields": [
            {"name": "user_id", "type": "long"},
            {"name": "item_id", "type": "string"},
            {"name": "event_type", "type": "string"},
            {"name": "timestamp", "type": {"type": "long", "connect.name": "io.debezium.time.MicroTimestamp"}},
        ],
    }
    fields = [
        {"name": "before", "type": ["null", row]},
        {"name": "after", "type": ["null", "Value"]},
        {"name": "op", "type": "string"},
    ]
    schema = {"type": "record", "name": "Envelope", "namespace": "shop.public.clicks", "fields": fields}
    after = {"user_id": 77, "item_id": "a", "event_type": "view", "timestamp": MS * 1000}
    registry = Registry({"/schemas/ids/5": {"schema": orjson.dumps(schema).decode()}})
    source = make_source(settings(format="confluent+debezium", registry="http://registry"), fetch=registry.fetch)
    value = record(written(plain(schema), {"before": None, "after": after, "op": "c"}, 5))
    asyncio.run(source.prepare([value] * 3))
    (event,) = source.read(value)
    assert orjson.loads(event.value or b"")["timestamp"] == MS


def plain(schema: Any) -> Any:
    """The schema without its logical types, so that a number is written as it is."""
    if isinstance(schema, list):
        return [plain(each) for each in schema]
    if isinstance(schema, dict):
        return {name: plain(value) for name, value in schema.items() if name != "logicalType"}
    return schema


def written(schema: Any, value: object, schema_id: int = 1) -> bytes:
    """A value as a framed Avro record."""
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), value)
    return b"\0" + schema_id.to_bytes(4, "big") + stream.getvalue()
