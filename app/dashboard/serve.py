"""Listens, until told to stop."""

from collections.abc import Callable
from types import FrameType

import uvicorn

from app.dashboard.access import new_token
from app.dashboard.create import Dashboard
from app.gateway.protocol import Protocol
from app.gateway.serve import Server, configure_logging
from app.settings import Settings
from models.errors import ServiceError, SettingsError

DRAIN_S = 2


def serve(settings: Settings, on_listening: Callable[[str, str], None]) -> None:
    """Serve until SIGTERM or SIGINT.

    Parameters
    ----------
    on_listening
        Called with the URL and the token, when it can be opened.

    Raises
    ------
    FreshetError
        If the address cannot be listened at, or the certificate not be used.
    """
    configure_logging()
    token = settings.dashboard_token or new_token()
    dashboard = Dashboard(settings, token)
    config = uvicorn.Config(
        dashboard.app,
        host=settings.dashboard_listen_host,
        port=settings.dashboard_listen_port,
        http=Protocol,
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_S,
        ssl_certfile=settings.dashboard_tls_cert or None,
        ssl_keyfile=settings.dashboard_tls_key or None,
    )
    try:
        config.load()
    except OSError as error:
        raise SettingsError(
            f"FRESHET_DASHBOARD_TLS_CERT has value {settings.dashboard_tls_cert!r}, FRESHET_DASHBOARD_TLS_KEY "
            f"{settings.dashboard_tls_key!r}: {error}. Name PEM files with a certificate and its key."
        ) from error
    try:
        listening = config.bind_socket()
    except SystemExit:  # uvicorn has logged why
        raise ServiceError(
            f"{settings.dashboard_listen_host}:{settings.dashboard_listen_port} cannot be listened at. Stop who does, "
            "or set FRESHET_DASHBOARD_LISTEN_PORT (0: any that is free)."
        ) from None
    scheme = "https" if settings.dashboard_tls_cert else "http"
    url = url_of(scheme, settings.dashboard_listen_host, listening.getsockname()[1])
    server = DashboardServer(config, dashboard, lambda: on_listening(url, token))
    server.run(sockets=[listening])
    if not server.started:
        raise ServiceError("the dashboard did not start; its log says why.")


class DashboardServer(Server):
    """Lets open pages go before it waits for them."""

    def __init__(self, config: uvicorn.Config, dashboard: Dashboard, on_listening: Callable[[], None]) -> None:
        super().__init__(config, on_listening)
        self._dashboard = dashboard

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        super().handle_exit(sig, frame)
        self._dashboard.poller.ticks.close()


def url_of(scheme: str, host: str, port: int) -> str:
    """Where a browser of this machine opens it."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host) or (f"[{host}]" if ":" in host else host)
    return f"{scheme}://{shown}:{port}"


def opened_by(url: str, token: str) -> str:
    """The address that opens the dashboard without asking."""
    return f"{url}/login?token={token}"
