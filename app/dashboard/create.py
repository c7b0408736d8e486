"""Puts the dashboard together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from app.dashboard.access import Lock
from app.dashboard.clicks import Clicks
from app.dashboard.guard import Guard
from app.dashboard.hub import Hub
from app.dashboard.letters import KafkaLetters, Letters
from app.dashboard.log import KafkaLog, Log
from app.dashboard.lookup import Lookup
from app.dashboard.page import Sources
from app.dashboard.pages import PAGES
from app.dashboard.poller import Poller
from app.dashboard.routes import Routes, refused
from app.dashboard.workers import HttpWorkers, Workers
from app.gateway.sender import KafkaSender, Sender
from app.gateway.view import View, open_view
from app.settings import Settings


class Dashboard:
    """The dashboard as an ASGI application, with what lies behind it.

    Parameters
    ----------
    token
        Opens it.
    workers, log, view, sender, letters
        In place of those of the settings.

    Attributes
    ----------
    app
        The application.
    hub, poller
        Its open pages, and what keeps them up to date.
    """

    def __init__(
        self,
        settings: Settings,
        token: str,
        *,
        workers: Workers | None = None,
        log: Log | None = None,
        view: View | None = None,
        sender: Sender | None = None,
        letters: Letters | None = None,
    ) -> None:
        view = view or open_view(settings)
        own = KafkaSender(settings) if sender is None and settings.dashboard_changes else None
        self.poller = Poller(workers or HttpWorkers(worker_urls(settings)), log or KafkaLog(settings), view.answers)
        board = self.poller.board
        lookup = Lookup(view, settings.keys)
        letters = letters or KafkaLetters(settings, lambda: len(board.log.ranges))
        clicks = Clicks(settings, sender or own or KafkaSender(settings), lookup)
        self.hub = Hub(self.poller.ticks, settings.dashboard_max_pages)
        lock = Lock(token, secure=bool(settings.dashboard_tls_cert))
        routes = Routes(Sources(settings, board, lookup, clicks, letters), self.hub, lock, PAGES)

        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            if own is not None:
                own.start()
            await self.poller.look()  # so that the first page has something to show
            self.poller.start()
            try:
                yield
            finally:
                await self.poller.stop()
                await letters.stop()
                if own is not None:
                    await own.stop()
                await view.close()

        self.app = Starlette(routes=routes.all(), exception_handlers={HTTPException: refused}, lifespan=lifespan)
        self.app.add_middleware(Guard, lock=lock)


def worker_urls(settings: Settings) -> tuple[str, ...]:
    """Where workers' metrics are read: as the settings say, else where a worker of this machine would serve them."""
    if settings.dashboard_workers or not settings.metrics_listen_port:
        return settings.dashboard_workers
    return (f"http://127.0.0.1:{settings.metrics_listen_port}/metrics",)
