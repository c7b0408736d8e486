"""The broker and Redis killed under a worker, on a stack of this module's own."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from app.local.stack import LocalStack
from app.worker.process import WorkerProcess
from models.errors import ServiceError
from tests.flow import Flow
from tests.http_gateway import await_ready, http_gateway, view_of
from tests.scene import Scene, Sent
from tests.stack import own_stack, scene_on

DOWN_S = 10.0
READY_S = 15.0
N_USERS = 5000
GATEWAY_S = 60.0

pytestmark = pytest.mark.timeout(600)  # the first start of all downloads Kafka


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack to be killed at will."""
    yield from own_stack(tmp_path_factory.mktemp("stack"))


@pytest.fixture
def scene(own: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """A namespace of this test's own on that stack."""
    yield from scene_on(own, tmp_path, monkeypatch)


@contextmanager
def under_load(scene: Scene, partitions: int, n: int) -> Iterator[tuple[WorkerProcess, Flow]]:
    """A worker and the 500 events a second that it folds; `n` are sent before the block begins."""
    scene.create(partitions)
    worker = scene.worker()
    with Flow(scene, 500) as flow:
        flow.wait(n)
        yield worker, flow


def test_broker_killed_and_back(own: LocalStack, scene: Scene) -> None:
    """The broker away for 10 s: the worker goes on, or ends non-zero and its successor is ready within 15 s; exact."""
    with under_load(scene, 4, 1000) as (worker, flow):
        own.kafka.kill()
        time.sleep(DOWN_S)
        own.kafka.start()
        since = time.monotonic()
        flow.wait(500, timeout_s=60)
        if worker.exit_code is None:
            folded = worker.folded
            try:
                worker.wait_for(lambda one: one.folded > folded, 2 * READY_S, "more events folded")
            except ServiceError:
                assert worker.exit_code is not None, worker.failure("neither goes on nor ends")
        if worker.exit_code is not None:
            assert worker.exit_code == 1, worker.failure("ended otherwise")
            scene.worker(ready=False).wait_ready(READY_S)
        assert time.monotonic() - since < 60
        flow.wait(500)

    scene.assert_lists(scene.assert_exact())


def test_broker_back_at_once(own: LocalStack, scene: Scene) -> None:
    """The broker killed and started again at once: nothing is lost, doubled or wrong."""
    with under_load(scene, 2, 500) as (worker, flow):
        own.kafka.kill()
        own.kafka.start()
        flow.wait(500, timeout_s=60)
        if worker.exit_code is not None:
            scene.worker()

    scene.assert_lists(scene.assert_exact(60))


def test_redis_killed_and_restarted_empty(own: LocalStack, scene: Scene) -> None:
    """Redis restarted empty: without a new event each of 5,000 users has a list again within 30 s."""
    scene.create(4)
    value = b'{"user_id": "u%d", "item_id": "i%d", "event_type": "view", "timestamp": %d}'
    scene.send(
        Sent(b"u%d" % user, value % (user, (user + step) % 97, 1_700_000_000_000 + user))
        for step in range(2)
        for user in range(N_USERS)
    )
    worker = scene.worker()
    states = scene.assert_exact()
    assert sum(len(state.users) for state in states) == N_USERS
    scene.assert_lists(states)

    own.redis.kill()
    own.redis.start(empty=True)

    scene.assert_lists(states)
    assert worker.exit_code is None


def test_redis_away_while_events_flow(own: LocalStack, scene: Scene) -> None:
    """Redis away for 5 s: the fold goes on meanwhile, and afterwards every list is there, of its last event."""
    with under_load(scene, 2, 500) as (worker, flow):
        own.redis.kill()
        folded = worker.folded
        time.sleep(5.0)
        assert worker.folded > folded + 1000
        own.redis.start(empty=True)
        flow.wait(250)

    scene.assert_lists(scene.assert_exact())
    assert worker.exit_code is None


def test_gateway_while_kafka_and_redis_are_away(own: LocalStack, scene: Scene, tmp_path: Path) -> None:
    """Each killed for 10 s: 503 with Retry-After, and what needs the other goes on; back: the same gateway serves."""
    scene.configure(gateway_timeout_s=2.0, gateway_max_wait_ms=30_000)
    scene.create(1)
    with http_gateway(scene, tmp_path) as gateway:
        await_ready(scene, gateway)
        scene.worker()
        http, path = gateway.http, "/v1/users/u/recommendations"
        first = http.post("/v1/events", json=view_of("u", "i"), headers={"Idempotency-Key": "1"})
        token = first.json()["events"][0]["position"]
        found = http.get(path, params={"after": token, "wait_ms": 30_000}).json()
        assert found["after"]["reached"] is True

        own.kafka.kill()
        back_at = time.monotonic() + DOWN_S
        away = [
            http.post("/v1/events", json=view_of("u", f"i{n}"), headers={"Idempotency-Key": f"a{n}"}) for n in (1, 2)
        ]
        put = http.put("/v1/items/i", json={"title": "I"})
        assert http.get(path).status_code == 200
        await_ready(scene, gateway, 503)
        time.sleep(max(0.0, back_at - time.monotonic()))
        own.kafka.start()

        assert [(answer.status_code, answer.headers["retry-after"]) for answer in (*away, put)] == [(503, "2")] * 3
        await_ready(scene, gateway)

        def refused(n: int) -> dict[str, object]:
            again = http.post("/v1/events", json=view_of("u", f"i{n}"), headers={"Idempotency-Key": f"a{n}"})
            return {} if again.status_code == 202 else {f"a{n}": again.text}

        for n in (1, 2):
            scene.await_none(partial(refused, n), GATEWAY_S, "posts")
        for worker in scene.workers:
            if worker.exit_code is not None:
                scene.worker()

        own.redis.kill()
        back_at = time.monotonic() + DOWN_S
        found = http.get(path)
        assert (found.status_code, found.headers["retry-after"]) == (503, "1")
        assert http.post("/v1/events", json=view_of("u", "i3")).status_code == 202
        time.sleep(max(0.0, back_at - time.monotonic()))
        assert http.get(path).status_code == 503
        own.redis.start(empty=True)
        scene.await_none(lambda: {} if http.get(path).status_code == 200 else {"list": "none"}, GATEWAY_S, "reads")

    scene.n_sent = len(scene.read(scene.names.events))
    (state,) = scene.assert_exact()
    user = state.users.get("u")
    assert user is not None and user.n_events == 4
