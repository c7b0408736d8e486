"""Every format through one worker's intake, from topics of other people's records as real serializers wrote them."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
import pytest
from confluent_kafka import Producer

from app.kafka import create_topics
from tables.names import TopicSpec
from tests.scene import PATIENCE_S, Scene
from tests.source_batches import SOURCES, batch
from tests.source_counts import Counted, by_hand

PARTITIONS = 2


class Registries(BaseHTTPRequestHandler):
    """A registry for each batch that has schemas, under the batch's name."""

    def do_GET(self) -> None:
        """Answer with the schema."""
        _, name, path = self.path.split("/", 2)
        body = orjson.dumps(batch(f"confluent {name}")[0].schemas[f"/{path}"])
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def registries() -> Iterator[str]:
    """Their common URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Registries) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def topic_of(scene: Scene, name: str) -> str:
    """The topic that a batch lies in."""
    return f"{name.replace(' ', '-')}-{scene.settings.namespace}"


def send(scene: Scene) -> None:
    """Send every batch to a topic of its own, as it was recorded."""
    specs = [TopicSpec(topic_of(scene, name), PARTITIONS) for name in SOURCES]
    asyncio.run(create_topics(scene.settings.kafka, specs, 1))
    producer = Producer({"bootstrap.servers": scene.settings.broker})
    for name in SOURCES:
        for each in batch(name):
            producer.produce(topic_of(scene, name), each.value, each.key, headers=list(each.headers.items()))
    assert producer.flush(30) == 0


def sources(scene: Scene, url: str) -> dict[str, dict[str, Any]]:
    """`[sources]` of the settings."""
    return {
        name.replace(" ", "_"): {**words, "topics": [topic_of(scene, name)]}
        | ({"registry": f"{url}/{name.removeprefix('confluent ')}"} if "registry" in words else {})
        for name, words in SOURCES.items()
    }


@pytest.mark.timeout(600)  # the first start of all downloads Kafka
def test_every_format_is_counted_as_an_independent_count_says(scene: Scene, registries: str) -> None:
    """Of eleven topics each good element is one event, each broken record one dead letter, all else nothing."""
    by_name = {name: by_hand(name, batch(name)) for name in SOURCES}
    expected = Counter(event for outcomes in by_name.values() for made in outcomes for event in made or ())
    refused = {topic_of(scene, name): outcomes.count(None) for name, outcomes in by_name.items()}
    send(scene)
    scene.create(PARTITIONS)
    scene.configure(sources=sources(scene, registries))
    scene.worker()

    def different() -> dict[str, object]:
        n_sent, n_refused = len(scene.read(scene.names.events)), len(scene.read(scene.names.dead_letters))
        found = {"events": (n_sent, expected.total()), "letters": (n_refused, sum(refused.values()))}
        return {name: counts for name, counts in found.items() if counts[0] != counts[1]}

    scene.await_none(different, PATIENCE_S, "counts (found, expected)")
    found: Counter[Counted] = Counter()
    for each in scene.read(scene.names.events):
        event = orjson.loads(each.value)
        assert each.key == event["user_id"].encode()
        found[event["user_id"], event["item_id"], event["event_type"], event["timestamp"]] += 1
    assert found == expected
    letters = Counter(dict(each.headers)["topic"].decode() for each in scene.read(scene.names.dead_letters))
    assert letters == refused
    scene.n_sent = expected.total()
    states = scene.assert_exact()
    assert {user_id for state in states for user_id in state.users} == {user_id for user_id, *_ in expected}
