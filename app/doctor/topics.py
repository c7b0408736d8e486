"""Checks of the topics: are they there, do they fit together, are they configured as the contract says."""

from collections.abc import Mapping

from app.broker import Broker
from app.doctor.effects import effect_of
from app.doctor.finding import Finding
from app.kafka import partition_counts
from app.kafka_admin import topic_configs
from app.settings import Settings
from app.worker.dead_letters import LEAST_LIMIT_BYTES
from app.worker.preflight import checkpoint_limits
from models.errors import ValueTooLarge
from tables.names import Names, TopicSpec

LIMIT = "max.message.bytes"
ELSEWHERE = {"cleanup.policy", "message.timestamp.type", LIMIT}  # each has a check that says what it means


async def check_topics(settings: Settings) -> list[Finding]:
    """Everything about topics."""
    names = settings.names
    specs = names.topics(settings.partitions)
    counts = await partition_counts(settings.kafka, [spec.name for spec in specs])
    missing = [spec.name for spec in specs if spec.name not in counts]
    if missing:
        advice = "A worker makes them at its start: run `freshet worker`. Or check FRESHET_NAMESPACE."
        return [Finding("topics", "wrong", f"not there: {', '.join(missing)}", advice)]
    configs = await topic_configs(settings.kafka, counts)
    findings = check_counts(names, counts)
    if hidden := [spec.name for spec in specs if spec.name not in configs]:
        found = f"this client may not see that of {', '.join(hidden)}"
        findings.append(Finding("configuration", "note", found, "Grant DescribeConfigs to have it looked at."))
    for spec in specs:
        if spec.name in configs:
            findings += check_config(spec, configs[spec.name], names.events)
    if configs.keys() >= {names.dead_letters, names.events}:
        findings += check_dead_letter_limit(names, configs, settings.kafka)
    try:
        limits = await checkpoint_limits(settings)
        findings.append(Finding("sizes", "ok", f"checkpoints take values of {min(limits.values())} bytes: enough"))
    except ValueTooLarge as error:
        findings.append(Finding("sizes", "wrong", str(error)))
    return findings


def check_counts(names: Names, counts: Mapping[str, int]) -> list[Finding]:
    """Checkpoints have as many partitions as the events."""
    n_partitions = counts[names.events]
    unlike = {name: counts[name] for name in (names.user_checkpoints, names.item_checkpoints)}
    unlike = {name: n for name, n in unlike.items() if n != n_partitions}
    if not unlike:
        return [
            Finding("topics", "ok", f"all there; {names.events} and its checkpoints have {n_partitions} partitions")
        ]
    return [
        Finding(
            "topics",
            "wrong",
            f"{names.events} has {n_partitions} partitions, {name} has {n}",
            "Users have moved to other partitions. Stop the workers, run `freshet reset`, start them again.",
        )
        for name, n in unlike.items()
    ]


def check_config(spec: TopicSpec, config: Mapping[str, str], events: str) -> list[Finding]:
    """Where a topic's configuration differs from what Freshet makes it with, and the effect.

    Parameters
    ----------
    events
        The topic of events, whose retention has a check of its own.
    """
    findings: list[Finding] = []
    for key, wanted in spec.config.items():
        actual = config.get(key, "")
        if actual == wanted or key in ELSEWHERE or (spec.name, key) == (events, "retention.ms"):
            continue
        found = f"{spec.name}: {key} is {actual or 'not set'}, Freshet makes it with {wanted}"
        findings.append(Finding("configuration", "note", found, effect_of(key)))
    return findings


def check_dead_letter_limit(names: Names, configs: Mapping[str, Mapping[str, str]], broker: Broker) -> list[Finding]:
    """Whatever fits into the input, with some headers, fits into the dead letters whole."""
    taken, given = int(configs[names.dead_letters][LIMIT]), int(configs[names.events][LIMIT])
    found = f"{names.dead_letters}: {LIMIT} is {taken}, that of {names.events} is {given}"
    mend = alter(broker, names.dead_letters, LIMIT, str(max(2 * given, LEAST_LIMIT_BYTES)))
    if taken < LEAST_LIMIT_BYTES:
        return [Finding("dead letters", "wrong", found, f"No worker starts with that. {mend}")]
    if taken <= given:
        advice = f"It must be greater: large bad events are cut, and cannot be sent again. {mend}"
        return [Finding("dead letters", "wrong", found, advice)]
    return [Finding("dead letters", "ok", f"they may have {taken} bytes, events {given}")]


def alter(broker: Broker, topic: str, key: str, value: str) -> str:
    """The command that sets a configuration."""
    return (
        f"Run: kafka-configs.sh {broker.for_tools} --alter --entity-type topics --entity-name {topic} "
        f"--add-config {key}={value}"
    )
