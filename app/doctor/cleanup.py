"""Check of what Kafka throws away of each topic by itself."""

from collections.abc import Mapping
from typing import Final

from app.broker import Broker
from app.doctor.finding import Finding
from app.doctor.topics import alter
from tables.names import Names

CLEANUP: Final = "cleanup.policy"
_LOST: Final = "only each key's newest record stays: what came before is gone before anybody can fold it again"


def check_cleanup(names: Names, configs: Mapping[str, Mapping[str, str]], broker: Broker) -> list[Finding]:
    """Each topic that forgets what it should keep, and what is lost by that."""
    wanted = {
        names.events: ("delete", _LOST),
        names.dead_letters: ("delete", "only each key's newest dead letter stays: the others cannot be re-driven"),
        names.catalogue: ("compact", "catalogue entries vanish when they get old, changed or not"),
        names.profiles: ("compact", "profiles vanish when they get old, changed or not"),
        names.user_checkpoints: ("compact", "the state of users vanishes when it gets old: they begin anew"),
        names.item_checkpoints: ("compact", "the state of items vanishes when it gets old: they begin anew"),
        names.interactions: ("delete", "the topic grows without end: its records have no keys"),
        names.factors: ("compact", "the factors of items vanish when they get old: they are learned anew"),
    }
    findings: list[Finding] = []
    for topic, (policy, otherwise) in wanted.items():
        actual = configs.get(topic, {}).get(CLEANUP, "delete")
        if topic in configs and actual != policy:
            found = f"{topic}: {CLEANUP} is {actual}, not {policy}: {otherwise}"
            findings.append(Finding("configuration", "wrong", found, alter(broker, topic, CLEANUP, policy)))
    return findings
