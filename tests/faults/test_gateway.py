"""The gateway killed while events are posted."""

import threading
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.local.ports import free_port
from tests.http_gateway import await_ready, http_gateway, view_of
from tests.scene import Scene

N_CLIENTS = 4
N_BATCHES = 15
BATCH = 20
KILLED_AFTER = (15,)
RETRY_S = 0.05
GIVE_UP_S = 100.0

pytestmark = pytest.mark.timeout(600)


class Client(threading.Thread):
    """Posts batches without event ids, each again until it is accepted, and every fifth of them once more after that.

    Each has a user of its own for every batch, so that a repeat is among the 32 newest of its user.
    """

    def __init__(self, number: int, url: str) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.url = url
        self.accepted: list[str] = []
        self.n_failed = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with httpx2.Client(base_url=self.url, timeout=30.0) as http:
                for batch in range(N_BATCHES):
                    user_id = f"u{self.number}-{batch}"
                    events = [view_of(user_id, f"i{place}") for place in range(BATCH)]
                    for _ in range(2 if batch % 5 == 0 else 1):
                        self.post(http, events, f"{self.number}-{batch}")
                    self.accepted.append(user_id)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.error = error

    def post(self, http: httpx2.Client, events: list[dict[str, Any]], key: str) -> None:
        """Post until all are accepted."""
        deadline = time.monotonic() + GIVE_UP_S
        while True:
            try:
                answer = http.post("/v1/events", json=events, headers={"Idempotency-Key": key})
            except httpx2.TransportError:
                pass
            else:
                if answer.status_code == 202:
                    return
                assert answer.status_code == 503, answer.text
            assert time.monotonic() < deadline, "nobody takes events"
            self.n_failed += 1
            time.sleep(RETRY_S)


def test_gateway_killed_during_retried_posts(scene: Scene, tmp_path: Path) -> None:
    """Kill -9 amid posts with Idempotency-Key: each acknowledged event is folded exactly once, no other is."""
    scene.create(2)
    scene.worker()
    port = free_port()
    clients = [Client(number, f"http://127.0.0.1:{port}") for number in range(N_CLIENTS)]

    def n_accepted() -> int:
        for client in clients:
            assert client.error is None, client.error
        return sum(len(client.accepted) for client in clients)

    for at in (*KILLED_AFTER, N_CLIENTS * N_BATCHES):
        with http_gateway(scene, tmp_path, port=port) as gateway:
            if at == KILLED_AFTER[0]:
                await_ready(scene, gateway)
                for client in clients:
                    client.start()
            scene.await_none(lambda: {} if n_accepted() >= at else {"accepted": n_accepted()}, GIVE_UP_S, "batches")  # noqa: B023

    scene.n_sent = len(scene.read(scene.names.events))
    states = scene.assert_exact()
    counts = {
        user_id: user.n_events for state in states for user_id in state.users if (user := state.users.get(user_id))
    }
    assert counts == {f"u{number}-{batch}": BATCH for number in range(N_CLIENTS) for batch in range(N_BATCHES)}
    n_repeats = sum(state.metrics.counts["duplicates"] for state in states)
    assert n_repeats == scene.n_sent - N_CLIENTS * N_BATCHES * BATCH >= N_CLIENTS * (N_BATCHES // 5) * BATCH
    assert sum(client.n_failed for client in clients) > 0
