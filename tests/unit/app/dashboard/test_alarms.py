"""What is wrong, and what to do."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from app.dashboard.alarms import NAMES, Alarm, alarms_of
from app.dashboard.growth import Growth, Window
from app.dashboard.log import LogState
from app.dashboard.workers import Worker
from tests.unit.app.dashboard.stage import worker

RULES = Path(__file__).parents[4] / "deploy" / "prometheus" / "rules.yml"


def alarms(
    *looks: list[Worker], step_s: float = 1.0, redis: str | None = None, kafka: str | None = None
) -> list[Alarm]:
    """Those of the last of several looks."""
    growth, window = Growth(), Window(1200)
    for place, workers in enumerate(looks):
        window.add(place * step_s, growth.take(workers))
    return alarms_of(looks[-1], LogState(error=kafka), redis, window)


def test_they_are_those_of_prometheus() -> None:
    """Those of workers by name, in the same order, so that one page explains both."""
    groups = {group["name"]: group["rules"] for group in YAML(typ="safe", pure=True).load(RULES)["groups"]}
    assert [rule["alert"] for rule in groups["freshet"]] == list(NAMES)


def test_all_is_well() -> None:
    """A worker that is ready, does its work and saves sets off nothing."""
    busy: dict[str, Any] = {
        "lag_records": {"0": 900},
        "checkpoint_age_seconds": {"0": 5},
        "dead_letters_total": {"not_json": 4},
    }
    looks = [[worker(events_total={"0": 100 * n}, **busy)] for n in range(5)]
    assert alarms(*looks, step_s=300.0) == []


@pytest.mark.parametrize(
    ("name", "looks"),
    [
        ("FreshetNoWorker", [[]]),
        ("FreshetNoWorker", [[Worker("a:1", {}, "is away")]]),
        ("FreshetNoWorker", [[worker(), Worker("a:1", {}, "is away")]]),
        ("FreshetWorkerNotReady", [[worker(ready=0)]]),
        ("FreshetLagGrowing", [[worker(lag_records={"0": 1001})]] * 2),
        ("FreshetNoEvents", [[worker(events_total={"0": n})] for n in (1, 2, 3, 3, 3)]),
        ("FreshetPartitionStopped", [[worker(partition_stopped={"3": 1})]]),
        ("FreshetIntakeStopped", [[worker(intake_stopped=1)]]),
        ("FreshetDeadLetters", [[worker(dead_letters_total={"not_json": n})] for n in (0, 2)]),
        ("FreshetStaleCheckpoints", [[worker(checkpoint_age_seconds={"0": 91})]]),
        ("FreshetRedisErrors", [[worker(redis_up=0)]]),
        ("FreshetListsFenced", [[worker(lists_fenced_total=n)] for n in (0, 2)]),
        (
            "FreshetHitRateFell",
            [
                [worker(events_total={"0": n}, live_tests_total=500 * n, live_hits_total={"10": hits})]
                for n, hits in enumerate((0, 100, 200, 250, 300))
            ],
        ),
    ],
)
def test_each_cause_sets_off_its_alarm(name: str, looks: list[list[Worker]]) -> None:
    """And no other; it says what is wrong, and what to do."""
    (found,) = alarms(*looks, step_s=300.0)
    assert found.name == name
    assert found.what.endswith(".") and found.do


def test_services_that_do_not_answer_come_first() -> None:
    """What pages somebody stands above what can wait."""
    found = alarms([worker(ready=0)], redis="Redis is away.", kafka="Kafka is away.")
    assert [alarm.name for alarm in found] == ["KafkaAway", "RedisAway", "FreshetWorkerNotReady"]
