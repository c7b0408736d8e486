r"""Records a batch of each format as its real serializers write it, for a test that counts them on its own.

Run by hand in an environment of its own, with the jars of pom.xml (GUIDs of schemas differ each time):

    python -m venv /tmp/serializers && /tmp/serializers/bin/pip install cloudevents==2.2.0 \
        'confluent-kafka[avro,json,schemaregistry]==2.16.1' segment-analytics-python==2.4.0 rudder-sdk-python==2.1.9
    mvn -f tests/golden/serializers/pom.xml dependency:copy-dependencies -DoutputDirectory=/tmp/serializers/jars
    /tmp/serializers/bin/python -m tests.golden.serializers.record /tmp/serializers/jars tests/golden/sources.json.gz

GA4's rows, the plain form and an order of one's own have no serializer but JSON's.
"""

import gzip
import importlib
import json
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.golden.serializers import rows

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SKEW = timedelta(seconds=419)
SEED = 1130


class Written(NamedTuple):
    """A record as a serializer made it."""

    value: bytes | None
    headers: list[tuple[str, bytes]]
    key: bytes | None = None


def moment(ms: int) -> datetime:
    """A time in UTC."""
    return EPOCH + timedelta(milliseconds=ms)


def as_json(made: Iterable[dict[str, Any]]) -> list[Written]:
    """What has no serializer of its own."""
    return [Written(json.dumps(row).encode(), []) for row in made]


def tracked(library: str, random: Random) -> list[Written]:
    """Calls as the library makes them, and what the server adds on their way to a destination."""
    client = importlib.import_module(f"{library}.analytics.client").Client("key", send=False)
    encoder = importlib.import_module(f"{library}.analytics.request").DatetimeSerializer
    written = []
    for n, call in enumerate(rows.calls(random)):
        who = {name: call[name] for name in ("user_id", "anonymous_id")}
        common = {"timestamp": moment(call["ms"]), "message_id": f"m-{n}"}
        method = getattr(client, call["method"])
        if call["method"] == "track":
            _, message = method(event=call["event"], properties=call["properties"], **who, **common)
        elif call["method"] == "alias":
            _, message = method(previous_id="before", user_id=who["user_id"] or who["anonymous_id"], **common)
        elif call["method"] == "group":
            _, message = method(group_id="g", **who, **common)
        else:
            _, message = method(**who, **common)
        theirs = json.loads(json.dumps(message, cls=encoder))
        other = (moment(call["ms"]) + SKEW).isoformat(timespec="milliseconds")
        if library == "rudderstack":  # its clock is the device's; the server's is beside it
            theirs |= {"originalTimestamp": theirs["timestamp"], "timestamp": other}
        else:
            theirs |= {"originalTimestamp": other, "receivedAt": other}
        written.append(Written(json.dumps(theirs).encode(), []))
    return written


def cloudevents(mode: str, random: Random) -> list[Written]:
    """CloudEvents in one mode; some without their time, some whose data is bytes, and tombstones."""
    event = importlib.import_module("cloudevents.core.v1.event").CloudEvent
    kafka = importlib.import_module("cloudevents.core.bindings.kafka")
    form = importlib.import_module("cloudevents.core.formats.json").JSONFormat()
    written = []
    for n, row in enumerate(rows.plain(random, ("viewed", "bought", "hovered"))):
        attributes = {"id": f"e-{n}", "source": "/shop/web", "specversion": "1.0", "time": moment(row["ms"])}
        attributes |= {"type": f"product.{row['event_type']}", "partitionkey": str(row["user_id"])}
        data: object = {"user_id": row["user_id"]}
        if random.random() < 0.5:
            attributes["subject"] = row["item_id"] or ""
        else:
            data = {"user_id": row["user_id"], "item_id": row["item_id"]}
        if random.random() < 0.2:
            attributes["datacontenttype"] = "application/octet-stream"
            data = json.dumps(data).encode()
        attributes = {name: value for name, value in attributes.items() if value != ""}
        message = getattr(kafka, f"to_{mode}")(event(attributes, data), form)
        headers = [(name, value) for name, value in message.headers.items() if name != "ce_time" or n % 20]
        written.append(Written(None if random.random() < 0.1 else message.value, headers, message.key.encode()))
    return written


def by_java(jars: Path, lines: list[object]) -> list[Written]:
    """What Rows.java writes of each."""
    given = "".join(f"{json.dumps(line)}\n" for line in lines)
    command = ["java", "-cp", f"{jars}/*", str(Path(__file__).with_name("Rows.java"))]
    answer = subprocess.run(command, input=given, stdout=subprocess.PIPE, check=True, text=True).stdout.split()
    return [Written(None if line == "null" else b64decode(line), []) for line in answer]


def debezium(jars: Path, random: Random) -> list[Written]:
    """Changes of a table with and without their schema; after a delete its tombstone."""
    lines: list[object] = []
    for row in rows.plain(random, ("view", "click", "purchase")):
        click = row | {"us": row["ms"] * 1000 + random.randrange(1000)}
        change = {"op": random.choice("ccccrudt"), "ts_ms": rows.MS, "schemas": random.random() < 0.3, "row": click}
        lines += [change, None] if change["op"] == "d" else [change]
    return by_java(jars, lines)


def connect(jars: Path, random: Random) -> list[Written]:
    """Rows of Connect with their schema, rows deleted with it, without, and some of a connector without schemas."""
    lines: list[object] = []
    for row in rows.plain(random, ("rating", "view")):
        stars = random.choice(("4.50", "2", "2", "5.00", None if random.random() < 0.2 else "1.25"))
        rating = row | {"at": row["ms"] if random.random() < 0.97 else None, "stars": stars}
        whole = {"schemas": random.random() < 0.95, "row": rating}
        lines.append(random.choice((*[whole] * 10, {"schemas": True, "row": None}, None)))
    return by_java(jars, lines)


ORDER_AVRO = {
    "type": "record",
    "name": "shop.Order",
    "fields": [
        {"name": "order_no", "type": "string"},
        {"name": "status", "type": {"type": "enum", "name": "Status", "symbols": ["paid", "open", "cancelled"]}},
        {"name": "customer", "type": ["null", "string"], "default": None},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {
            "name": "lines",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "Line",
                    "fields": [
                        {"name": "sku", "type": ["null", "string"]},
                        {"name": "quantity", "type": ["null", "int"]},
                    ],
                },
            },
        },
    ],
}


def confluent(form: str, random: Random) -> tuple[list[Written], dict[str, dict[str, str]]]:
    """Orders in Avro or events in JSON, framed or with the schema's GUID in a header; and the schemas by path."""
    registry = importlib.import_module("confluent_kafka.schema_registry")
    serialization = importlib.import_module("confluent_kafka.serialization")
    client = registry.SchemaRegistryClient.new_client({"url": "mock://"})
    if form == "avro":
        make, schema = importlib.import_module("confluent_kafka.schema_registry.avro").AvroSerializer, ORDER_AVRO
        given = [row | {"at": moment(row["ms"])} for row in rows.orders(random)]
        writers = [make(client, json.dumps(schema), conf={"schema.id.serializer": each}) for each in _ids(registry)]
    else:
        make = importlib.import_module("confluent_kafka.schema_registry.json_schema").JSONSerializer
        schema = {"title": "Event", "type": "object"}
        given = [
            {("timestamp" if name == "ms" else name): value for name, value in row.items()} | {"bot": n % 7 == 0}
            for n, row in enumerate(rows.plain(random, ("view", "click", "purchase")))
        ]
        writers = [make(json.dumps(schema), client, conf={"schema.id.serializer": each}) for each in _ids(registry)]
    written = []
    for row in given:
        context = serialization.SerializationContext("shop", serialization.MessageField.VALUE, [])
        value = random.choice(writers)(row, context)
        written.append(Written(value, list(context.headers)))
    latest = client.get_latest_version("shop-value")
    answer = {"schema": latest.schema.schema_str, "schemaType": latest.schema.schema_type}
    return written, {f"/schemas/{name}": answer for name in (f"ids/{latest.schema_id}", f"guids/{latest.guid}")}


def _ids(registry: Any) -> tuple[Any, Any]:
    return registry.prefix_schema_id_serializer, registry.header_schema_id_serializer


def damaged(written: list[Written], random: Random) -> Iterator[Written]:
    """One in twenty-five cut short, as many with a byte too many or no value at all."""
    for each in written:
        value, chance = each.value, random.random()
        if value is not None and chance < 0.08:
            value = value[: len(value) // 2] if chance < 0.04 else value + b"\1" if chance < 0.06 else None
        yield each._replace(value=value)


def main(jars: Path, path: Path) -> None:
    """Write every batch down; bytes as the characters of Latin-1, which pack well."""
    avro, avro_schemas = confluent("avro", Random(SEED))
    framed, json_schemas = confluent("json", Random(SEED))
    orders = [
        written._replace(key=json.dumps(f"guest-{n % 13}").encode())
        for n, written in enumerate(
            as_json({**row, "placed": row["ms"] / 1000, "ms": None} for row in rows.orders(Random(SEED)))
        )
    ]
    batches = {
        "freshet": as_json(rows.freshet(Random(SEED))),
        "segment": tracked("segment", Random(SEED)),
        "rudderstack": tracked("rudderstack", Random(SEED)),
        "ga4": as_json(rows.ga4(Random(SEED))),
        "cloudevents binary": cloudevents("binary", Random(SEED)),
        "cloudevents structured": cloudevents("structured", Random(SEED)),
        "debezium": debezium(jars, Random(SEED)),
        "connect": connect(jars, Random(SEED)),
        "confluent json": framed,
        "confluent avro": avro,
        "mapping": orders,
    }
    schemas = {"confluent json": json_schemas, "confluent avro": avro_schemas}
    recorded = {
        name: {"records": [packed(each) for each in damaged(batch, Random(name))], "schemas": schemas.get(name, {})}
        for name, batch in batches.items()
    }
    path.write_bytes(gzip.compress(json.dumps(recorded).encode(), 9, mtime=0))


def packed(written: Written) -> list[Any]:
    """Key, value and headers as JSON can hold them."""
    headers = [[name, value.decode("latin-1")] for name, value in written.headers]
    return [None if part is None else part.decode("latin-1") for part in (written.key, written.value)] + [headers]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
