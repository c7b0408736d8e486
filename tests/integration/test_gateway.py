"""`freshet gateway` on real Kafka and Redis, beside a worker, with a real server."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.gateway.access import new_key
from app.worker.process import WorkerProcess, environment
from tests.scene import Scene

PATIENCE_S = 30.0


@contextmanager
def serving(scene: Scene, folder: Path, *arguments: str) -> Iterator[tuple[WorkerProcess, str]]:
    """A gateway, and its address; it ends with the block."""
    process = WorkerProcess(
        environment(scene.settings),
        folder / "gateway.log",
        arguments=("gateway", "--json", "--port", "0", *arguments),
        folder=folder,
    )
    try:
        process.wait_for(lambda one: bool(one.of_kind("listening")), PATIENCE_S, "listening")
        yield process, process.of_kind("listening")[0]["url"]
    finally:
        process.kill()


def await_ready(scene: Scene, url: str, status: int = 200) -> None:
    """Return when the gateway says so."""

    def wrong() -> dict[str, object]:
        found = httpx2.get(f"{url}/readyz")
        return {} if found.status_code == status else {"ready": found.text}

    scene.await_none(wrong, PATIENCE_S, "gateways")


def event(user_id: str, item_id: str, **more: Any) -> dict[str, Any]:
    """A view of now."""
    now_ms = int(time.time() * 1000)
    return {"user_id": user_id, "item_id": item_id, "event_type": "view", "timestamp": now_ms, **more}


@pytest.fixture
def keys(scene: Scene) -> dict[str, dict[str, str]]:
    """The header of a key of each scope, and settings that know them."""
    made = {name: new_key(name, [name]) for name in ("read", "write", "admin")}
    scene.configure(gateway_keys=tuple(entry for _, entry in made.values()), gateway_burst=10_000)
    return {name: {"Authorization": f"Bearer {key}"} for name, (key, _) in made.items()}


def test_events_in_lists_out(scene: Scene, tmp_path: Path, keys: dict[str, dict[str, str]]) -> None:
    """What is posted is folded and listed; a token is reached; ids of every kind are read back as they are."""
    scene.create(2)
    odd = "a/b%2F c+ü"
    with serving(scene, tmp_path) as (_, url), httpx2.Client(base_url=url) as http:
        assert http.get("/healthz").json() == {"status": "ok"}
        await_ready(scene, url)
        scene.worker()

        crowd = [event(f"u{n}", item) for n in range(9) for item in ("hub", "left", "<script>alert(1)</script>")]
        sent = http.post("/v1/events", json=[*crowd, event("u0", "bad\x00")], headers=keys["write"])

        assert sent.status_code == 207
        assert (sent.json()["accepted"], sent.json()["events"][-1]["reason"]) == (27, "out_of_range")
        own = http.post("/v1/events", json=event(odd, "hub"), headers=keys["write"])
        assert own.status_code == 202
        token = own.json()["events"][0]["position"]
        read = http.get(
            "/v1/users/a%2Fb%252F%20c+%C3%BC/recommendations",
            params={"after": token, "wait_ms": 2000},
            headers=keys["read"],
        )
        assert read.json()["user_id"] == odd
        assert read.json()["after"]["reached"] is True
