"""Topics and permissions as lines for Kafka's own tools."""

import shlex
from collections.abc import Iterable, Iterator, Sequence

from app.broker import Broker
from app.topics.grants import Role
from tables.names import OPTIONAL, TopicSpec


def topic_lines(specs: Sequence[TopicSpec], broker: Broker, replication_factor: int) -> Iterator[str]:
    """One kafka-topics.sh line for each topic; without a replication factor the broker's default holds."""
    optional = ", ".join(sorted({key for spec in specs for key in spec.config if key in OPTIONAL}))
    yield f"# Topics. What a managed cluster refuses of these may be left out: {optional}."
    replicas = f" --replication-factor {replication_factor}" if replication_factor else ""
    for spec in specs:
        configs = "".join(f" --config {key}={value}" for key, value in spec.config.items())
        yield (
            f"kafka-topics.sh {broker.for_tools} --create --if-not-exists --topic {shlex.quote(spec.name)} "
            f"--partitions {spec.partitions}{replicas}{configs}"
        )


def acl_lines(roles: Iterable[Role], broker: Broker) -> Iterator[str]:
    """One kafka-acls.sh line for each grant, role by role."""
    for role in roles:
        yield f"# User:{role.user}: {role.what}"
        for grant in role.grants:
            operations = " ".join(f"--operation {operation}" for operation in grant.operations)
            pattern = " --resource-pattern-type prefixed" if grant.prefixed else ""
            yield (
                f"kafka-acls.sh {broker.for_tools} --add --allow-principal {shlex.quote(f'User:{role.user}')} "
                f"{operations} --{grant.kind} {shlex.quote(grant.name)}{pattern}  # {grant.why}"
            )
