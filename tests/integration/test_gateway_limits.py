"""What the gateway bears: a crowd from one address, and requests as its own OpenAPI document says they may be."""

import http.client
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.http_gateway import HttpGateway, await_ready, http_gateway
from tests.scene import Scene

N, THREADS = 1000, 8
RATE_PER_S, BURST = 50.0, 100
SEED = "7"
EXAMPLES = "60"
LEFT_OUT = (
    "unsupported_method",  # ids may hold slashes: PUT /v1/items/x/similar is the item x/similar,
    "allow_header_conformance",  # and OPTIONS says so
    "positive_data_acceptance",  # JSON Schema has no clock, and takes 1.0 for an integer
)


def asked(gateway: HttpGateway, n: int, source: str) -> list[tuple[int, str | None]]:
    """Status and Retry-After of requests one after the other from an address of this machine."""
    url = urlsplit(str(gateway.http.base_url))
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=20, source_address=(source, 0))
    found = []
    for _ in range(n):
        connection.request("GET", "/v1/trending")
        answer = connection.getresponse()
        answer.read()
        found.append((answer.status, answer.getheader("Retry-After")))
    connection.close()
    return found


@pytest.mark.timeout(600)  # the first start of all downloads Kafka
def test_a_thousand_requests_at_once_from_one_address(scene: Scene, tmp_path: Path) -> None:
    """No more are served than burst and rate allow, the others are told when to come back; others are served."""
    scene.create(1)
    scene.configure(gateway_rate_per_s=RATE_PER_S, gateway_burst=BURST)
    with http_gateway(scene, tmp_path) as gateway:
        await_ready(scene, gateway)
        began = time.monotonic()
        with ThreadPoolExecutor(THREADS) as threads:
            parts = threads.map(lambda _: asked(gateway, N // THREADS, "127.0.0.1"), range(THREADS))
            found = [each for part in parts for each in part]
        took_s = time.monotonic() - began
        assert {status for status, _ in found} == {200, 429}
        n_served = sum(status == 200 for status, _ in found)
        assert BURST <= n_served <= BURST + RATE_PER_S * took_s + 1
        assert {after for status, after in found if status == 429} == {"1"}
        assert asked(gateway, 20, "127.0.0.2") == [(200, None)] * 20
        assert gateway.http.get("/healthz").status_code == 200


@pytest.mark.timeout(900)  # some thousand requests
def test_what_openapi_says_is_so(scene: Scene, tmp_path: Path) -> None:
    """Schemathesis makes requests of the document, valid and not: no 5xx, no answer that the document lacks."""
    scene.create(1)
    scene.configure(gateway_rate_per_s=0)
    with http_gateway(scene, tmp_path) as gateway:
        await_ready(scene, gateway)
        scene.worker().wait_serving()
        url = str(gateway.http.base_url)
        command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{url}/openapi.json"]
        options = ["--checks=all", f"--exclude-checks={','.join(LEFT_OUT)}", f"--seed={SEED}"]
        options += [f"--max-examples={EXAMPLES}", "--no-color"]
        done = subprocess.run(
            [*command, *options], cwd=tmp_path, capture_output=True, text=True, timeout=800, check=False
        )
        assert done.returncode == 0, f"{done.stdout[-12_000:]}\n{done.stderr[-2000:]}"
        assert gateway.process.exit_code is None
        assert "Traceback" not in gateway.log
