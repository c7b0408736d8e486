"""Each alarm fires at its real cause and clears: a real Prometheus over a real worker and gateway, sixty times as fast.

The tests of this module share one worker and one gateway, and run in their order.
"""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from app.kafka import create_topics
from app.local.ports import free_port
from app.local.stack import LocalStack
from app.store.clients import for_threads
from tables.list_encoding import encode_list
from tables.list_json import ListItem
from tables.names import TopicSpec
from tests.command import freshet
from tests.damage import damage, send_batch, unknown_codec
from tests.http_gateway import HttpGateway, http_gateway
from tests.prometheus import SCRAPE_S, Prometheus
from tests.scene import Scene, Sent
from tests.stack import fresh_scene, own_stack
from tests.traffic import N_USERS, Person, Traffic, viewed

PATIENCE_S = 90.0
WELL_S = 12.0
BAD = 1
THEIRS = "their-clicks"
SOURCE: dict[str, Any] = {"topics": [THEIRS], "user_id": "u", "item_id": "i", "event_type": "'view'", "timestamp": "t"}

pytestmark = pytest.mark.timeout(600)  # the first start of all downloads Kafka


class Watched:
    """A scene whose worker and gateway a Prometheus watches."""

    def __init__(self, stack: LocalStack, scene: Scene, folder: Path) -> None:
        self.stack = stack
        self.scene = scene
        ports = {"freshet": free_port(), "freshet-gateway": free_port()}
        self.port = free_port()
        scene.configure(
            metrics_listen_port=ports["freshet"],
            gateway_metrics_listen_port=ports["freshet-gateway"],
            gateway_timeout_s=2.0,
            gateway_rate_per_s=300.0,
            gateway_burst=300,
            evaluate_fraction=1.0,
            sources={"theirs": SOURCE},
        )
        self.prometheus = Prometheus(folder / "prometheus", ports)
        self.worker: Any = None
        self.gateway: HttpGateway | None = None
        self._folder = folder
        self._serving = ExitStack()

    def start_worker(self) -> None:
        """A worker in the place of one that has ended."""
        self.worker = self.scene.worker()

    def start_gateway(self) -> None:
        """A gateway in the place of one that has ended."""
        self._serving = ExitStack()
        self.gateway = self._serving.enter_context(http_gateway(self.scene, self._folder, port=self.port))

    def end_gateway(self) -> None:
        """Kill it."""
        self._serving.close()

    def await_firing(self, *names: str) -> None:
        """Return when all of these alarms fire, together or one after the other."""
        missing = set(names)

        def silent() -> set[str]:
            missing.difference_update(self.prometheus.firing())
            return missing

        self._await(silent, "alarms that do not fire")

    def await_silent(self, *names: str, may_end: bool = False) -> None:
        """Return when none of these fires any more; a worker that may end is started anew, as a supervisor would."""

        def firing() -> set[str]:
            if may_end and self.worker.exit_code is not None:
                self.start_worker()
            return set(names) & self.prometheus.firing()

        self._await(firing, "alarms that do not clear")

    def _await(self, wrong: Callable[[], set[str]], what: str) -> None:
        def found() -> dict[str, object]:
            time.sleep(SCRAPE_S / 2)
            return dict.fromkeys(wrong())

        self.scene.await_none(found, PATIENCE_S, what)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack to be killed at will."""
    yield from own_stack(tmp_path_factory.mktemp("stack"))


@pytest.fixture(scope="module")
def watched(own: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Prometheus, and what it watches; nothing of that runs before the first test starts it."""
    folder = tmp_path_factory.mktemp("alarms")
    with pytest.MonkeyPatch.context() as patch, fresh_scene(own.broker, own.redis_url, folder, patch) as scene:
        made = Watched(own, scene, folder)
        made.prometheus.start()
        try:
            yield made
        finally:
            made.end_gateway()
            made.prometheus.stop()


@pytest.fixture
def traffic(watched: Watched) -> Iterator[Traffic]:
    """Views and reads as long as the test lasts."""
    with Traffic(watched.port) as made:
        yield made


def test_no_worker(watched: Watched) -> None:
    """Before there is one; and it clears when there is."""
    watched.await_firing("FreshetNoWorker")
    scene = watched.scene
    asyncio.run(create_topics(scene.settings.kafka, [TopicSpec(THEIRS, 1, {"retention.ms": "-1"})], 1))
    scene.create(2)
    watched.start_worker()
    watched.start_gateway()
    watched.await_silent("FreshetNoWorker")


def test_all_is_well(watched: Watched, traffic: Traffic) -> None:
    """While events are folded and lists are read nothing fires.

    But for the hit rate: an hour is three seconds here, and of some twenty tests chance alone takes a third.
    """
    deadline = time.monotonic() + WELL_S
    while time.monotonic() < deadline:
        assert watched.prometheus.firing() <= {"FreshetHitRateFell"}
        time.sleep(SCRAPE_S)
    assert traffic.statuses[202] > 10 and traffic.statuses[200] > 10 and set(traffic.statuses) <= {200, 202, 404}


def test_dead_letters(watched: Watched, traffic: Traffic) -> None:
    """A record that is no event; it clears when there has been none for a while."""
    watched.scene.send([Sent(b"u1", b"no JSON")])
    watched.await_firing("FreshetDeadLetters")
    watched.await_silent("FreshetDeadLetters")


def test_redis_is_away(watched: Watched, traffic: Traffic) -> None:
    """Redis killed: neither lists go out nor are they read; back and empty, all is well by itself."""
    causes = ("FreshetRedisErrors", "FreshetWorkerNotReady", "FreshetGatewayRedisErrors", "FreshetGatewayErrors")
    watched.stack.redis.kill()
    watched.await_firing(*causes)
    watched.stack.redis.start(empty=True)
    watched.await_silent(*causes)


def test_the_broker_is_away(watched: Watched, traffic: Traffic) -> None:
    """The broker killed: what is folded is not saved, what is posted not acknowledged; back, both go on."""
    causes = ("FreshetStaleCheckpoints", "FreshetGatewayKafkaErrors", "FreshetGatewayErrors")
    watched.stack.kafka.kill()
    watched.await_firing(*causes)
    watched.stack.kafka.start()
    watched.await_silent(*causes, "FreshetNoWorker", may_end=True)


def test_the_broker_is_slow(watched: Watched, traffic: Traffic) -> None:
    """A broker that stands still again and again acknowledges late."""
    deadline = time.monotonic() + PATIENCE_S
    while "FreshetGatewaySlowAcks" not in watched.prometheus.firing():
        assert time.monotonic() < deadline, watched.scene.logs()
        pid = watched.stack.kafka.pid
        os.kill(pid, signal.SIGSTOP)
        time.sleep(1.6)
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.4)
    watched.await_silent("FreshetGatewaySlowAcks")


def test_batches_that_cannot_be_decoded(watched: Watched, traffic: Traffic) -> None:
    """One in the log, and one in a topic of a source: both stand, the log gets longer; stepped over, both go on."""
    scene, kafka = watched.scene, watched.scene.settings.kafka
    assert watched.worker.stop() == 0
    offsets = {}
    for topic, partition in ((scene.names.events, BAD), (THEIRS, 0)):
        sent = [Sent(b"k", b"a value, the same as others")] * 40
        offsets[topic] = offset = send_batch(kafka, topic, partition, "zstd", sent)
        damage(watched.stack, topic, partition, offset, unknown_codec)
    watched.start_worker()
    watched.await_firing("FreshetPartitionStopped", "FreshetIntakeStopped", "FreshetLagGrowing")

    for topic, partition in ((scene.names.events, BAD), (THEIRS, 0)):
        at = ("skip", str(partition), str(offsets[topic]), "--topic", topic, "--yes")
        skipped = freshet("stopped", *at, settings=scene.settings)
        assert skipped.code == 0, skipped.err
    watched.await_silent("FreshetPartitionStopped", "FreshetIntakeStopped", "FreshetLagGrowing")


def test_lists_of_another_log(watched: Watched, traffic: Traffic) -> None:
    """Redis holds newer lists of the same users, and refuses ours; without them it takes ours again."""
    keys = watched.scene.keys
    users = [f"u{number}" for number in range(N_USERS)]
    item = ListItem("i1", 1.0, "history", ())
    client = for_threads(watched.scene.settings.redis, timeout_s=5.0)
    client.run([("SET", keys.user_list(user_id), of_epoch(9, user_id, item)) for user_id in users])
    watched.await_firing("FreshetListsFenced")
    client.run([("DEL", keys.user_list(user_id)) for user_id in users])
    client.close()
    watched.await_silent("FreshetListsFenced")


def of_epoch(epoch: int, user_id: str, item: ListItem) -> bytes:
    """A list as a log of another epoch would have it."""
    return encode_list(
        epoch=epoch,
        offset=0,
        user_id=user_id,
        namespace="",
        generated_at_ms=1,
        source=("other", 0, 0),
        model="m",
        variant="default",
        items=[item],
    )


def test_events_that_a_client_gets_wrong(watched: Watched, traffic: Traffic) -> None:
    """More than one in twenty is none; it clears when the client is mended."""
    person = Person(watched.port)
    deadline = time.monotonic() + PATIENCE_S
    while "FreshetGatewayRejectedEvents" not in watched.prometheus.firing():
        assert time.monotonic() < deadline
        assert person.ask("POST", "/v1/events", [{**viewed("u1", "i1"), "item_id": ""}] * 50)[0] in (422, 429)
        time.sleep(0.1)
    person.close()
    watched.await_silent("FreshetGatewayRejectedEvents")


def test_more_requests_than_are_served(watched: Watched, traffic: Traffic) -> None:
    """One address sends as fast as it can, and is told to wait; it clears when it does."""
    person, firing = Person(watched.port), set[str]()
    deadline = time.monotonic() + PATIENCE_S
    while "FreshetGatewayRateLimited" not in firing:
        assert time.monotonic() < deadline
        for _ in range(1000):
            person.ask("GET", "/v1/trending")
        firing = watched.prometheus.firing()
    person.close()
    watched.await_silent("FreshetGatewayRateLimited")


def test_no_events(watched: Watched) -> None:
    """After some there are none; it clears with the next ones."""
    with Traffic(watched.port):
        watched.await_silent("FreshetNoEvents")
        time.sleep(WELL_S)
    watched.await_firing("FreshetNoEvents")
    with Traffic(watched.port):
        watched.await_silent("FreshetNoEvents")


def test_people_act_on_lists_no_more(watched: Watched) -> None:
    """They clicked what stood first in their lists, then what stands in none, then what stands first again."""
    person = Person(watched.port)

    def click(is_first: bool, until: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not until():
            assert time.monotonic() < deadline, watched.prometheus.firing()
            for number in range(20):
                user_id = f"h{number}"
                status, found = person.ask("GET", f"/v1/users/{user_id}/recommendations?limit=1")
                items = found["items"] if status == 200 else []
                item_id = items[0]["id"] if items and is_first else f"new{time.monotonic_ns()}"
                person.ask("POST", "/v1/events", viewed(user_id, item_id, "click"))
                time.sleep(0.01)  # fewer requests than the rate that is served

    enough = time.monotonic() + WELL_S
    click(True, lambda: time.monotonic() > enough)
    assert "FreshetHitRateFell" not in watched.prometheus.firing()
    click(False, lambda: "FreshetHitRateFell" in watched.prometheus.firing())
    click(True, lambda: "FreshetHitRateFell" not in watched.prometheus.firing())
    person.close()


def test_no_gateway(watched: Watched) -> None:
    """There was one, and it is killed; it clears when there is one again."""
    watched.end_gateway()
    watched.await_firing("FreshetNoGateway")
    watched.start_gateway()
    watched.await_silent("FreshetNoGateway")
