"""A `freshet gateway` of its own, as a child process with a real server."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from app.gateway.access import new_key
from app.worker.process import WorkerProcess, environment
from tests.scene import Scene

PATIENCE_S = 40.0


class HttpGateway:
    """A gateway and a client of it."""

    def __init__(self, process: WorkerProcess, http: httpx2.Client) -> None:
        self.process = process
        self.http = http

    @property
    def log(self) -> str:
        """What it has logged."""
        return self.process.log_path.read_text()


@contextmanager
def http_gateway(scene: Scene, folder: Path, *arguments: str, port: int = 0) -> Iterator[HttpGateway]:
    """A gateway that ends with the block."""
    process = WorkerProcess(
        environment(scene.settings),
        folder / "gateway.log",
        arguments=("gateway", "--json", "--port", str(port), *arguments),
        folder=folder,
    )
    try:
        process.wait_for(lambda one: bool(one.of_kind("listening")), PATIENCE_S, "listening")
        with httpx2.Client(base_url=process.of_kind("listening")[0]["url"], timeout=60.0) as http:
            yield HttpGateway(process, http)
    finally:
        process.kill()


def await_ready(scene: Scene, gateway: HttpGateway, status: int = 200) -> None:
    """Return when the gateway is ready, or says that it is not."""

    def wrong() -> dict[str, object]:
        try:
            found = gateway.http.get("/readyz")
        except httpx2.TransportError as error:  # a child process is on its way
            return {"gateway": error}
        return {} if found.status_code == status else {"gateway": found.text}

    scene.await_none(wrong, PATIENCE_S, "gateways")


def with_keys(scene: Scene, **changes: Any) -> dict[str, dict[str, str]]:
    """Let the settings know a key of each scope; returns the headers with them."""
    made = {name: new_key(name, [name]) for name in ("read", "write", "admin")}
    scene.configure(gateway_keys=tuple(entry for _, entry in made.values()), **changes)
    return {name: {"Authorization": f"Bearer {key}"} for name, (key, _) in made.items()}


def view_of(user_id: str, item_id: str, **more: Any) -> dict[str, Any]:
    """A view of now."""
    now_ms = int(time.time() * 1000)
    return {"user_id": user_id, "item_id": item_id, "event_type": "view", "timestamp": now_ms, **more}
