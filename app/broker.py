"""How a Kafka cluster is reached."""

from dataclasses import dataclass, field
from typing import Any

from app.security import Security


@dataclass(frozen=True, slots=True)
class Broker:
    """The way to a cluster, as every client of it is given.

    Parameters
    ----------
    servers
        Where the first one is asked: host:port, several with commas.
    security
        Who asks, and how.

    Raises
    ------
    SettingsError
        If it cannot be used so.
    """

    servers: str
    security: Security = field(default_factory=Security)

    def __post_init__(self) -> None:
        self.security.check(self.servers)

    def client(self) -> dict[str, Any]:
        """The arguments of any aiokafka client that say where and how it connects."""
        return {"bootstrap_servers": self.servers, **self.security.client()}

    @property
    def for_tools(self) -> str:
        """The arguments of Kafka's own command-line tools that say where and how they connect."""
        secured = "" if self.security == Security() else " --command-config client.properties"
        return f"--bootstrap-server {self.servers}{secured}"

    def __str__(self) -> str:
        return self.servers
