"""Two gateways behind HAProxy with the settings of the compose file; one of them is killed."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.local.ports import HOST, free_port
from tests.http_gateway import await_ready, http_gateway
from tests.programs import require_program, unpacked
from tests.scene import PATIENCE_S, Scene
from tests.traffic import Person, viewed

SETTINGS = Path(__file__).parents[2] / "deploy" / "haproxy" / "haproxy.cfg"
N = 60


def settings(port: int, gateways: list[int]) -> str:
    """Those of the compose file, with a port of the test's own, and gateways by address instead of Docker's names."""
    text = SETTINGS.read_text("utf-8")
    text, n_ports = re.subn(r"bind :8400", f"bind {HOST}:{port}", text)
    servers = "\n".join(f"    server g{at} {HOST}:{at} check inter 200ms fall 2 rise 1" for at in gateways)
    text, n_servers = re.subn(r"    server-template .*", servers, text)
    text, n_resolvers = re.subn(r"nameserver dns .*", f"nameserver dns {HOST}:53", text)
    assert (n_ports, n_servers, n_resolvers) == (1, 1, 1)
    return text


@contextmanager
def balancer(folder: Path, gateways: list[int]) -> Iterator[int]:
    """An HAProxy in front of gateways; its port."""
    port = free_port()
    path = folder / "haproxy.cfg"
    path.write_text(settings(port, gateways))
    log = (folder / "haproxy.log").open("wb")
    command = [require_program("haproxy"), "-db", "-f", str(path)]
    process = subprocess.Popen(command, stdout=log, stderr=log, env=unpacked())
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)
        log.close()


@pytest.mark.timeout(600)  # the first start of all downloads Kafka
def test_one_of_two_gateways_is_killed(scene: Scene, tmp_path: Path) -> None:
    """Events that are sent again until they are accepted are folded once; reads go on; the other one has it all."""
    scene.create(1)
    worker = scene.worker()
    worker.wait_serving()
    ports, folders = [free_port(), free_port()], [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
    with (
        http_gateway(scene, folders[0], port=ports[0]) as first,
        http_gateway(scene, folders[1], port=ports[1]) as second,
        balancer(tmp_path, ports) as port,
    ):
        for gateway in (first, second):
            await_ready(scene, gateway)
        person = Person(port)

        def send(number: int) -> None:
            """Post an event until it is accepted."""
            event, due = viewed(f"u{number}", "i1"), time.monotonic() + PATIENCE_S
            while person.ask("POST", "/v1/events", event, Idempotency_Key=f"k{number}")[0] != 202:
                assert time.monotonic() < due, (tmp_path / "haproxy.log").read_text()
                time.sleep(0.05)

        for number in range(N):
            send(number)
        assert all("POST /v1/events 202" in gateway.log for gateway in (first, second))
        first.process.kill()
        for number in range(N, 2 * N):
            send(number)
        assert [person.ask("GET", "/v1/users/u1/recommendations")[0] for _ in range(20)] == [200] * 20
        person.close()
    scene.n_sent = len(scene.read(scene.names.events))
    (state,) = scene.assert_exact()
    assert {user_id: user.n_events for user_id in state.users if (user := state.users.get(user_id))} == {
        f"u{number}": 1 for number in range(2 * N)
    }
