"""The files that the local broker is started with."""

import xml.etree.ElementTree
from pathlib import Path

from app.local.kafka_settings import Listener, log4j_settings, properties_text, server_properties

DATA = Path("/stack/kafka/data")


def test_broker_listens_on_the_loopback_address_only() -> None:
    """Every listener, and what clients are told, names 127.0.0.1 and the ports asked for."""
    properties = server_properties(DATA, 20_001, 20_002)

    assert properties["listeners"] == "PLAINTEXT://127.0.0.1:20001,CONTROLLER://127.0.0.1:20002"
    assert properties["advertised.listeners"] == "PLAINTEXT://127.0.0.1:20001"
    assert properties["controller.quorum.voters"] == "1@127.0.0.1:20002"


def test_more_doors_with_locks_of_their_own() -> None:
    """Each listener has its name, protocol and port, and its settings under its own prefix."""
    door = Listener("LOCKED", "SASL_SSL", 20_003, {"sasl.enabled.mechanisms": "PLAIN"})

    properties = server_properties(DATA, 20_001, 20_002, [door])

    assert properties["advertised.listeners"] == "PLAINTEXT://127.0.0.1:20001,LOCKED://127.0.0.1:20003"
    assert properties["listeners"].split(",")[1:] == ["LOCKED://127.0.0.1:20003", "CONTROLLER://127.0.0.1:20002"]
    assert properties["listener.security.protocol.map"].endswith(",LOCKED:SASL_SSL")
    assert properties["listener.name.locked.sasl.enabled.mechanisms"] == "PLAIN"


def test_one_node_is_enough_for_every_internal_topic() -> None:
    """Replication factors and in-sync minima are 1: with Kafka's defaults a transaction would wait for ever."""
    properties = server_properties(DATA, 20_001, 20_002)
    replicated = {key: value for key, value in properties.items() if key.endswith((".replication.factor", ".min.isr"))}

    assert set(replicated.values()) == {"1"}
    assert {"offsets.topic.replication.factor", "transaction.state.log.min.isr"} < set(replicated)


def test_killed_broker_is_let_in_again_within_seconds() -> None:
    """Sessions are short, and a group does not wait for members that may still come."""
    properties = server_properties(DATA, 20_001, 20_002)

    assert properties["broker.session.timeout.ms"] == "2000"
    assert properties["broker.heartbeat.interval.ms"] == "500"
    assert properties["group.initial.rebalance.delay.ms"] == "0"
    assert properties["group.min.session.timeout.ms"] == "1000"


def test_topics_are_never_made_by_accident() -> None:
    """A misspelt topic is refused."""
    assert server_properties(DATA, 20_001, 20_002)["auto.create.topics.enable"] == "false"


def test_properties_are_one_line_each() -> None:
    """Key, equals sign, value, newline."""
    assert properties_text({"a.b": "1", "c": "x,y"}) == "a.b=1\nc=x,y\n"


def test_properties_survive_paths_that_java_would_misread() -> None:
    """Backslashes are doubled; what is not ASCII becomes UTF-16 escapes, as Java reads the file as Latin-1."""
    text = properties_text({"log.dirs": "/home/Zoë/a\\b/\N{WATER WAVE}"})

    assert text == "log.dirs=/home/Zo\\u00eb/a\\\\b/\\ud83c\\udf0a\n"


def test_log_settings_are_well_formed_and_quiet() -> None:
    """log4j2 takes the file only if it is XML, and only warnings reach the log by default."""
    root = xml.etree.ElementTree.fromstring(log4j_settings()).find("Loggers/Root")

    assert root is not None
    assert root.get("level") == "WARN"
