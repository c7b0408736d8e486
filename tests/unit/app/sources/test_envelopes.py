"""What stands around records: Kafka Connect's schema, Debezium's changes, CloudEvents in both modes."""

from base64 import b64encode
from typing import Any

import orjson
import pytest

from app.sources import SourceSettings, make_source
from models.errors import InvalidEvent
from tests.sources import RECORD_MS, events, record, refusal, settings

MS = 1_700_000_000_000
TIMESTAMP = "org.apache.kafka.connect.data.Timestamp"
ROW = {"user_id": 77, "item_id": "lamp", "event_type": "view"}


def field(name: str, kind: str, meaning: str | None = None, **more: object) -> dict[str, object]:
    """A field of a Connect schema."""
    return {"field": name, "type": kind, "optional": True, **({"name": meaning} if meaning else {}), **more}


def connect(payload: object, *fields: dict[str, object]) -> dict[str, object]:
    """A value of JsonConverter with schemas.enable."""
    plain = [field("user_id", "int64"), field("item_id", "string"), field("event_type", "string")]
    return {"schema": {"type": "struct", "fields": [*plain, *fields], "optional": False}, "payload": payload}


def test_connects_timestamp_is_milliseconds_by_its_schema() -> None:
    """The schema beside the payload says what an int64 is, whatever the settings would say."""
    row = connect(ROW | {"at": MS}, field("at", "int64", TIMESTAMP, version=1))
    for given in (settings(format="connect", timestamp="at"), settings(format="connect", timestamp="at", time="s")):
        assert events(given, record(row)) == [
            {"user_id": "77", "item_id": "lamp", "event_type": "view", "timestamp": MS}
        ]


def test_a_connect_column_without_a_name_needs_its_unit() -> None:
    """An int64 that its schema calls nothing is a number like any other."""
    row = record(connect(ROW | {"at": 1_700_000_000}, field("at", "int64")))
    assert "unit is not declared" in refusal(settings(format="connect", timestamp="at"), row).message
    assert events(settings(format="connect", timestamp="at", time="s"), row)[0]["timestamp"] == MS


def test_connects_decimals_are_numbers() -> None:
    """Base64 of an unscaled integer with its scale: an id of scale 0 is an integer, a rating has its fraction."""
    meaning = "org.apache.kafka.connect.data.Decimal"
    row = connect(
        {"user_id": b64encode((77).to_bytes(1, "big")).decode(), "item_id": "a", "event_type": "rating", "t": MS}
        | {"stars": b64encode((450).to_bytes(2, "big")).decode()},
        field("t", "int64", TIMESTAMP),
        field("user_id", "bytes", meaning, parameters={"scale": "0"}),
        field("stars", "bytes", meaning, parameters={"scale": "2"}),
    )
    (event,) = events(settings(format="connect", timestamp="t", value="stars"), record(row))
    assert (event["user_id"], event["value"]) == ("77", 4.5)


def test_connects_null_payload_is_a_tombstone_and_another_value_is_refused() -> None:
    """Nothing for null; a value without schema and payload names the setting."""
    assert events(settings(format="connect"), record(connect(None)), record(None)) == []
    for wrong in (ROW, {"schema": {}, "payload": {}, "more": 1}, [1]):
        assert 'Take "connect" out' in refusal(settings(format="connect"), record(wrong)).message


def changed(op: str, row: dict[str, Any] | None, **more: object) -> dict[str, Any]:
    """A change of Debezium's, without its schema."""
    before, after = (row, None) if op == "d" else (None, row)
    source = {"connector": "postgresql", "db": "shop", "table": "clicks", "ts_ms": MS + 5}
    return {"before": before, "after": after, "source": source, "op": op, "ts_ms": MS + 900, **more}


def test_a_new_row_is_an_event_and_a_snapshot_is_not_news() -> None:
    """The op c alone counts unless `ops` says more; deletes, snapshots, truncations and tombstones give nothing."""
    rows = [record(changed(op, ROW | {"timestamp": MS})) for op in ("c", "r", "u", "d", "t")]
    given = settings(format="debezium", time="ms")
    assert len(events(given, *rows, record(None))) == 1
    assert len(events(settings(format="debezium", time="ms", ops=["c", "r"]), *rows)) == 2


@pytest.mark.parametrize(
    ("meaning", "raw"),
    [
        ("io.debezium.time.Timestamp", MS),
        ("io.debezium.time.MicroTimestamp", MS * 1000 + 999),
        ("io.debezium.time.NanoTimestamp", MS * 1_000_000 + 5),
        ("io.debezium.time.ZonedTimestamp", "2023-11-15T00:13:20+02:00"),
        (TIMESTAMP, MS),
    ],
)
def test_a_debezium_column_has_the_unit_of_its_schema(meaning: str, raw: object) -> None:
    """Four units under one type, int64: each by the name of its schema."""
    row = ROW | {"created": raw}
    kind = "string" if isinstance(raw, str) else "int64"
    columns = [*(field(name, "string") for name in ROW), field("created", kind, meaning, version=1)]
    schema = {"type": "struct", "fields": [{"field": "after", "type": "struct", "fields": columns}]}
    value = {"schema": schema, "payload": changed("c", row)}
    assert events(settings(format="debezium", timestamp="after.created"), record(value))[0]["timestamp"] == MS


def test_a_debezium_date_is_days() -> None:
    """Date counts days since 1970."""
    columns = [field("created", "int32", "io.debezium.time.Date")]
    schema = {"type": "struct", "fields": [{"field": "after", "type": "struct", "fields": columns}]}
    value = {"schema": schema, "payload": changed("c", ROW | {"created": 19_675})}
    given = settings(format="debezium", timestamp="after.created")
    assert events(given, record(value))[0]["timestamp"] == 19_675 * 86_400_000


def test_the_time_of_the_change_is_that_of_the_source() -> None:
    """source.ts_ms may be asked for, and is milliseconds; a column without a schema needs its unit."""
    row = record(changed("c", ROW | {"timestamp": 1_700_000_000}))
    given = settings(format="debezium", timestamp="source.ts_ms")
    assert events(given, row)[0]["timestamp"] == MS + 5
    assert "unit is not declared" in refusal(settings(format="debezium"), row).message
    assert events(settings(format="debezium", time="s"), row)[0]["timestamp"] == MS


def test_a_row_in_another_format_is_read_by_it() -> None:
    """debezium+segment: the row of an outbox is the event itself."""
    call = {
        "type": "track",
        "event": "Product Viewed",
        "userId": "u1",
        "timestamp": "2023-11-14T22:13:20Z",
        "properties": {"product_id": "a"},
    }
    (event,) = events(settings(format="debezium+segment"), record(changed("c", call)))
    assert (event["user_id"], event["event_type"]) == ("u1", "view")


def test_an_unwrapped_change_names_the_setting() -> None:
    """A connector that sends the row alone needs another format."""
    assert 'Take "debezium" out' in refusal(settings(format="debezium"), record(ROW)).message


# what to_binary and to_structured of the package cloudevents 2.2.0 give
CE_HEADERS = [
    ("ce_id", b"A-1"),
    ("ce_source", b"/shop/web"),
    ("ce_type", b"product.viewed"),
    ("ce_specversion", b"1.0"),
    ("ce_time", b"2023-11-14T22:13:20.123000Z"),
    ("ce_subject", b"lamp"),
    ("content-type", b"application/json"),
    ("ce_partitionkey", b"u1"),
]
STRUCTURED = (
    b'{"id": "A-1", "source": "/shop/web", "type": "product.viewed", "specversion": "1.0", "time": '
    b'"2023-11-14T22:13:20.123000Z", "subject": "lamp", "datacontenttype": "application/json", "partitionkey": "u1", '
    b'"data": {"user_id": "u1"}}'
)
CLOUDEVENTS = settings(format="cloudevents", types={"product.viewed": "view"})


def test_both_modes_of_cloudevents_give_the_same_event() -> None:
    """Attributes in headers or in the value; the id is unique within its source only."""
    binary = record(b'{"user_id": "u1"}', b"u1", CE_HEADERS)
    structured = record(STRUCTURED, b"u1", [("content-type", b"application/cloudevents+json; charset=UTF-8")])
    expected = {"user_id": "u1", "item_id": "lamp", "event_type": "view", "timestamp": MS + 123}
    assert events(CLOUDEVENTS, binary, structured) == [expected | {"event_id": "/shop/web A-1"}] * 2


def test_the_id_of_another_source_is_another_event() -> None:
    """Its source and its id together name the event."""
    headers = [(name, b"/shop/app" if name == "ce_source" else value) for name, value in CE_HEADERS]
    (event,) = events(CLOUDEVENTS, record(b'{"user_id": "u1"}', None, headers))
    assert event["event_id"] == "/shop/app A-1"


def test_a_binary_event_without_a_value_is_a_tombstone() -> None:
    """A null value in binary mode says nothing."""
    assert events(CLOUDEVENTS, record(None, b"u1", CE_HEADERS)) == []


def test_data_in_base64_is_read() -> None:
    """data_base64 holds the data of an event whose writer took it for bytes."""
    value = orjson.loads(STRUCTURED)
    value["data_base64"] = b64encode(orjson.dumps(value.pop("data"))).decode()
    assert events(CLOUDEVENTS, record(value))[0]["user_id"] == "u1"
    error = refusal(CLOUDEVENTS, record(value | {"data_base64": "%"}))
    assert error.reason == "bad_type" and "data_base64" in error.message


def test_the_time_of_a_cloudevent_is_optional_and_has_to_be_there_or_named() -> None:
    """Without `time` the event is refused, unless the settings take the record's own."""
    headers = [each for each in CE_HEADERS if each[0] != "ce_time"]
    row = record(b'{"user_id": "u1"}', None, headers)
    assert refusal(CLOUDEVENTS, row).reason == "missing_field"
    own = settings(format="cloudevents", types={"product.viewed": "view"}, timestamp="time || _timestamp")
    assert events(own, row)[0]["timestamp"] == RECORD_MS
    assert events(own, record(STRUCTURED))[0]["timestamp"] == MS + 123


def test_data_in_another_format_is_read_by_it() -> None:
    """cloudevents+freshet: the data is the event."""
    value = orjson.loads(STRUCTURED) | {"data": ROW | {"timestamp": MS}}
    (event,) = events(settings(format="cloudevents+freshet"), record(value))
    assert event == {"user_id": "77", "item_id": "lamp", "event_type": "view", "timestamp": MS}


@pytest.mark.parametrize("value", [{}, [], {"specversion": "1.0", "id": "1"}, {"specversion": "1.0", "source": "/"}])
def test_what_is_no_cloudevent_is_refused(value: object) -> None:
    """Neither headers nor specversion, or no id and source: one dead letter each."""
    assert refusal(CLOUDEVENTS, record(value)).reason == "missing_field"


def test_a_key_in_quotes_and_a_type_header_are_no_hindrance() -> None:
    """Spring's JsonSerializer: the value is plain JSON beside __TypeId__, the key is in quotes, times are arrays."""
    given = settings(key="json", timestamp="at", time="array")
    row = record(ROW | {"at": [2023, 11, 14, 22, 13, 20]}, b'"77"', [("__TypeId__", b"shop.Click")])
    assert events(given, row)[0]["timestamp"] == MS


def test_a_key_that_is_no_text_hurts_only_where_it_is_asked_for() -> None:
    """A binary key is left alone unless a path says _key."""
    row = record(ROW | {"timestamp": MS}, b"\xff\x00")
    assert len(events(SourceSettings(), row)) == 1
    with pytest.raises(InvalidEvent, match="no UTF-8"):
        make_source(settings(user_id="_key")).read(row)
