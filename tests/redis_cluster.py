"""A Redis Cluster of real servers on this machine."""

import os
import signal
import time
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis

from app.local.ports import HOST, free_port
from app.local.redis import RedisServer

N_SLOTS = 16_384
READY_S = 20.0
POLL_S = 0.02
NODE_TIMEOUT_MS = 1000


class ClusterNode(RedisServer):
    """One node; `settings` are more lines for its file. A restarted one comes back as the same node, without keys."""

    def __init__(self, folder: Path, settings: Sequence[str] = ()) -> None:
        super().__init__(folder)
        self.bus_port = free_port()
        self._settings = settings

    def prepare(self) -> list[str]:
        """As a node of a cluster."""
        program, settings = super().prepare()
        lines = ["cluster-enabled yes", f"cluster-port {self.bus_port}", f"cluster-node-timeout {NODE_TIMEOUT_MS}"]
        lines += ["repl-diskless-sync-delay 0", "repl-ping-replica-period 1"]
        lines += self._settings
        with Path(settings).open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return [program, settings]

    def say(self, *command: str) -> Any:
        """Run a command there."""
        with redis.Redis.from_url(self.url) as client:
            return client.execute_command(*command)


class LocalCluster:
    """Primaries that share the slots evenly, and replicas of the first of them.

    Parameters
    ----------
    full_coverage
        Whether all stop when one is away.
    """

    def __init__(self, folder: Path, *, primaries: int = 3, replicas: int = 0, full_coverage: bool = False) -> None:
        settings = [f"cluster-require-full-coverage {'yes' if full_coverage else 'no'}"]
        self.nodes = [ClusterNode(folder / f"node-{number}", settings) for number in range(primaries + replicas)]
        self._n_primaries = primaries
        self._bounds = [N_SLOTS * number // primaries for number in range(primaries + 1)]

    @property
    def url(self) -> str:
        """The address for clients, with all primaries."""
        return "redis+cluster://" + ",".join(f"{HOST}:{node.port}" for node in self.nodes[: self._n_primaries])

    def start(self) -> None:
        """Start the nodes and make them one cluster."""
        for node in self.nodes:
            node.start()
        bounds = self._bounds
        clients = [redis.Redis.from_url(node.url) for node in self.nodes]
        try:
            for number, client in enumerate(clients):
                client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
                if number < self._n_primaries:
                    client.execute_command("CLUSTER ADDSLOTSRANGE", bounds[number], bounds[number + 1] - 1)
            for number, client in enumerate(clients):
                for other in self.nodes[:number]:
                    client.execute_command("CLUSTER MEET", HOST, other.port, other.bus_port)
            first_id = clients[0].execute_command("CLUSTER MYID").decode()
            deadline = time.monotonic() + READY_S
            for client in clients[self._n_primaries :]:
                while first_id not in str(client.execute_command("CLUSTER NODES")):
                    assert time.monotonic() < deadline
                    time.sleep(POLL_S)
                client.execute_command("CLUSTER REPLICATE", first_id)
            while not all(self._knows_all(client) for client in clients):
                assert time.monotonic() < deadline, "the cluster does not come about"
                time.sleep(POLL_S)
        finally:
            for client in clients:
                client.close()

    def _knows_all(self, client: redis.Redis) -> bool:
        info = client.execute_command("CLUSTER INFO")
        said = [each for each in client.execute_command("CLUSTER SLOTS") if len(each) >= 3]
        n_replicas = len(self.nodes) - self._n_primaries
        has_replicas = not n_replicas or max(len(each) for each in said) == 3 + n_replicas
        is_in_step = client.info("replication").get("master_link_status", "up") == "up"
        return info["cluster_state"] == "ok" and len(said) == self._n_primaries and has_replicas and is_in_step

    def holder(self, key: str) -> ClusterNode:
        """The primary that was given a key's slot at the start."""
        return self.nodes[bisect_right(self._bounds, redis.crc.key_slot(key.encode())) - 1]

    def keys(self, pattern: str) -> list[str]:
        """Keys of all primaries that run."""
        found: list[str] = []
        for node in self.nodes:
            if node.running:
                with redis.Redis.from_url(node.url) as client:
                    found += [key.decode() for key in client.scan_iter(pattern, count=1000)]
        return sorted(set(found))

    def mend(self) -> None:
        """Start what was killed, let go on what was frozen, and return when all know each other again."""
        for node in self.nodes:
            if node.running:
                os.kill(node.pid, signal.SIGCONT)
            else:
                node.start()
        deadline = time.monotonic() + READY_S
        for node in self.nodes:
            with redis.Redis.from_url(node.url) as client:
                while not self._knows_all(client):
                    assert time.monotonic() < deadline, "the cluster does not come together again"
                    time.sleep(POLL_S)

    def stop(self) -> None:
        """Stop all nodes."""
        for node in self.nodes:
            node.stop()
