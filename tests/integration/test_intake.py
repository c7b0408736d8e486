"""The intake on a real broker: what it does without schemas, with dead letters that are re-driven, and when fenced."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import orjson
import pytest
from aiokafka.errors import InvalidProducerEpoch, ProducerFenced
from confluent_kafka import Producer

from agents.intake import Mapped
from app.doctor.intake import check_intake
from app.intake.inputs import Input
from app.intake.output import Output
from app.intake.places import read_places
from app.kafka import create_topics, writer
from app.sources import SourceEvent
from app.worker.preflight import intake_limits, prepare_topics
from tables.intake import Place
from tables.names import TopicSpec
from tests import foreign
from tests.command import freshet
from tests.scene import PATIENCE_S, Scene

FRAME = b"\x00\x00\x00\x00\x07"


class Registry(BaseHTTPRequestHandler):
    """Knows schema 7 once it is told to."""

    knows = False

    def do_GET(self) -> None:
        """Answer with the schema, or that the service is not to be had."""
        body = orjson.dumps({"schema": "{}", "schemaType": "JSON"} if type(self).knows else {"message": "down"})
        self.send_response(200 if type(self).knows else 503)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def registry() -> Iterator[str]:
    """A registry that is down until `Registry.knows`; its URL."""
    server = HTTPServer(("127.0.0.1", 0), Registry)
    Registry.knows = False
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def send(scene: Scene, topic: str, values: list[bytes], headers: list[tuple[str, bytes]] | None = None) -> None:
    """Make a topic of one partition and send values without keys."""

    async def send_all() -> None:
        await create_topics(scene.settings.kafka, [TopicSpec(topic, 1)], 1)
        producer = writer(scene.settings.kafka)
        await producer.start()
        for value in values:
            await producer.send_and_wait(topic, value, partition=0, headers=headers or [])
        await producer.stop()

    asyncio.run(send_all())


def visit(user_id: str, kind: str, *items: str) -> dict[str, Any]:
    """A record of theirs."""
    return {"visitor": user_id, "kind": kind, "hits": [{"sku": item} for item in items]}


def visits(topic: str, **more: Any) -> dict[str, Any]:
    """The source of such records; their time is the record's own."""
    paths = {"user_id": "visitor", "each": "hits", "item_id": "each.sku", "event_type": "kind"}
    return {"topics": [topic], **paths, "timestamp": "_timestamp", **more}


def in_the_log(scene: Scene) -> list[tuple[str, str]]:
    """User and item of every event, sorted."""
    return sorted(foreign.as_plain(record.value)[:2] for record in scene.read(scene.names.events))


def await_log(scene: Scene, expected: list[tuple[str, str]]) -> None:
    """Return when the log holds these and nothing else."""

    def different() -> dict[str, object]:
        found = in_the_log(scene)
        return {} if found == sorted(expected) else {"found": found}

    scene.await_none(different, PATIENCE_S, "events")


@pytest.mark.timeout(600)  # the first start of all downloads Kafka
def test_without_its_schema_a_partition_waits_alone(scene: Scene, registry: str) -> None:
    """Records before it are written, it is told once, nothing is a dead letter, others go on; later it goes on."""
    framed, plain = f"framed-{scene.settings.namespace}", f"plain-{scene.settings.namespace}"
    scene.create(2)
    send(scene, framed, [FRAME + orjson.dumps(visit(f"u{number}", "view", "a", "b")) for number in range(3)])
    send(scene, plain, [orjson.dumps(visit("p1", "view", "a"))])
    sources = {"framed": visits(framed, format="confluent", registry=registry), "plain": visits(plain)}
    scene.configure(sources=sources)

    worker = scene.worker()
    worker.wait_for(lambda one: bool(one.of_kind("intake_stopped")), PATIENCE_S, "the stop")
    await_log(scene, [("p1", "a")])
    send(scene, plain, [orjson.dumps(visit("p2", "view", "b"))])
    await_log(scene, [("p1", "a"), ("p2", "b")])
    send(scene, plain, [orjson.dumps(visit("p3", "view", "c"))])
    skewed = "a clock of what came new"
    worker.wait_for(lambda one: one.progress["intake"]["skew_ms"].keys() == {plain}, PATIENCE_S, skewed)
    found = asyncio.run(check_intake(scene.settings))
    assert [finding.status for finding in found] == ["ok", "wrong"]
    assert f"{framed}/0 stands at offset" in found[1].found and "schema" in found[1].found
    (stopped,) = worker.progress["intake"]["stopped"]
    assert (stopped["input"], stopped["offset"]) == (f"{framed}/0", 0)

    Registry.knows = True
    await_log(
        scene, [("p1", "a"), ("p2", "b"), ("p3", "c"), *((f"u{number}", item) for number in range(3) for item in "ab")]
    )
    worker.wait_for(lambda one: bool(one.of_kind("intake_resumed")), PATIENCE_S, "going on")
    assert [line["offset"] for line in worker.of_kind("intake_stopped")] == [0]
    assert scene.read(scene.names.dead_letters) == []
    assert worker.exit_code is None


def test_dead_letters_go_through_the_intake_again(scene: Scene) -> None:
    """A type is added to the source: what it made dead letters of is read anew, with its headers and time, once."""
    topic = f"visits-{scene.settings.namespace}"
    scene.create(2)
    values = [orjson.dumps(visit(f"u{number}", "bought" if number % 2 else "view", "a", "b")) for number in range(6)]
    values.append(orjson.dumps(visit("u7", "view", "a", "not{one}")))
    send(scene, topic, values, [("id", b"e1")])
    scene.configure(sources={"shop": visits(topic, event_id="_headers.id")})
    first = scene.worker()
    await_log(scene, [(f"u{number}", item) for number in (0, 2, 4) for item in "ab"])
    first.kill()

    (bad,) = [record for record in scene.read(scene.names.dead_letters) if b"not{one}" in record.value]
    assert b"element 1 of 2" in dict(bad.headers)["message"]
    assert dict(bad.headers)["topic"] == topic.encode()
    scene.configure(sources={"shop": visits(topic, event_id="_headers.id", types={"bought": "purchase"})})
    for expected in ({"redriven": 3, "stay": 1, "already": 0}, {"redriven": 0, "stay": 1, "already": 3}):
        outcome = freshet("dead-letters", "redrive", "--yes", "--json", settings=scene.settings)
        assert outcome.code == 0, outcome.err
        assert orjson.loads(outcome.out).items() >= expected.items()
    scene.worker()
    await_log(scene, [(f"u{number}", item) for number in range(6) for item in "ab"])
    times = {record.value: record.timestamp for record in scene.read(topic)}
    for record in scene.read(scene.names.events):
        user, _, _, time_ms, event_id = foreign.as_plain(record.value)
        assert event_id.startswith("e1/") and time_ms == times[values[int(user[1:])]]


def test_a_new_owner_fences_the_old_one(scene: Scene) -> None:
    """Whoever was paused and comes back writes nothing: neither events nor its place."""
    scene.create(1)
    scene.configure(sources={"shop": visits("theirs")})
    source, event = Input("theirs", 0), SourceEvent(b"u", b"{}")

    async def main() -> dict[bytes, Place]:
        settings, names = scene.settings, scene.names
        counts, limits = await prepare_topics(settings), await intake_limits(settings)
        old, new = (
            Output(names.intake_id(*source), names, settings.kafka, "murmur2", counts, limits) for _ in range(2)
        )
        mapped = Mapped[Any](plain={names.events: [event]})
        try:
            await old.start()
            await old.write(mapped, {source: Place(1, 9, is_live=True)})
            await new.start()
            with pytest.raises((ProducerFenced, InvalidProducerEpoch)):
                await old.write(mapped, {source: Place(2, 9, is_live=True)})
            await new.write(mapped, {source: Place(3, 9, is_live=True)})
        finally:
            await asyncio.gather(old.stop(), new.stop())
        return await read_places(settings.kafka, names.intake)

    assert asyncio.run(main()) == {source.key: Place(3, 9, is_live=True)}
    assert len(scene.read(scene.names.events)) == 2


def test_what_a_dead_owner_left_open_holds_nobody_up(scene: Scene) -> None:
    """A transaction without an end hides what lies behind it, and is ended by the input's next owner, not by time."""
    topic = f"theirs-{scene.settings.namespace}"
    scene.configure(sources={"shop": visits(topic)})
    scene.create(1)
    send(scene, topic, [orjson.dumps(visit("u1", "view", "a"))])
    source, intake = Input(topic, 0), scene.names.intake
    options = {"transactional.id": scene.names.intake_id(*source), "transaction.timeout.ms": 300_000, "log_level": 0}
    dead = Producer({"bootstrap.servers": scene.settings.broker, **options})
    dead.init_transactions(20)
    for position in (0, 1):
        dead.begin_transaction()
        dead.produce(intake, Place(position, 0, is_live=True).encode(), source.key, partition=0)
        dead.flush(20)
        if position == 0:
            dead.commit_transaction(20)

    seen = asyncio.run(read_places(scene.settings.kafka, intake, to_the_end=False))
    scene.worker()

    assert seen == {source.key: Place(0, 0, is_live=True)}
    await_log(scene, [("u1", "a")])
