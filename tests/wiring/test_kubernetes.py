"""deploy/kubernetes: valid by Kubernetes's own schemas, and the same settings, ports and paths as the code's."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import orjson
import pytest
from ruamel.yaml import YAML

from app.gateway.around import OPEN_PATHS
from app.gateway.serve import check_address
from app.settings import PREFIX, Settings
from models.errors import SettingsError

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
RELEASE = "1.30"  # the oldest that has what the manifests use
OF_WORKERS = {"/metrics", "/healthz", "/readyz"}

Manifest = dict[str, Any]


def manifests() -> list[Manifest]:
    """All of them, file by file."""
    return [
        each for path in sorted(FOLDER.glob("*.yaml")) for each in YAML(typ="safe", pure=True).load_all(path) if each
    ]


def of_kind(*kinds: str) -> dict[str, Manifest]:
    """Those of some kinds, by name."""
    return {each["metadata"]["name"]: each for each in manifests() if each["kind"] in kinds}


def pods() -> dict[str, Manifest]:
    """Templates of pods, by the name of what makes them."""
    return {name: each["spec"]["template"] for name, each in of_kind("StatefulSet", "Deployment").items()}


def container(name: str) -> Manifest:
    """The one container of a pod."""
    (found,) = pods()[name]["spec"]["containers"]
    return dict(found)


def probes(name: str) -> Iterator[tuple[str, str]]:
    """Path and port of each probe of a pod."""
    for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container(name)[kind]["httpGet"]
        yield asked["path"], asked["port"]


def variables(name: str) -> dict[str, str]:
    """The variables of a pod that have a value in the manifests."""
    found: dict[str, str] = {}
    for given in container(name)["envFrom"]:
        if "configMapRef" in given:
            found |= of_kind("ConfigMap")[given["configMapRef"]["name"]]["data"]
        else:
            found |= of_kind("Secret")[given["secretRef"]["name"]]["stringData"]
    return found | {each["name"]: each["value"] for each in container(name)["env"] if "value" in each}


def settings_of(name: str) -> Settings:
    """What Freshet makes of a pod's variables."""
    given: dict[str, Any] = {
        variable.removeprefix(PREFIX).lower(): value for variable, value in variables(name).items()
    }
    keys = orjson.loads(given.pop("gateway_keys"))
    return Settings(**given, gateway_keys=keys)


@pytest.mark.parametrize("manifest", manifests(), ids=lambda each: f"{each['kind']}/{each['metadata']['name']}")
def test_schema(manifest: Manifest) -> None:
    """Every field is one that Kubernetes knows, and of its type."""
    kubernetes_validate.validate(manifest, RELEASE, strict=True)


def test_a_misspelt_field_is_found() -> None:
    """The schemas are strict: what Kubernetes would leave out in silence is an error here."""
    (worker,) = of_kind("StatefulSet").values()
    worker["spec"]["template"]["spec"]["terminationGraceSeconds"] = 90
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(worker, RELEASE, strict=True)


@pytest.mark.parametrize("name", pods())
def test_selectors_find_the_pods(name: str) -> None:
    """Whatever selects pods by their name, selects those of this workload; the service of a name is there."""
    labels = pods()[name]["metadata"]["labels"]
    workload = of_kind("StatefulSet", "Deployment")[name]["spec"]
    selectors = [
        workload["selector"]["matchLabels"],
        of_kind("Service")[name]["spec"]["selector"],
        of_kind("PodDisruptionBudget")[name]["spec"]["selector"]["matchLabels"],
        of_kind("NetworkPolicy")[name]["spec"]["podSelector"]["matchLabels"],
    ]
    assert all(selector.items() <= labels.items() for selector in selectors)
    assert workload.get("serviceName", name) == name


@pytest.mark.parametrize("name", pods())
def test_variables_are_settings(name: str) -> None:
    """Each variable of a pod is one that Freshet knows, in a form that it takes."""
    named = {*variables(name), *(each["name"] for each in container(name)["env"])}
    assert {each.removeprefix(PREFIX).lower() for each in named} <= set(Settings.model_fields)
    assert settings_of(name).broker == "kafka:9092"


def test_instance_id_is_the_name_of_the_pod() -> None:
    """So that a pod that comes back is the member of the group that it was."""
    (given,) = [each for each in container("freshet-worker")["env"] if each["name"] == "FRESHET_INSTANCE_ID"]
    assert given["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}


def test_ports_are_those_that_are_listened_at() -> None:
    """By their names in probes, services and policies; and Prometheus is told of the right one."""
    worker, gateway = settings_of("freshet-worker"), settings_of("freshet-gateway")
    listened = {
        "freshet-worker": {"metrics": worker.metrics_listen_port},
        "freshet-gateway": {"http": gateway.gateway_listen_port, "metrics": gateway.gateway_metrics_listen_port},
    }
    assert {worker.metrics_listen_host, gateway.gateway_listen_host, gateway.gateway_metrics_listen_host} == {"0.0.0.0"}
    for name, ports in listened.items():
        assert {each["name"]: each["containerPort"] for each in container(name)["ports"]} == ports
        assert pods()[name]["metadata"]["annotations"]["prometheus.io/port"] == str(ports["metrics"])
        for service in of_kind("Service")[name]["spec"]["ports"]:
            assert service["port"] == ports[service["targetPort"]]
        allowed = [port["port"] for rule in of_kind("NetworkPolicy")[name]["spec"]["ingress"] for port in rule["ports"]]
        assert sorted(allowed) == sorted(ports)
        assert {port for _, port in probes(name)} <= ports.keys()


def test_probes_ask_what_is_answered() -> None:
    """Paths that are there, without a key; what restarts a pod asks only whether its process answers."""
    assert {path for path, _ in probes("freshet-worker")} == {"/healthz", "/readyz"} <= OF_WORKERS
    assert {path for path, _ in probes("freshet-gateway")} == {"/healthz", "/readyz"} <= OPEN_PATHS
    assert {container(name)["livenessProbe"]["httpGet"]["path"] for name in pods()} == {"/healthz"}


def test_there_is_time_to_stop() -> None:
    """Longer than the longest checkpoint; longer than what a gateway waits before it ends, and ends."""
    worker, gateway = pods()["freshet-worker"]["spec"], pods()["freshet-gateway"]["spec"]
    assert worker["terminationGracePeriodSeconds"] > settings_of("freshet-worker").checkpoint_max_s
    pause_s = container("freshet-gateway")["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert gateway["terminationGracePeriodSeconds"] > pause_s + settings_of("freshet-gateway").gateway_drain_s


def test_image_and_user_are_those_of_the_dockerfile() -> None:
    """The version is this one's, the command one of Freshet's, the user the image's, and /tmp can be written."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    (uid,) = re.findall(r"--uid (\d+)", (ROOT / "Dockerfile").read_text("utf-8"))
    for name, pod in pods().items():
        assert container(name)["image"] == f"freshet:{version}"
        assert container(name)["args"] == [name.removeprefix("freshet-")]
        assert pod["spec"]["securityContext"]["runAsUser"] == int(uid)
        assert pod["spec"]["enableServiceLinks"] is False
        assert [each["mountPath"] for each in container(name)["volumeMounts"]] == ["/tmp"]


def test_nobody_is_let_in_unasked() -> None:
    """The keys are the operator's to make: without any the gateway does not start."""
    with pytest.raises(SettingsError, match="--new-key"):
        check_address(settings_of("freshet-gateway"))
