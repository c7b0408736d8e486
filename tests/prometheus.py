"""A Prometheus of the tests' own, with the rules of deploy/prometheus, hastened: what takes a minute takes a second."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import urlopen

import orjson
from ruamel.yaml import YAML

from app.local.ports import HOST
from app.local.server import Server
from tests.programs import require_program

RULES: Final = Path(__file__).parents[1] / "deploy" / "prometheus" / "rules.yml"
FASTER: Final = 60
MUCH_FASTER: Final = {"FreshetHitRateFell": 1200}
"""Alarms that compare hours with a day."""

BOUNDS: Final = {"FreshetStaleCheckpoints": ("> 90", "> 1.5"), "FreshetHitRateFell": ("> 1000", "> 20")}
"""Bounds that are seconds, or grow with them."""

SCRAPE_S: Final = 0.5
UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def hastened(rules: Mapping[str, Any]) -> dict[str, Any]:
    """The same rules with every duration in them divided, and bounds that are seconds with it."""
    return {"groups": [{**group, "rules": [_hastened(rule) for rule in group["rules"]]} for group in rules["groups"]]}


def _hastened(rule: Mapping[str, Any]) -> dict[str, Any]:
    factor = MUCH_FASTER.get(rule["alert"], FASTER)
    expression = rule["expr"]
    if rule["alert"] in BOUNDS:
        bound, other = BOUNDS[rule["alert"]]
        assert expression.count(bound) == 1, rule["alert"]
        expression = expression.replace(bound, other)
    expression = re.sub(r"(?<=\[)\d+[smhd](?=\])|(?<=offset )\d+[smhd]", lambda it: _divided(it[0], factor), expression)
    return {**rule, "expr": expression, "for": _divided(rule.get("for", "0s"), factor)}


def _divided(duration: str, factor: int) -> str:
    return f"{round(1000 * int(duration[:-1]) * UNITS[duration[-1]] / factor)}ms"


class Prometheus(Server):
    """A Prometheus that scrapes some ports of this machine.

    Parameters
    ----------
    targets
        Job -> port.
    """

    def __init__(self, folder: Path, targets: Mapping[str, int]) -> None:
        super().__init__("prometheus", folder)
        self._targets = targets

    def prepare(self) -> list[str]:
        """Write settings and rules."""
        jobs = [
            {"job_name": job, "static_configs": [{"targets": [f"{HOST}:{port}"]}]}
            for job, port in self._targets.items()
        ]
        often = {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"}
        self._write("prometheus.yml", {"global": often, "rule_files": ["rules.yml"], "scrape_configs": jobs})
        self._write("rules.yml", hastened(YAML(typ="safe", pure=True).load(RULES)))
        return [
            require_program("prometheus"),
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address={HOST}:{self.port}",
            "--log.level=warn",
        ]

    def _write(self, name: str, content: object) -> None:
        (self.folder / name).write_bytes(orjson.dumps(content))  # JSON is YAML

    def is_ready(self) -> bool:
        """Whether it says so."""
        try:
            with urlopen(f"http://{HOST}:{self.port}/-/ready", timeout=1.0) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def firing(self) -> set[str]:
        """The alarms that fire now."""
        with urlopen(f"http://{HOST}:{self.port}/api/v1/alerts", timeout=5.0) as answer:
            alerts = orjson.loads(answer.read())["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}
