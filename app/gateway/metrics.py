"""Where the gateway's metrics are read: a port of their own, one for all of its processes.

One process answers for itself. Several write their counters into files that they share with the process that started
them, and that one adds them up: whichever process served a request, it counts, and so do those that have ended.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

from app.gateway.meters import Meters
from app.settings import Settings
from models.errors import ServiceError

FILES = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that says to prometheus-client where processes share their counters; read when it is imported."""


@contextmanager
def metrics_served(settings: Settings) -> Iterator[Meters | None]:
    """Serve metrics as long as the block lasts, if the settings say where.

    Yields
    ------
    Meters | None
        What this process is to count with; None where nothing is counted, or child processes are to do it.

    Raises
    ------
    ServiceError
        If the address cannot be had.
    """
    if not settings.gateway_metrics_listen_port:
        yield None
    elif settings.gateway_processes == 1:
        registry = CollectorRegistry()
        meters = Meters(registry)
        ProcessCollector(registry=registry)
        with _listening(settings, registry):
            yield meters
    else:
        with tempfile.TemporaryDirectory(prefix="freshet-gateway-") as folder:
            registry = CollectorRegistry()
            MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]
            os.environ[FILES] = folder  # of the children: in this process the library is imported already
            try:
                with _listening(settings, registry):
                    yield None
            finally:
                del os.environ[FILES]


def shared_meters() -> Meters | None:
    """What a process among several counts with; None where nobody asks."""
    return Meters(CollectorRegistry()) if FILES in os.environ else None


@contextmanager
def _listening(settings: Settings, registry: CollectorRegistry) -> Iterator[None]:
    host, port = settings.gateway_metrics_listen_host, settings.gateway_metrics_listen_port
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise ServiceError(
            f"metrics cannot be served: FRESHET_GATEWAY_METRICS_LISTEN_HOST is {host!r}, "
            f"FRESHET_GATEWAY_METRICS_LISTEN_PORT {port}: {error.strerror or error}. Use an address of this machine "
            "and a port that is free, or port 0 to serve none."
        ) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
