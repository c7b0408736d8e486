"""Events as they are, on real Kafka and over real HTTP: `produce --source`, `sniff`, the schema registry."""

import asyncio
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
from confluent_kafka import Producer

from app.sources import make_source
from models.errors import SchemaUnavailable
from tests.command import freshet
from tests.scene import Scene
from tests.sources import record, settings

MS = 1_700_000_000_000
PARTITIONS = 6
SCHEMA = orjson.dumps(
    {
        "type": "record",
        "name": "Click",
        "fields": [
            {"name": "visitor", "type": "string"},
            {"name": "sku", "type": "string"},
            {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        ],
    }
).decode()
AT = bytes.fromhex("80a0c2e0f962")  # MS in Avro
MAPPED: dict[str, Any] = {
    "format": "confluent",
    "user_id": "visitor",
    "item_id": "sku",
    "timestamp": "at",
    "constants": {"event_type": "view"},
}


def click(user_id: str) -> bytes:
    """A framed Avro value of schema 7."""
    raw = user_id.encode()
    return b"\0\0\0\0\7" + bytes([2 * len(raw)]) + raw + b"\x02a" + AT


@contextmanager
def registry(login: str = "") -> Iterator[tuple[str, list[str]]]:
    """A schema registry over HTTP that knows schema 7; its URL, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            wanted = f"Basic {b64encode(login.encode()).decode()}" if login else None
            known = self.path == "/schemas/ids/7" and self.headers.get("Authorization") == wanted
            body = orjson.dumps({"schema": SCHEMA} if known else {"error_code": 40403, "message": "not found"})
            self.send_response(200 if known else 401 if login and not self.headers.get("Authorization") else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def test_schemas_come_over_http_once(tmp_path: Path) -> None:
    """A registry is asked once for each schema, with the login of a file or of the URL."""
    (tmp_path / "login").write_text("user:secret\n")
    with registry("user:secret") as (url, asked):
        in_url = url.replace("http://", "http://user:secret@")
        for words in ({"registry": url, "registry_login_file": str(tmp_path / "login")}, {"registry": in_url}):
            source = make_source(settings(**MAPPED, **words))
            for _ in range(2):
                asyncio.run(source.prepare([record(click("u1"))] * 2))
            assert source.read(record(click("u1")))[0].key == b"u1"
        assert asked == ["/schemas/ids/7"] * 2


def test_a_registry_that_gives_no_schema_is_no_fault_of_the_records() -> None:
    """Refused, unknown, or nobody there: `SchemaUnavailable` with the address, and no password in it."""
    with registry("user:secret") as (url, _):
        for address in (url, url.replace("http://", "http://user:wrong@")):
            source = make_source(settings(**MAPPED, registry=address))
            with pytest.raises(SchemaUnavailable, match=f"at {url} answers 40") as caught:
                asyncio.run(source.prepare([record(click("u1"))]))
            assert "wrong" not in str(caught.value)
    gone = make_source(settings(**MAPPED, registry=url.replace("http://", "http://user:hidden@")))
    with pytest.raises(SchemaUnavailable, match="cannot be reached") as caught:
        asyncio.run(gone.prepare([record(click("u1"))]))
    assert "hidden" not in str(caught.value)


@pytest.mark.timeout(600)  # the first start of all downloads Kafka
def test_rows_of_another_form_are_sent_as_events(scene: Scene) -> None:
    """`produce --source` sends what an independent count finds, keyed by user; a bad line is named, exit code 1."""
    scene.configure(sources={"web": {"format": "ga4"}})
    scene.create(PARTITIONS)
    rows: list[dict[str, Any]] = [
        {"event_name": name, "user_pseudo_id": f"{n % 9}", "event_timestamp": str((MS + n) * 1000)}
        | {"items": [{"item_id": f"i{each}"} for each in range(n % 3)]}
        for n in range(60)
        for name in ("page_view", "view_item", "purchase")
    ]
    expected = Counter(
        (row["user_pseudo_id"], item["item_id"])
        for row in rows
        if row["event_name"] != "page_view"
        for item in row["items"]
    )
    lines = b"\n".join(orjson.dumps(row) for row in [*rows, rows[-1] | {"items": [{}]}])

    outcome = freshet("produce", "--source", "web", "--json", settings=scene.settings, stdin=lines)

    assert orjson.loads(outcome.out) == {"sent": expected.total(), "bad": 1}
    assert outcome.code == 1 and "line 181: missing_field: element 0 of 1: item_id is missing" in outcome.err
    sent = scene.read(scene.names.events)
    events = [orjson.loads(each.value or b"") for each in sent]
    assert Counter((each["user_id"], each["item_id"]) for each in events) == expected
    assert all(each.key == event["user_id"].encode() for each, event in zip(sent, events, strict=True))


@pytest.mark.timeout(600)
def test_integer_ids_are_folded(scene: Scene) -> None:
    """Events whose ids are numbers, sent by `produce` as they are, are users and items by these digits."""
    scene.create(PARTITIONS)
    scene.worker()
    lines = b"\n".join(
        orjson.dumps({"user_id": n % 7, "item_id": 100 + n % 3, "event_type": "view", "timestamp": MS + n})
        for n in range(70)
    )
    outcome = freshet("produce", settings=scene.settings, stdin=lines)
    scene.n_sent += 70
    states = scene.assert_exact()
    assert outcome.code == 0
    assert {user_id for state in states for user_id in state.users} == {str(n) for n in range(7)}
    assert scene.read(scene.names.dead_letters) == []


@pytest.mark.timeout(600)
def test_a_topic_is_looked_at(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Framed Avro by librdkafka's default partitioner: the settings, the partitioner and the share are told."""
    monkeypatch.chdir(tmp_path)
    scene.create(PARTITIONS)
    producer = Producer({"bootstrap.servers": scene.settings.broker})
    for n in range(120):
        producer.produce(scene.names.events, key=b"user-%d" % (n % 40), value=click(f"user-{n % 40}"))
    assert producer.flush(20) == 0
    with registry() as (url, _):
        words = ("sniff", scene.names.events, "--registry", url, "--json")
        told = orjson.loads(freshet(*words, settings=scene.settings).out)
    assert (told["records"], told["parsed"], told["keyed_by_user"]) == (120, 120, 120)
    assert told["partitioners"] == ["crc32"]
    assert told["source"] == {
        "topics": [scene.names.events],
        **MAPPED,
        "registry": url,
    }
    few = freshet("sniff", scene.names.events, "--records", "12", settings=scene.settings)
    assert few.code == 1 and "12 records of 6 partitions" in few.out
    missing = freshet("sniff", "no-such-topic", settings=scene.settings)
    assert missing.code == 1 and "there is no file and no topic no-such-topic" in missing.err
