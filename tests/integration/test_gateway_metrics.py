"""The metrics of a real gateway of two processes: one address, and whoever serves a request, it counts."""

import os
import signal
import time
from pathlib import Path
from urllib.request import urlopen

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.local.ports import free_port
from app.worker.process import WorkerProcess, environment
from tests.exits import wait_exit
from tests.http_gateway import HttpGateway, await_ready, http_gateway, view_of
from tests.scene import PATIENCE_S, Scene

N = 60
POSTS = ("POST", "/v1/events", "202")


def scrape(port: int) -> dict[str, dict[tuple[str, ...], float]]:
    """Samples by name and values of labels, these by their names."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = tuple(sample.labels[name] for name in sorted(sample.labels))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


def servers(gateway: HttpGateway) -> list[int]:
    """The processes that serve requests."""
    children = Path(f"/proc/{gateway.process.pid}/task/{gateway.process.pid}/children").read_text().split()
    return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def post(scene: Scene, gateway: HttpGateway, n: int) -> None:
    """Post events, each by a connection of its own, until each is accepted once."""

    def refused(number: int) -> dict[str, object]:
        try:
            found = httpx2.post(f"{gateway.http.base_url}/v1/events", json=view_of(f"u{number}", "i1"))
        except httpx2.TransportError as error:
            return {f"u{number}": error}
        return {} if found.status_code == 202 else {f"u{number}": found.text}

    for number in range(n):
        scene.await_none(lambda: refused(number), PATIENCE_S, "posts")  # noqa: B023


@pytest.mark.timeout(600)  # the first start of all downloads Kafka
def test_every_process_counts(scene: Scene, tmp_path: Path) -> None:
    """Of both together, also when one was killed; a port that is taken ends the start; with it the numbers end."""
    port = free_port()
    scene.create(1)
    scene.configure(gateway_metrics_listen_port=port)
    with http_gateway(scene, tmp_path, "--processes", "2") as gateway:
        await_ready(scene, gateway)
        post(scene, gateway, N)
        found = scrape(port)
        assert found["freshet_gateway_requests_total"][POSTS] == N
        assert found["freshet_gateway_events_accepted_total"] == {(): N}
        assert found["freshet_gateway_request_seconds_count"][("/v1/events",)] >= N
        assert found["freshet_gateway_kafka_ack_seconds_count"] == {(): N}
        assert set(found["freshet_gateway_build_info"].values()) == {1}

        first, *others = servers(gateway)
        assert len(others) == 1
        os.kill(first, signal.SIGKILL)
        due = time.monotonic() + PATIENCE_S
        while first in servers(gateway) and time.monotonic() < due:
            time.sleep(0.05)
        post(scene, gateway, N)
        assert scrape(port)["freshet_gateway_requests_total"][POSTS] == 2 * N

        log_path = tmp_path / "second.log"
        arguments = ("gateway", "--json", "--port", "0")
        second = WorkerProcess(environment(scene.settings), log_path, arguments=arguments, folder=tmp_path)
        assert wait_exit(second, PATIENCE_S) == 1
        said = log_path.read_text()
        assert f"FRESHET_GATEWAY_METRICS_LISTEN_PORT {port}" in said and "Traceback" not in said
        assert gateway.process.stop() == 0
    with pytest.raises(OSError, match="refused"):
        scrape(port)


@pytest.mark.timeout(600)
def test_one_process_tells_of_itself(scene: Scene, tmp_path: Path) -> None:
    """Its memory and CPU as well; and nothing of it at the port that strangers reach."""
    port = free_port()
    scene.create(1)
    scene.configure(gateway_metrics_listen_port=port)
    with http_gateway(scene, tmp_path) as gateway:
        await_ready(scene, gateway)
        assert gateway.http.get("/metrics").status_code == 404
        found = scrape(port)
        assert found["freshet_gateway_requests_total"][("GET", "-", "404")] == 1
        assert found["process_resident_memory_bytes"][()] > 10_000_000
        assert gateway.process.stop() == 0
