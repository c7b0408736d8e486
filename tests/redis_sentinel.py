"""A primary, a replica and a sentinel: real servers on this machine."""

import time
from pathlib import Path

import redis

from app.local.ports import HOST, free_port
from app.local.redis import RedisServer

NAME = "shop"
PASSWORD = "sentry"
READY_S = 20.0
POLL_S = 0.02


class SentinelServer(RedisServer):
    """Watches one primary; whoever asks it needs a password."""

    def __init__(self, folder: Path, primary: RedisServer) -> None:
        super().__init__(folder)
        self._primary = primary

    def prepare(self) -> list[str]:
        """As a sentinel that gives a primary up after half a second."""
        program, settings = super().prepare()
        lines = [
            f"bind {HOST}",
            f"port {self.port}",
            f'dir "{self.folder}"',
            f"requirepass {PASSWORD}",
            f"sentinel monitor {NAME} {HOST} {self._primary.port} 1",
            f"sentinel down-after-milliseconds {NAME} 500",
            f"sentinel failover-timeout {NAME} 2000",
        ]
        Path(settings).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return [program, settings, "--sentinel"]

    def is_ready(self) -> bool:
        """Whether it knows the primary's replica."""
        try:
            with redis.Redis(port=self.port, password=PASSWORD, socket_timeout=1.0) as client:
                state = client.sentinel_master(NAME)
                return bool(state["num-slaves"]) and bool(state["is_master"])
        except redis.exceptions.RedisError:
            return False


class Watched:
    """Two servers and their sentinel."""

    def __init__(self, folder: Path) -> None:
        self.servers = [RedisServer(folder / name) for name in "ab"]
        self._sentinel = SentinelServer(folder / "sentinel", self.servers[0])
        self._nobody = free_port()

    @property
    def url(self) -> str:
        """Two sentinels, of which the first is not there."""
        return f"redis+sentinel://{HOST}:{self._nobody},{HOST}:{self._sentinel.port}/{NAME}"

    def start(self) -> None:
        """Start all, and return when a failover may happen."""
        for server in self.servers:
            server.start()
            with redis.Redis.from_url(server.url) as client:
                client.config_set("repl-diskless-sync-delay", 0)
        with redis.Redis.from_url(self.servers[1].url) as client:
            client.replicaof(HOST, str(self.servers[0].port))
            deadline = time.monotonic() + READY_S
            while client.info("replication")["master_link_status"] != "up":
                assert time.monotonic() < deadline
                time.sleep(POLL_S)
        self._sentinel.start()

    def fail_over(self) -> None:
        """Let the replica become the primary, and the primary its replica; returns when both know."""
        with redis.Redis(port=self._sentinel.port, password=PASSWORD) as client:
            deadline = time.monotonic() + READY_S
            while not self._is_accepted(client):
                assert time.monotonic() < deadline
                time.sleep(POLL_S)
            while client.sentinel_master(NAME)["port"] != self.servers[1].port:
                assert time.monotonic() < deadline
                time.sleep(POLL_S)
        with redis.Redis.from_url(self.servers[0].url) as client:
            client.replicaof(HOST, str(self.servers[1].port))  # which the sentinel does ten seconds later

    def _is_accepted(self, client: redis.Redis) -> bool:
        """Ask for a failover; refused as long as the sentinel has not heard of a replica that will do."""
        try:
            client.execute_command("SENTINEL", "FAILOVER", NAME)
        except redis.ResponseError as error:
            if not str(error).startswith("NOGOODSLAVE"):
                raise
            return False
        return True

    def stop(self) -> None:
        """Stop all."""
        for server in (self._sentinel, *self.servers):
            server.stop()
