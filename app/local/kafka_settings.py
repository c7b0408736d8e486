"""The settings files of the local broker: one node that is broker and controller at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.local.ports import HOST

NODE_ID = 1


@dataclass(frozen=True, slots=True)
class Listener:
    """One more door to the broker, beside the plain one.

    Parameters
    ----------
    name
        In capitals, as Kafka's settings call it.
    protocol
        SSL, SASL_PLAINTEXT or SASL_SSL.
    properties
        Its own settings, without the prefix `listener.name.<name>.`.
    """

    name: str
    protocol: str
    port: int
    properties: Mapping[str, str] = field(default_factory=dict)


def server_properties(
    data: Path, broker_port: int, controller_port: int, listeners: Sequence[Listener] = ()
) -> dict[str, str]:
    """What differs from Kafka's own defaults, and why.

    `message.max.bytes` stays at Kafka's default on purpose: a topic that needs larger batches sets its own limit, here
    as on any other cluster.
    """
    doors = [f"PLAINTEXT://{HOST}:{broker_port}", *(f"{each.name}://{HOST}:{each.port}" for each in listeners)]
    one_node = {
        "process.roles": "broker,controller",
        "node.id": str(NODE_ID),
        "controller.quorum.voters": f"{NODE_ID}@{HOST}:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": ",".join(
            ["PLAINTEXT:PLAINTEXT", "CONTROLLER:PLAINTEXT", *(f"{each.name}:{each.protocol}" for each in listeners)]
        ),
        "inter.broker.listener.name": "PLAINTEXT",
        "listeners": ",".join([*doors, f"CONTROLLER://{HOST}:{controller_port}"]),
        "advertised.listeners": ",".join(doors),
        "log.dirs": str(data),
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
    }
    # A killed broker is let in again only when its old session has run out.
    soon_back = {
        "broker.session.timeout.ms": "2000",
        "broker.heartbeat.interval.ms": "500",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
    }
    # Defaults are for large machines: 50 partitions for each internal topic; for the log cleaner 128 MB, and a core for
    # as long as it takes, which shows in the freshness of lists once a minute.
    small = {
        "offsets.topic.num.partitions": "5",
        "transaction.state.log.num.partitions": "5",
        "share.coordinator.state.topic.num.partitions": "1",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
        "log.cleaner.io.max.bytes.per.second": str(16 * 1024 * 1024),
    }
    # A misspelt topic is an error, never a new topic.
    strict = {"auto.create.topics.enable": "false"}
    locks = {
        f"listener.name.{each.name.lower()}.{key}": value
        for each in listeners
        for key, value in each.properties.items()
    }
    return one_node | soon_back | small | strict | locks


def properties_text(properties: Mapping[str, str]) -> str:
    """Java's properties format: Latin-1 at most, so everything beyond ASCII is escaped."""
    return "".join(f"{key}={_escape(value)}\n" for key, value in properties.items())


def _escape(value: str) -> str:
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    codes = (int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2))
    return "".join(chr(code) if 0x20 <= code < 0x7F else f"\\u{code:04x}" for code in codes)


def log4j_settings() -> str:
    """Warnings and errors to standard output, which is the log file."""
    return """<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="ERROR">
  <Appenders>
    <Console name="out" target="SYSTEM_OUT">
      <PatternLayout pattern="%d %p %m (%c)%n"/>
    </Console>
  </Appenders>
  <Loggers>
    <Root level="WARN">
      <AppenderRef ref="out"/>
    </Root>
    <Logger name="kafka.server.KafkaRaftServer" level="INFO"/>
  </Loggers>
</Configuration>
"""
