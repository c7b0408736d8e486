"""Makes the topics that are missing, on clusters that do not let everything be set."""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from aiokafka.admin import NewTopic
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    InvalidConfigurationError,
    InvalidReplicationFactorError,
    PolicyViolationError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    for_code,
)

from models.errors import ServiceError
from tables.names import OPTIONAL, TopicSpec

BROKERS_DEFAULT = -1
POLL_S = 0.05
N_POLLS = 200
BEFOREHAND = "Make it beforehand, as `freshet topics --print` says"


class Admin(Protocol):
    """What of aiokafka's admin client is needed."""

    async def describe_topics(self, topics: list[str]) -> list[dict[str, Any]]:
        """Topics with `topic`, `error_code` and `partitions`."""
        ...

    async def create_topics(self, new_topics: list[NewTopic]) -> Any:
        """An answer with `topic_errors`: name, code and, from brokers that are not very old, a message."""
        ...


async def make_topics(admin: Admin, specs: Iterable[TopicSpec], replication_factor: int) -> dict[str, dict[str, str]]:
    """Make what is missing; returns the optional settings that were refused, and left out, of each topic.

    Parameters
    ----------
    replication_factor
        0: that of the first of these topics that is there, or the broker's default.

    Raises
    ------
    ServiceError
        If a topic cannot be made, or has no leader after 10 s.
    """
    wanted = {spec.name: spec for spec in specs}
    found = {topic["topic"]: topic for topic in await admin.describe_topics(list(wanted))}
    there = {name: topic for name, topic in found.items() if topic["error_code"] == 0}
    n_replicas = replication_factor or replicas_of(there, wanted)
    missing = {name: dict(spec.config) for name, spec in wanted.items() if name not in there}
    made = set(missing)
    left_out: dict[str, dict[str, str]] = {}
    while missing:
        answer = await admin.create_topics(
            [_new_topic(name, wanted[name].partitions, n_replicas, missing[name]) for name in missing]
        )
        again: dict[str, dict[str, str]] = {}
        for name, code, *said in answer.topic_errors:
            error, message = for_code(code), str(said[0] or "") if said else ""
            if code == 0 or error is TopicAlreadyExistsError:
                continue
            refused: list[str] = []
            if error in (InvalidConfigurationError, PolicyViolationError):
                refused = dispensable(message, missing[name])
            if not refused:
                raise ServiceError(_cannot(name, error, message))
            left_out.setdefault(name, {}).update({key: missing[name][key] for key in refused})
            again[name] = {key: value for key, value in missing[name].items() if key not in refused}
        missing = again
    if made:
        await _await_leaders(admin, sorted(made))
    return left_out


def _new_topic(name: str, n_partitions: int, n_replicas: int, config: Mapping[str, str]) -> NewTopic:
    topic = NewTopic(name, n_partitions, 1, topic_configs=dict(config))
    topic.replication_factor = n_replicas  # aiokafka would take -1 for nothing at all
    return topic


def replicas_of(there: Mapping[str, dict[str, Any]], names: Iterable[str]) -> int:
    """Replicas of the first of these topics that is there, or what stands for the broker's default."""
    for name in names:
        if name in there and there[name]["partitions"]:
            return len(there[name]["partitions"][0]["replicas"])
    return BROKERS_DEFAULT


def dispensable(message: str, config: Mapping[str, str]) -> list[str]:
    """Which settings to leave out after a refusal: those it names, or all if it names none; never one that must be.

    Examples
    --------
    >>> dispensable("segment.bytes must be 52428800 at least", {"segment.bytes": "1", "segment.ms": "1"})
    ['segment.bytes']
    >>> dispensable("policy violated", {"cleanup.policy": "compact", "segment.ms": "1"})
    ['segment.ms']
    >>> dispensable("cleanup.policy may not be set", {"cleanup.policy": "compact", "segment.ms": "1"})
    []
    """
    named = [key for key in config if re.search(rf"(?<![\w.]){re.escape(key)}(?![\w-]|\.\w)", message)]
    return [key for key in named or config if key in OPTIONAL]


def refuse_hidden(topics: Sequence[Mapping[str, Any]]) -> None:
    """Refuse topics of which this client may not even know whether they are there.

    Raises
    ------
    ServiceError
        Naming them.
    """
    hidden = [topic["topic"] for topic in topics if for_code(topic["error_code"]) is TopicAuthorizationFailedError]
    if hidden:
        raise ServiceError(_cannot(", ".join(sorted(hidden)), TopicAuthorizationFailedError, ""))


def _cannot(name: str, error: type[Exception], message: str) -> str:
    said = f"{error.__name__} {message}".strip().rstrip(".")
    if error in (TopicAuthorizationFailedError, ClusterAuthorizationFailedError):
        return (
            f"topic {name} is not there, or this client may not see it, and it may not make it ({said}). {BEFOREHAND}, "
            "and grant what `freshet topics --print --format acls` prints."
        )
    if error is InvalidReplicationFactorError:
        return (
            f"topic {name} cannot be made ({said}). Set FRESHET_REPLICATION_FACTOR to what this cluster takes, 3 on "
            "most; 0 leaves it to the broker."
        )
    return f"topic {name} cannot be made ({said}). {BEFOREHAND}."


async def _await_leaders(admin: Admin, names: list[str]) -> None:
    for _ in range(N_POLLS):
        found = await admin.describe_topics(names)
        if all(topic["error_code"] == 0 and topic["partitions"] for topic in found):
            return
        await asyncio.sleep(POLL_S)
    raise ServiceError(f"topics {', '.join(names)} were created but have no leader after {N_POLLS * POLL_S:g} s.")
