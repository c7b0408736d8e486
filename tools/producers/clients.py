"""The real producer clients: how each is made ready on this machine, and the command that sends with it."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from app.local.jars import KAFKA_VERSION, Jar, default_cache, locked_jars, require_jars
from app.local.kafka import java_program

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "producers"
TOOLS_JAR = Jar(  # beside the jars of the broker; the lock file of the local stack does not have it
    "org.apache.kafka", "kafka-tools", KAFKA_VERSION, "b88bc6ccc520d648142515526e4042c285612ce94b032434a88e3e936e38b600"
)
ALL_CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
INSTALL_S, SEND_S = 600, 120

Ready = Callable[[], str]
"""Makes a client ready; returns what is missing, or nothing."""


@dataclass(frozen=True)
class Client:
    """One client with its defaults, or with another partitioner of its own.

    Parameters
    ----------
    name
        As the senders know it; behind a dot the partitioner.
    title
        As the documentation names it.
    codecs
        Those it has without further packages.
    """

    name: str
    title: str
    ready: Ready
    version: Callable[[], str]
    command: Callable[[str, str, str, str], list[str]]
    codecs: tuple[str, ...] = ALL_CODECS

    def send(self, broker: str, topic: str, codec: str, lines: list[str]) -> None:
        """Send `key<TAB>value` lines, each a record.

        Raises
        ------
        RuntimeError
            With what the client wrote, if it failed.
        """
        command = self.command(self.name, broker, topic, codec)
        text = "".join(f"{line}\n" for line in lines)
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=SEND_S, check=False)
        if done.returncode:
            raise RuntimeError(f"{self.name} ended with {done.returncode}: {done.stderr.decode()[-800:]}")


def with_python(name: str, broker: str, topic: str, codec: str) -> list[str]:
    """Command of `send.py`."""
    return [sys.executable, str(HERE / "send.py"), name, broker, topic, codec]


def with_go(name: str, broker: str, topic: str, codec: str) -> list[str]:
    """Command of the program made of `go/`."""
    return [str(BUILD / "go"), name, broker, topic, codec]


def with_node(name: str, broker: str, topic: str, codec: str) -> list[str]:
    """Command of `node/send.mjs`."""
    return ["node", str(HERE / "node" / "send.mjs"), name, broker, topic, codec]


def with_java(_: str, broker: str, topic: str, codec: str) -> list[str]:
    """Command of Kafka's own console producer, a thin program around the Java client."""
    jars = require_jars([*locked_jars(), TOOLS_JAR], default_cache())
    options = [] if codec == "default" else ["--compression-codec", codec]
    return [
        *(str(java_program()), "-XX:TieredStopAtLevel=1", "-cp", os.pathsep.join(str(jar) for jar in jars)),
        *("org.apache.kafka.tools.ConsoleProducer", "--bootstrap-server", broker, "--topic", topic),
        *("--reader-property", "parse.key=true", "--reader-property", "key.separator=\t", *options),
    ]


@cache
def go_ready() -> str:
    """Compile the Go clients."""
    program = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if program is None:
        return "no Go on this machine"
    BUILD.mkdir(parents=True, exist_ok=True)
    return _failed([program, "build", "-o", str(BUILD / "go"), "."], HERE / "go")


@cache
def node_ready() -> str:
    """Install the Node clients as locked."""
    program = shutil.which("npm")
    if program is None or shutil.which("node") is None:
        return "no Node.js with npm on this machine"
    return _failed([program, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], HERE / "node")


@cache
def java_ready() -> str:
    """Fetch the one jar that the broker does not have."""
    require_jars([*locked_jars(), TOOLS_JAR], default_cache())
    return ""


def python_ready() -> str:
    """They are locked with the tests."""
    return ""


def _failed(command: list[str], folder: Path) -> str:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        return f"{' '.join(command[:2])} took longer than {INSTALL_S} s"
    return f"{' '.join(command[:2])} failed: {done.stderr.decode()[-300:]}" if done.returncode else ""


def go_version(module: str) -> Callable[[], str]:
    """The version that go.mod pins."""
    return lambda: re.findall(rf"{module} v(\S+)", (HERE / "go" / "go.mod").read_text())[0]


def node_version(package: str) -> Callable[[], str]:
    """The version that package.json pins."""
    return lambda: str(json.loads((HERE / "node" / "package.json").read_text())["dependencies"][package])


def librdkafka() -> str:
    """The binding's version, and that of the library in it."""
    from confluent_kafka import libversion

    return f"{version('confluent-kafka')} (librdkafka {libversion()[0]})"


def _python(name: str, title: str, known: Callable[[], str]) -> Client:
    return Client(name, title, python_ready, known, with_python)


def _go(name: str, title: str, module: str) -> Client:
    return Client(name, title, go_ready, go_version(module), with_go)


def _node(name: str, title: str, package: str, codecs: tuple[str, ...]) -> Client:
    return Client(name, title, node_ready, node_version(package), with_node, codecs)


SARAMA, KAFKA_GO, PLATFORMATIC = "github.com/IBM/sarama", "github.com/segmentio/kafka-go", "@platformatic/kafka"
PLATFORMATIC_CODECS = ("none", "gzip", "snappy", "lz4")  # zstd needs Node 22

CLIENTS = (
    Client("java", "Java client", java_ready, lambda: KAFKA_VERSION, with_java),
    _python("confluent-kafka", "confluent-kafka", librdkafka),
    _python("aiokafka", "aiokafka", lambda: version("aiokafka")),
    _node("kafkajs", "KafkaJS", "kafkajs", ("none", "gzip")),
    _node("platformatic", PLATFORMATIC, PLATFORMATIC, PLATFORMATIC_CODECS),
    _go("franz-go", "franz-go", "github.com/twmb/franz-go"),
    _go("sarama", "IBM/sarama", SARAMA),
    _go("kafka-go", "segmentio/kafka-go Writer", KAFKA_GO),
    _go("kafka-go.hash", "segmentio/kafka-go Hash", KAFKA_GO),
)
"""Each with its defaults, and one more: kafka-go's own Writer does not look at the key."""

OTHER_PARTITIONERS = (
    *(
        _python(f"confluent-kafka.{name}", f"librdkafka {name}", librdkafka)
        for name in ("murmur2_random", "fnv1a_random")
    ),
    _node("platformatic.compatible", f"{PLATFORMATIC} compatibilityPartitioner", PLATFORMATIC, PLATFORMATIC_CODECS),
    *(_go(f"sarama.{name}", f"IBM/sarama {name}", SARAMA) for name in ("reference", "crc", "murmur2")),
    *(_go(f"kafka-go.{name}", f"segmentio/kafka-go {name}", KAFKA_GO) for name in ("reference", "crc", "murmur2")),
)
"""What else these clients can be set to, for the golden vectors."""
