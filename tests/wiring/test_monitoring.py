"""Board, scrape settings and alarms: they parse, every name is exported, and the page says all of it."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from app.gateway.described import METRICS as OF_GATEWAYS
from app.metrics.described import METRICS as OF_WORKERS
from app.metrics.described import exported_names
from app.settings import Settings
from tests.programs import require_program
from tests.prometheus import hastened

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BOARD = DEPLOY / "grafana" / "boards" / "freshet.json"
RULES = DEPLOY / "prometheus" / "rules.yml"
PAGE = (ROOT / "docs" / "metrics.md").read_text("utf-8")
ALARMS = (ROOT / "docs" / "alarms.md").read_text("utf-8")
METRICS = OF_WORKERS | OF_GATEWAYS
OF_THE_PROCESS = {"process_resident_memory_bytes", "process_cpu_seconds_total"}


def _yaml(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path)


def _rules() -> list[dict[str, Any]]:
    return [rule for group in _yaml(RULES)["groups"] for rule in group["rules"]]


def _panels() -> list[dict[str, Any]]:
    return [panel for panel in json.loads(BOARD.read_text("utf-8"))["panels"] if panel["type"] != "row"]


def _expressions() -> list[str]:
    of_board = [target["expr"] for panel in _panels() for target in panel["targets"]]
    return of_board + [rule["expr"] for rule in _rules()]


def _names(text: str) -> set[str]:
    return set(re.findall(r"\b(?:freshet|process)_[a-z0-9_]+", text))


@pytest.mark.parametrize("expression", _expressions())
def test_every_name_is_exported(expression: str) -> None:
    """Board and alarms ask for metrics that there are, and by labels that those have."""
    names = _names(expression)
    assert names or "up{" in expression
    assert names - exported_names(METRICS) - OF_THE_PROCESS == set()
    families = {name: METRICS[name] for name in METRICS if any(each.startswith(name) for each in names)}
    known = {"job", "instance", "le", *(label for metric in families.values() for label in metric.labels)}
    asked = set(re.findall(r"(\w+)=~?\"", expression))
    asked |= {label for by in re.findall(r"by \((.*?)\)", expression) for label in by.split(", ")}
    assert asked <= known


def _promtool(*arguments: str) -> None:
    promtool = require_program("promtool")
    said = subprocess.run([promtool, *arguments], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


def test_promtool_takes_the_rules() -> None:
    """As Prometheus would, without a warning."""
    _promtool("check", "rules", "--lint=all", "--lint-fatal", str(RULES))


def test_promtool_takes_the_scrape_settings(tmp_path: Path) -> None:
    """With the rules where the compose file mounts them."""
    settings = (DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8")
    (tmp_path / "prometheus.yml").write_text(settings.replace("/etc/prometheus/rules.yml", str(RULES)))
    _promtool("check", "config", "--lint=all", "--lint-fatal", str(tmp_path / "prometheus.yml"))


def test_hastened_rules_are_the_rules(tmp_path: Path) -> None:
    """What the test of causes runs has the same alarms, every duration divided, and promtool takes it."""
    rules = _yaml(RULES)
    faster = hastened(rules)
    for group, other in zip(rules["groups"], faster["groups"], strict=True):
        for rule, quick in zip(group["rules"], other["rules"], strict=True):
            assert rule["alert"] == quick["alert"]
            durations = re.findall(r"\b\d+[smhd]\b", f"{rule['expr']} {rule.get('for', '0s')}")
            assert len(re.findall(r"\b\d+ms\b", f"{quick['expr']} {quick['for']}")) == len(durations)
            assert not re.search(r"\b\d+[smhd]\b", f"{quick['expr']} {quick['for']}")
    (tmp_path / "rules.yml").write_text(json.dumps(faster))
    _promtool("check", "rules", str(tmp_path / "rules.yml"))


def test_alarms_fire_at_their_causes_alone() -> None:
    """By Prometheus's own tool: series of a worker that is well set off nothing, each cause its alarm."""
    _promtool("test", "rules", str(DEPLOY / "prometheus" / "rules_test.yml"))


def test_every_alarm_has_a_test() -> None:
    """The file that promtool runs names each alarm as one that is to fire."""
    fired = set()
    for test in _yaml(DEPLOY / "prometheus" / "rules_test.yml")["tests"]:
        for asked in test.get("promql_expr_test", ()):
            if asked.get("exp_samples"):
                fired |= set(re.findall(r"Freshet\w+", f"{asked['expr']} {asked['exp_samples']}"))
    assert fired == {rule["alert"] for rule in _rules()}


def test_every_alarm_is_fired_by_its_cause() -> None:
    """A test on a real worker and gateway awaits each alarm, and awaits that it clears."""
    tested = (ROOT / "tests" / "faults" / "test_alarms.py").read_text("utf-8")
    assert set(re.findall(r"\"(Freshet\w+)\"", tested)) == {rule["alert"] for rule in _rules()}


def test_every_alarm_is_explained() -> None:
    """Each alarm has a summary, a section of the page that says what to do, and a link to it; no section is left."""
    sections = re.findall(r"^### (Freshet\w+)\n\S", ALARMS, re.MULTILINE)
    rules = _rules()
    assert sections == [rule["alert"] for rule in rules]
    for rule in rules:
        assert rule["annotations"]["runbook"] == f"docs/alarms.md#{rule['alert'].lower()}"
        assert rule["annotations"]["summary"] and rule["labels"]["severity"] in {"page", "warn"}


def test_page_lists_what_is_exported() -> None:
    """One row per metric, with the name of its samples, its kind, its labels and its help, in the code's order."""
    rows = [
        f"| `{name}{'_total' * (metric.kind == 'counter')}` | {metric.kind} | "
        f"{', '.join(metric.labels) + ' ' * bool(metric.labels)}| {metric.help} |"
        for name, metric in METRICS.items()
    ]
    assert re.findall(r"^\| `freshet_.*$", PAGE, re.MULTILINE) == rows


def test_page_names_the_settings() -> None:
    """Those that there are, with their defaults."""
    named = dict(
        re.findall(r"^\| `FRESHET_((?:GATEWAY_)?METRICS_\w+)` \| ([\w.]+) \(the default\)", PAGE, re.MULTILINE)
    )
    ours = {name: field for name, field in Settings.model_fields.items() if "metrics_" in name}
    assert named == {name.upper(): str(field.default) for name, field in ours.items()}


@pytest.mark.parametrize("name", METRICS)
def test_names_follow_the_conventions(name: str) -> None:
    """Lower case, no `_total` of one's own, times in seconds, no unit but base units; a sentence of help."""
    assert re.fullmatch(r"freshet_[a-z]+(_[a-z]+)*", name)
    assert not re.search(r"_(total|count|sum|bucket|ms|milliseconds|minutes|kb|mb)$", name)
    assert METRICS[name].help.endswith(".") and METRICS[name].help[0].isupper() | METRICS[name].help[0].isdigit()


def test_compose_scrapes_the_ports_that_are_served() -> None:
    """Prometheus asks every worker and gateway at its port, reads the rules mounted, and Grafana finds both."""
    compose = _yaml(ROOT / "docker-compose.yml")
    services = compose["services"]
    scraped = _yaml(DEPLOY / "prometheus" / "prometheus.yml")
    for job, service, prefix in zip(
        scraped["scrape_configs"], ("worker", "gateway"), ("FRESHET_METRICS", "FRESHET_GATEWAY_METRICS"), strict=True
    ):
        (found,) = job["dns_sd_configs"]
        settings = services[service]["environment"]
        assert found["names"] == [service] and str(found["port"]) == settings[f"{prefix}_LISTEN_PORT"]
        assert settings[f"{prefix}_LISTEN_HOST"] == "0.0.0.0"
    for job, group in zip(scraped["scrape_configs"], _yaml(RULES)["groups"], strict=True):
        assert job["job_name"] == group["name"]
        assert all(f'job="{job["job_name"]}"' in rule["expr"] for rule in group["rules"])
    assert scraped["rule_files"] == ["/etc/prometheus/rules.yml"]
    assert "./deploy/prometheus:/etc/prometheus:ro" in services["prometheus"]["volumes"]
    (source,) = _yaml(DEPLOY / "grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = _yaml(DEPLOY / "grafana/provisioning/dashboards/freshet.yml")["providers"]
    assert f"./deploy/grafana/boards:{provider['options']['path']}:ro" in services["grafana"]["volumes"]
    monitoring = {name for name, service in services.items() if service.get("profiles") == ["monitoring"]}
    assert monitoring == {"prometheus", "grafana"}


def test_panels_have_titles_of_their_own() -> None:
    """Every panel has an id and a title of its own, says what it shows, and lies within the 24 columns."""
    panels = _panels()
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels) > 15
    assert all(panel["description"].endswith(".") for panel in panels)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)
