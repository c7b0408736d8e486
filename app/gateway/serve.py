"""Listens: one process or several on one port, until told to stop."""

import contextlib
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from app.gateway.around import LOOPBACK
from app.gateway.create import create_app
from app.gateway.meters import Meters
from app.gateway.metrics import metrics_served, shared_meters
from app.gateway.protocol import Protocol
from app.settings import Settings, load_settings
from app.worker.process import environment
from models.errors import ServiceError, SettingsError

APPLICATION = "app.gateway.serve:application"
KEEP_ALIVE_S = 30
COLLECTIONS = (20_000, 20, 20)  # new objects, young collections, middle ones
CHILD_START_S = 60  # importing takes its time on a busy machine


def application() -> FastAPI:
    """The gateway of this process's settings."""
    configure_logging()
    return settled(load_settings(), shared_meters())


def settled(settings: Settings, meters: Meters | None) -> FastAPI:
    """The gateway, with what was imported set aside from garbage collections, which took a third of the time."""
    app = create_app(settings, meters=meters)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTIONS)
    return app


def serve(settings: Settings, on_listening: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; requests under way end first.

    Parameters
    ----------
    on_listening
        Called with the URL, when it can be asked.

    Raises
    ------
    FreshetError
        If the address cannot be listened at, or must not be without keys.
    """
    check_address(settings)
    configure_logging()
    with metrics_served(settings) as meters:
        _serve(settings, on_listening, meters)


def _serve(settings: Settings, on_listening: Callable[[str], None], meters: Meters | None) -> None:
    several = settings.gateway_processes > 1
    config = uvicorn.Config(
        APPLICATION if several else settled(settings, meters),
        host=settings.gateway_listen_host,
        port=settings.gateway_listen_port,
        workers=settings.gateway_processes,
        factory=several,
        http=Protocol,
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # or anybody could say to be somebody else
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_worker_healthcheck=CHILD_START_S,
        timeout_graceful_shutdown=settings.gateway_drain_s,
    )
    try:
        sockets = [config.bind_socket()]
    except SystemExit:  # uvicorn has logged why
        raise ServiceError(
            f"{settings.gateway_listen_host}:{settings.gateway_listen_port} cannot be listened at. Stop who "
            "does, or set FRESHET_GATEWAY_LISTEN_PORT (0: any that is free)."
        ) from None
    for each in sockets:  # asyncio does so for its own alone, and an answer is two writes
        each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    url = _url(settings.gateway_listen_host, sockets[0].getsockname()[1])
    if several:
        on_listening(url)
        os.environ.update(environment(settings))  # children read them anew
        Multiprocess(config, sockets=sockets).run()
    else:
        server = Server(config, lambda: on_listening(url))
        server.run(sockets=sockets)
        if not server.started:
            raise ServiceError("the gateway did not start; its log says why.")


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def check_address(settings: Settings) -> None:
    """Refuse to let everybody in.

    Raises
    ------
    SettingsError
        If others than this machine could ask, and there are no keys.
    """
    if not settings.gateway_keys and LOOPBACK.fullmatch(settings.gateway_listen_host) is None:
        raise SettingsError(
            f"FRESHET_GATEWAY_LISTEN_HOST has value {settings.gateway_listen_host!r}, and FRESHET_GATEWAY_KEYS is "
            "empty: without keys only this machine is served. Make a key with `freshet gateway --new-key NAME`, or use "
            "127.0.0.1."
        )


def configure_logging() -> None:
    """Log lines on standard error."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    logging.getLogger("freshet").setLevel(logging.INFO)
    logging.getLogger("uvicorn.error").setLevel(logging.INFO)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # the sender says what is wrong


class Server(uvicorn.Server):
    """uvicorn's server, which says when it listens, and ends with exit code 0 when it is told to stop."""

    def __init__(self, config: uvicorn.Config, on_listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_listening = on_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        if self.started:
            self._on_listening()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take signals meanwhile, and do not raise them again at the end."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
