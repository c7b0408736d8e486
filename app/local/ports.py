"""Ports on the loopback address."""

import random
import socket
import time

from models.errors import ServiceError

HOST = "127.0.0.1"

# Below the range from which systems take the ports of outgoing connections (from 32768 on Linux, 49152 elsewhere).
# A client that keeps connecting to a stopped server would otherwise sooner or later get the server's own port.
FIRST_PORT, LAST_PORT = 20_000, 32_767

PATIENCE_S = 1.0
POLL_S = 0.02


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback address now."""
    with socket.socket() as probe:
        # As servers do: connections of a server that was just killed do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port on which nothing listens, chosen at random so that two stacks rarely want the same."""
    chosen = random.SystemRandom()
    for _ in range(100):
        port = chosen.randint(FIRST_PORT, LAST_PORT)
        if is_free(port):
            return port
    raise ServiceError(f"No free port found on {HOST} between {FIRST_PORT} and {LAST_PORT}. Name one that is free.")


def require_free(port: int, server: str) -> None:
    """Refuse a port on which something listens already; a process just killed gets a second to let go of it."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_free(port):
        if time.monotonic() > deadline:
            raise ServiceError(
                f"Port {port} on {HOST} is taken or forbidden, so {server} cannot listen there. "
                f"Stop what listens there, or choose another port; 0 takes any free one."
            )
        time.sleep(POLL_S)
