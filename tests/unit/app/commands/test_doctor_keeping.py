"""What the doctor makes of what Kafka and Redis throw away by themselves."""

import pytest

from app.broker import Broker
from app.commands.doctor import verdict
from app.doctor.cleanup import check_cleanup
from app.doctor.memory import check_memory
from app.doctor.retention import check_retention
from app.settings import Settings
from tables.names import DAY_MS, Names

NAMES = Names("shop")
RIGHT = {
    NAMES.events: "delete",
    NAMES.dead_letters: "delete",
    NAMES.catalogue: "compact",
    NAMES.profiles: "compact",
    NAMES.user_checkpoints: "compact",
    NAMES.item_checkpoints: "compact",
}
GIB = 1024**3


def configs(policies: dict[str, str]) -> dict[str, dict[str, str]]:
    """Configurations with these policies."""
    return {topic: {"cleanup.policy": policy} for topic, policy in policies.items()}


def test_right_policies_are_no_finding() -> None:
    """Topics as Freshet makes them."""
    assert check_cleanup(NAMES, configs(RIGHT), Broker("b:1")) == []


@pytest.mark.parametrize(
    ("topic", "policy", "words"),
    [
        (NAMES.events, "compact", "gone before anybody can fold it again"),
        (NAMES.events, "compact,delete", "gone before anybody can fold it again"),
        (NAMES.dead_letters, "compact", "cannot be re-driven"),
        (NAMES.catalogue, "delete", "catalogue entries vanish"),
        (NAMES.catalogue, "compact,delete", "catalogue entries vanish"),
        (NAMES.profiles, "delete", "profiles vanish"),
        (NAMES.user_checkpoints, "delete", "the state of users vanishes"),
        (NAMES.item_checkpoints, "delete", "the state of items vanishes"),
    ],
)
def test_a_wrong_policy_is_wrong(topic: str, policy: str, words: str) -> None:
    """Each topic that forgets what it should keep: what is lost, and the command that mends it."""
    (finding,) = check_cleanup(NAMES, configs({**RIGHT, topic: policy}), Broker("b:1"))

    assert finding.status == "wrong"
    assert words in finding.found
    assert finding.advice.endswith(f"--entity-name {topic} --add-config cleanup.policy={RIGHT[topic]}")


@pytest.mark.parametrize(
    ("limit_ms", "limit_bytes", "waiting_ms", "kept_ms", "statuses", "words"),
    [
        (30 * DAY_MS, -1, {}, {}, ["ok"], "for 30 days"),
        (-1, -1, {0: 90 * DAY_MS}, {}, ["ok"], "for ever"),
        (30 * DAY_MS, -1, {0: 14 * DAY_MS}, {0: 30 * DAY_MS}, ["ok"], "for 30 days"),
        (30 * DAY_MS, -1, {0: 16 * DAY_MS, 1: 5}, {}, ["wrong"], "partition 0 has an event in no checkpoint"),
        (2 * DAY_MS, -1, {}, {}, ["note"], "keeps events for 2 days"),
        (DAY_MS // 48, -1, {}, {}, ["wrong"], "keeps events for 30 min"),
        (30 * DAY_MS, 10_000, {}, {}, ["ok"], "for 30 days"),
        (30 * DAY_MS, 10_000, {}, {1: DAY_MS // 2}, ["note"], "1: 12 hours"),
    ],
    ids=["default", "for ever", "lag well below", "lag", "short", "very short", "bytes not reached", "bytes"],
)
def test_retention(
    limit_ms: int,
    limit_bytes: int,
    waiting_ms: dict[int, int],
    kept_ms: dict[int, int],
    statuses: list[str],
    words: str,
) -> None:
    """Events stay longer than checkpoints lag, by far, and than the longest trend looks back."""
    config = {"retention.ms": str(limit_ms), "retention.bytes": str(limit_bytes)}

    found = check_retention(config, waiting_ms, kept_ms, Settings())

    assert [finding.status for finding in found] == statuses
    assert words in found[0].found


@pytest.mark.parametrize(
    ("limit", "used", "policy", "statuses", "words"),
    [
        (0, GIB, "allkeys-lru", [], ""),
        (GIB, 0, "noeviction", [], ""),
        (GIB, GIB * 7 // 10, "noeviction", [], ""),
        (GIB, GIB * 8 // 10 + 1, "noeviction", ["note"], "80 %"),
        (GIB, GIB, "noeviction", ["wrong"], "100 %"),
        (GIB, 0, "allkeys-lru", ["wrong"], "lists vanish"),
        (GIB, 0, "volatile-ttl", ["wrong"], "lists vanish"),
        (GIB, GIB * 9 // 10, "allkeys-lfu", ["wrong", "note"], "90 %"),
    ],
)
def test_redis_memory(limit: int, used: int, policy: str, statuses: list[str], words: str) -> None:
    """A server that drops lists is wrong; one that is nearly full is worth a note, a full one wrong."""
    found = check_memory({"maxmemory": limit, "used_memory": used, "maxmemory_policy": policy})

    assert [finding.status for finding in found] == statuses
    assert words in " ".join(finding.found for finding in found)
    assert all(finding.details["maxmemory"] == limit for finding in found)


@pytest.mark.parametrize(
    ("n_wrong", "n_notes", "said"),
    [
        (0, 0, "Everything is as it should be."),
        (0, 1, "Nothing is wrong; 1 note."),
        (1, 0, "1 thing is wrong."),
        (3, 2, "3 things are wrong."),
    ],
)
def test_verdict(n_wrong: int, n_notes: int, said: str) -> None:
    """All is well only if there is nothing to say."""
    assert verdict(n_wrong, n_notes) == said
