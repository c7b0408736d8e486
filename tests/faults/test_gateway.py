"""The gateway killed while events are posted."""

import contextlib
import threading
import time
from pathlib import Path

import pytest

from app.local.ports import free_port
from tests.http_gateway import await_ready, http_gateway
from tests.scene import Scene
from tests.traffic import Person, viewed

N_CLIENTS = 8
N_POSTS = 1250
EVENTS_PER_USER = 10
KILLED_AFTER = (2500, 5000, 7500)
RETRY_S = 0.05
GIVE_UP_S = 120.0

pytestmark = pytest.mark.timeout(600)


class Client(threading.Thread):
    """Posts events without event ids, each again until it is accepted, and every fifth once more after that.

    A user has few of them one after the other, so that a repeat is among the 32 newest of its user.
    """

    def __init__(self, number: int, port: int) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.port = port
        self.n_accepted = 0
        self.n_failed = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with contextlib.closing(Person(self.port, timeout_s=30.0)) as person:
                for n in range(N_POSTS):
                    event = viewed(f"u{self.number}-{n // EVENTS_PER_USER}", f"i{n % EVENTS_PER_USER}")
                    for _ in range(2 if n % 5 == 0 else 1):
                        self.post(person, event, f"{self.number}-{n}")
                    self.n_accepted += 1
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.error = error

    def post(self, person: Person, event: dict[str, object], key: str) -> None:
        """Post until it is accepted."""
        deadline = time.monotonic() + GIVE_UP_S
        while True:
            status, said = person.ask("POST", "/v1/events", event, Idempotency_Key=key)
            if status == 202:
                return
            assert status in (0, 503), said
            assert time.monotonic() < deadline, "nobody takes events"
            self.n_failed += 1
            time.sleep(RETRY_S)


def test_gateway_killed_during_retried_posts(scene: Scene, tmp_path: Path) -> None:
    """Three kill -9 amid 10,000 posts with Idempotency-Key: each acknowledged event is folded once, no other is."""
    scene.create(2)
    scene.configure(gateway_rate_per_s=0)
    scene.worker()
    port = free_port()
    clients = [Client(number, port) for number in range(N_CLIENTS)]

    def n_accepted() -> int:
        for client in clients:
            assert client.error is None, client.error
        return sum(client.n_accepted for client in clients)

    for at in (*KILLED_AFTER, N_CLIENTS * N_POSTS):
        with http_gateway(scene, tmp_path, port=port) as gateway:
            if at == KILLED_AFTER[0]:
                await_ready(scene, gateway)
                for client in clients:
                    client.start()
            scene.await_none(lambda: {} if n_accepted() >= at else {"accepted": n_accepted()}, GIVE_UP_S, "posts")  # noqa: B023

    scene.n_sent = len(scene.read(scene.names.events))
    states = scene.assert_exact()
    counts = {
        user_id: user.n_events for state in states for user_id in state.users if (user := state.users.get(user_id))
    }
    n_users = N_POSTS // EVENTS_PER_USER
    assert counts == {f"u{number}-{n}": EVENTS_PER_USER for number in range(N_CLIENTS) for n in range(n_users)}
    n_repeats = sum(state.metrics.counts["duplicates"] for state in states)
    assert n_repeats == scene.n_sent - N_CLIENTS * N_POSTS >= N_CLIENTS * N_POSTS // 5
    assert sum(client.n_failed for client in clients) > 0
