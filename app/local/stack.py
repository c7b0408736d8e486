"""The local stack: Kafka and Redis in one folder, started and stopped together."""

import time
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.progress import Progress

from app.local.folder import FolderLock
from app.local.kafka import KafkaServer
from app.local.leftovers import end_leftover
from app.local.redis import RedisServer
from app.local.server import READY_TIMEOUT_S, Server
from models.errors import SettingsError


class LocalStack:
    """A broker and a Redis of one's own, for `freshet up`, demos and tests.

    Both listen on the loopback address only and end with this process, however it ends. What a killed process has left
    behind all the same is found by the pid files in the folder and ended at the next start there.

    Parameters
    ----------
    folder
        Holds everything: data, settings, logs, pid files. One living stack per folder.
    kafka_port, redis_port
        0 chooses a free one; either way a port stays the same over all starts of this object.
    progress
        Shows the one download; by default a bar on standard error if that is a terminal.
    durable
        Whether Redis keeps its data over a stop. Kafka always does.
    with_kafka, with_redis
        False leaves that part out, for those who bring their own.

    Examples
    --------
    >>> with LocalStack(Path(".freshet")) as stack:  # doctest: +SKIP
    ...     print(stack.broker, stack.redis_url)
    127.0.0.1:21467 redis://127.0.0.1:30012/0
    """

    def __init__(
        self,
        folder: Path,
        *,
        kafka_port: int = 0,
        redis_port: int = 0,
        progress: Progress | None = None,
        durable: bool = False,
        with_kafka: bool = True,
        with_redis: bool = True,
    ) -> None:
        self.folder = folder.absolute()
        self._lock = FolderLock(self.folder / "stack.lock")
        self._kafka = KafkaServer(self.folder / "kafka", kafka_port, progress=progress) if with_kafka else None
        self._redis = RedisServer(self.folder / "redis", redis_port, durable=durable) if with_redis else None

    @property
    def kafka(self) -> KafkaServer:
        """The broker's process."""
        if self._kafka is None:
            raise SettingsError("This local stack was made with with_kafka=False and has no broker. Use your own.")
        return self._kafka

    @property
    def redis(self) -> RedisServer:
        """The process of Redis."""
        if self._redis is None:
            raise SettingsError("This local stack was made with with_redis=False and has no Redis. Use your own.")
        return self._redis

    @property
    def broker(self) -> str:
        """The broker's address, `127.0.0.1:PORT`."""
        return self.kafka.broker

    @property
    def redis_url(self) -> str:
        """The address of Redis, `redis://127.0.0.1:PORT/0`."""
        return self.redis.url

    def start(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Start both and return when both are ready; if either fails, nothing stays behind.

        `timeout_s` begins when the programs have been launched: the first start of all downloads Kafka before.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        try:
            servers = self._servers()
            for server in servers:
                end_leftover(server.pid_path, server.name)
            for server in servers:
                server.launch()
            deadline = time.monotonic() + timeout_s
            for server in servers:
                server.wait_ready(max(0.0, deadline - time.monotonic()))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop Kafka, then Redis, within seconds; nothing happens if they do not run."""
        try:
            for server in self._servers():
                server.stop()
        finally:
            self._lock.release()

    def _servers(self) -> list[Server]:
        return [server for server in (self._kafka, self._redis) if server is not None]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
