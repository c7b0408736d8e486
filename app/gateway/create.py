"""Puts the gateway together."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import metadata
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from app.gateway.around import Answered, Around, log_line
from app.gateway.documented import allowed, document
from app.gateway.meters import MeteredSender, Meters
from app.gateway.problems import Problem, answer, unavailable
from app.gateway.routes_entries import entries_router
from app.gateway.routes_events import events_router, untold
from app.gateway.routes_health import health_router
from app.gateway.routes_items import items_router
from app.gateway.routes_lists import lists_router
from app.gateway.sender import KafkaSender, Sender
from app.gateway.view import View, open_view
from app.settings import Settings
from models.errors import ServiceError

logger = logging.getLogger("freshet.gateway")

ABOUT = "Events in, recommendation lists out. Times are Unix milliseconds UTC; problems are RFC 9457."
CODES = {404: "no_route", 405: "wrong_method"}


def create_app(
    settings: Settings,
    *,
    sender: Sender | None = None,
    view: View | None = None,
    on_answer: Callable[[Answered], None] = log_line,
    meters: Meters | None = None,
) -> FastAPI:
    """The gateway as an ASGI application.

    Parameters
    ----------
    sender, view
        In place of Kafka and Redis.
    on_answer
        Called after each request.
    meters
        What counts; None: nothing does.
    """
    own = KafkaSender(settings) if sender is None else None
    sender = own or sender
    assert sender is not None
    if meters is not None:
        sender = MeteredSender(sender, meters)
    reads = view or open_view(settings, meters)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if own is not None:
            own.start()
        try:
            yield
        finally:
            if own is not None:
                await own.stop()
            await reads.close()

    app = FastAPI(
        title="Freshet gateway",
        version=metadata.version("freshet"),
        description=ABOUT,
        lifespan=lifespan,
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # an id may end with one
    )
    routers = (
        lists_router(settings, reads),  # what is asked for most is found first
        events_router(settings, sender, settings.rules, tell=meters.events if meters else untold),
        items_router(reads, settings.keys),
        health_router(sender, reads),
        entries_router(settings, sender),
    )
    app.router.routes += [route for router in routers for route in router.routes]  # included, they are matched twice
    _handle(app)
    app.add_middleware(Around, settings=settings, on_answer=_both(on_answer, meters))
    if settings.gateway_cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.gateway_cors_origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "X-Request-Id"],
            expose_headers=["ETag", "Retry-After", "X-Request-Id"],
        )

    def described() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = document(app, with_keys=bool(settings.gateway_keys))
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]
    return app


def _both(on_answer: Callable[[Answered], None], meters: Meters | None) -> Callable[[Answered], None]:
    """What is called after each request, the meters after the log."""
    if meters is None:
        return on_answer

    def call(answered: Answered) -> None:
        on_answer(answered)
        meters.answered(answered)

    return call


def _handle(app: FastAPI) -> None:
    """Make problem details of what routes raise."""

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> Response:
        return answer(error, request.state.request_id)

    @app.exception_handler(ServiceError)
    async def away(request: Request, error: ServiceError) -> Response:
        logger.warning("%s", error)
        return answer(unavailable("Redis"), request.state.request_id)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        # neither `input` nor `ctx`: they may hold what JSON cannot, and what somebody else sent
        errors = [{"where": " ".join(map(str, each["loc"])), "message": each["msg"]} for each in error.errors()]
        detail = "; ".join(f"{each['where']}: {each['message']}" for each in errors)
        return answer(Problem(422, "bad_value", detail, errors=errors), request.state.request_id)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        code = CODES.get(error.status_code, "refused")
        headers = dict(error.headers or {})
        if error.status_code == 405:  # a route knows its own methods alone
            headers["Allow"] = ", ".join(allowed(app.openapi(), request.scope["path"]))
        return answer(Problem(error.status_code, code, str(error.detail), headers), request.state.request_id)
