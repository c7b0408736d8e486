"""Where a benchmark runs: a broker and a Redis, started for it or given, and a namespace of its own."""

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from app.local.stack import LocalStack
from app.namespace import remove_namespace
from app.settings import PREFIX, Settings
from app.worker.process import WorkerProcess, environment
from tables.names import Names


@dataclass(frozen=True, slots=True)
class Place:
    """A namespace on a broker and a Redis, and a folder for logs; both vanish afterwards.

    The settings are the defaults, whatever this process's environment and `freshet.toml` say, but for how services
    that were given let one in.
    """

    folder: Path
    settings: Settings

    @property
    def names(self) -> Names:
        """Topics and the like."""
        return self.settings.names

    @property
    def environment(self) -> dict[str, str]:
        """Variables of a worker that works here."""
        return {**environment(self.settings), f"{PREFIX}CONFIG": os.devnull}

    def start_worker(self, on_line: Callable[[dict[str, Any]], None]) -> WorkerProcess:
        """Start a worker here; told of each of its lines from a thread of its own."""
        return WorkerProcess(self.environment, self.folder / "worker.log", on_line)


@contextmanager
def own_place(
    kind: str, broker: str | None, redis_url: str | None, access: Mapping[str, Any] | None = None, **changes: Any
) -> Iterator[Place]:
    """A place that lasts as long as the block.

    Parameters
    ----------
    kind
        Which benchmark; begins the name of its namespace.
    broker, redis_url
        Addresses to use; None starts what is missing.
    access
        Settings by which they let one in.
    changes
        Settings that differ from the defaults.
    """
    with TemporaryDirectory(prefix=f"freshet-{kind}-") as temporary:
        folder = Path(temporary)
        stack = LocalStack(folder / "stack", with_kafka=broker is None, with_redis=redis_url is None)
        with stack:
            there = {"broker": broker or stack.broker, "redis_url": redis_url or stack.redis_url}
            settings = Settings.model_construct(
                **{**(access or {}), **there, **changes, "namespace": f"{kind}-{uuid4().hex[:12]}"}
            )
            try:
                yield Place(folder, settings)
            finally:
                if broker is not None or redis_url is not None:
                    asyncio.run(remove_namespace(settings))
