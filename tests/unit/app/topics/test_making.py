"""Topics on a cluster that does not let everything be set: a fake admin client that refuses."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.admin import NewTopic

from app.topics.making import make_topics, refuse_hidden
from models.errors import ServiceError
from tables.names import OPTIONAL, Names

SPECS = Names("shop").topics(4)
INVALID_CONFIG, POLICY, REPLICATION, FORBIDDEN, EXISTS = 40, 44, 38, 29, 36

Rule = Callable[[NewTopic], tuple[int, str]]


class Cluster:
    """Makes topics as a rule allows: (code, message) for each."""

    def __init__(self, rule: Rule, there: dict[str, int] | None = None) -> None:
        self.rule = rule
        self.replicas = dict(there or {})
        self.configs: dict[str, dict[str, str]] = {}
        self.n_calls = 0

    async def describe_topics(self, topics: list[str]) -> list[dict[str, Any]]:
        def partitions(name: str) -> list[dict[str, Any]]:
            return [{"replicas": list(range(max(1, self.replicas.get(name, 0))))}]

        return [
            {"topic": name, "error_code": 0 if name in self.replicas else 3, "partitions": partitions(name)}
            for name in topics
        ]

    async def create_topics(self, new_topics: list[NewTopic]) -> Any:
        self.n_calls += 1
        answers = []
        for topic in new_topics:
            code, message = self.rule(topic)
            answers.append((topic.name, code, message))
            if code in (0, EXISTS):
                self.replicas[topic.name] = topic.replication_factor
                self.configs[topic.name] = dict(topic.topic_configs)
        return SimpleNamespace(topic_errors=answers)


def make(cluster: Cluster, replication_factor: int = 0) -> dict[str, dict[str, str]]:
    """Make the topics there; what was left out."""
    return asyncio.run(make_topics(cluster, SPECS, replication_factor))


def managed(topic: NewTopic) -> tuple[int, str]:
    """Segments of 50 MiB at least; the share of dirty bytes is not to be set."""
    if "min.cleanable.dirty.ratio" in topic.topic_configs:
        return POLICY, "Config property 'min.cleanable.dirty.ratio' cannot be set here."
    if int(topic.topic_configs.get("segment.bytes", 50 * 2**20)) < 50 * 2**20:
        return INVALID_CONFIG, "segment.bytes is too small"
    return 0, ""


def test_refused_optional_settings_are_left_out_and_told() -> None:
    """Only what is refused goes, topic by topic; each has an effect to tell; everything else is as it should be."""
    cluster = Cluster(managed)

    left_out = make(cluster)

    names = Names("shop")
    assert left_out == {
        topic: {"min.cleanable.dirty.ratio": "0.1"}
        for topic in (names.user_checkpoints, names.item_checkpoints, names.factors)
    }
    assert cluster.configs.keys() == {spec.name for spec in SPECS}
    for spec in SPECS:
        assert cluster.configs[spec.name] == {
            key: value for key, value in spec.config.items() if key not in left_out.get(spec.name, ())
        }
    assert all(OPTIONAL[key] for config in left_out.values() for key in config)


def test_refusal_that_names_nothing() -> None:
    """All that is optional goes, the contract stays."""
    cluster = Cluster(lambda topic: (POLICY, "no") if set(topic.topic_configs) & OPTIONAL.keys() else (0, ""))

    make(cluster)

    assert cluster.configs[Names("shop").user_checkpoints] == {
        "cleanup.policy": "compact",
        "max.message.bytes": "1048588",
    }


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        (INVALID_CONFIG, "cleanup.policy may not be compact.", "InvalidConfigurationError cleanup.policy may not be"),
        (REPLICATION, "larger than brokers", "Set FRESHET_REPLICATION_FACTOR to what this cluster takes, 3 on most"),
        (FORBIDDEN, "", "this client may not see it, and it may not make it (TopicAuthorizationFailedError)"),
        (POLICY, "message.timestamp.type is fixed", "Make it beforehand, as `freshet topics --print` says"),
    ],
)
def test_what_must_be_is_not_left_out(code: int, message: str, said: str) -> None:
    """A topic that cannot be made as the contract says is refused, with the way on."""
    with pytest.raises(ServiceError) as refused:
        make(Cluster(lambda topic: (code, message)))

    assert said in str(refused.value)


@pytest.mark.parametrize(("there", "asked", "replicas"), [({}, 0, -1), ({"shop.user_events": 3}, 0, 3), ({}, 2, 2)])
def test_replicas(there: dict[str, int], asked: int, replicas: int) -> None:
    """As asked; else those of the events, if they are there; else the broker's default."""
    cluster = Cluster(lambda topic: (0, ""), there)

    make(cluster, asked)

    assert {n for name, n in cluster.replicas.items() if name not in there} == {replicas}


def test_somebody_else_made_it_meanwhile() -> None:
    """A topic that is there when it is to be made is no error, and the loop ends."""
    cluster = Cluster(lambda topic: (EXISTS, "exists"))

    assert make(cluster) == {}
    assert cluster.n_calls == 1


def test_hidden_topics_are_named() -> None:
    """A topic that this client may not even see is no missing one."""
    refuse_hidden([{"topic": "a", "error_code": 0}, {"topic": "b", "error_code": 3}])

    with pytest.raises(ServiceError, match="topic c is not there, or this client may not see it"):
        refuse_hidden([{"topic": "a", "error_code": 0}, {"topic": "c", "error_code": FORBIDDEN}])
