"""How a Kafka cluster is reached."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Broker:
    """The way to a cluster, as every client of it is given.

    Parameters
    ----------
    servers
        Where the first one is asked: host:port, several with commas.
    """

    servers: str

    def client(self) -> dict[str, Any]:
        """The arguments of any aiokafka client that say where and how it connects."""
        return {"bootstrap_servers": self.servers}

    def __str__(self) -> str:
        return self.servers
