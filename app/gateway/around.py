"""What every request passes before and after its route: who asks, limits, a name for it, and a line in the log."""

import asyncio
import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.gateway.access import EVERYBODY, Caller, Keyring
from app.gateway.body import Body
from app.gateway.limits import Buckets
from app.gateway.problems import Problem, answer
from app.settings import Settings

logger = logging.getLogger("freshet.gateway")

OPEN_PATHS: Final = frozenset(("/healthz", "/readyz"))
LOOPBACK: Final = re.compile(r"(localhost|127\.\d+\.\d+\.\d+|\[::1\]|::1)(:\d+)?", re.IGNORECASE)
CLIENT_LEFT: Final = 499
"""The status in the log of a request whose client has left; nobody is sent it."""

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Answered(NamedTuple):
    """What is known of a request when it is over; nothing in it is personal.

    Parameters
    ----------
    route
        Its template, e.g. `/v1/users/{user_id}/features`; `-` where there is none.
    key
        The name of its API key.
    """

    method: str
    route: str
    status: int
    seconds: float
    request_id: str
    key: str | None


def log_line(answered: Answered) -> None:
    """The access log."""
    logger.info(
        "%s %s %d %.1f ms %s %s",
        answered.method,
        answered.route,
        answered.status,
        answered.seconds * 1000,
        answered.request_id,
        answered.key or "-",
    )


class Around:
    """ASGI middleware around all routes.

    Parameters
    ----------
    on_answer
        Called after each request.
    clock
        Monotonic, s.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        *,
        on_answer: Callable[[Answered], None] = log_line,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._settings = settings
        self._keyring = Keyring(settings.gateway_keys)
        self._buckets = Buckets(settings.gateway_rate_per_s, settings.gateway_burst)
        self._on_answer = on_answer
        self._clock = clock
        self._n_under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; what is no request goes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, headers = self._clock(), Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        body = Body(receive, self._settings.gateway_max_body_bytes, self._settings.gateway_timeout_s)
        state = scope.setdefault("state", {})
        state["request_id"], state["caller"] = request_id, None
        status = 0

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                added = MutableHeaders(scope=message)
                added["X-Request-Id"] = request_id
                added["X-Content-Type-Options"] = "nosniff"
            await send(message)

        self._n_under_way += 1
        try:
            await self._admit(scope, headers, body)
            await self._app(scope, body.receive, tell)
        except Problem as problem:
            await answer(problem, request_id)(scope, receive, tell)
        except ClientDisconnect:
            status = CLIENT_LEFT
        except asyncio.CancelledError:
            status = status or CLIENT_LEFT
            raise
        except Exception:
            logger.exception("request %s failed", request_id)
            if not status:
                wrong = "The gateway failed. Its log says why, under this request_id."
                await answer(Problem(500, "internal", wrong), request_id)(scope, receive, tell)
        finally:
            self._n_under_way -= 1
            caller: Caller | None = state["caller"]
            route = getattr(scope.get("route"), "path", "-").replace(":path}", "}")
            seconds = self._clock() - began
            name = caller.name if caller else None
            self._on_answer(Answered(scope["method"], route, status, seconds, request_id, name))

    async def _admit(self, scope: Scope, headers: Headers, body: Body) -> None:
        """Say who asks.

        Raises
        ------
        Problem
            If it may not be served, or not now.
        """
        if scope["path"] in OPEN_PATHS:
            return
        address: str = (scope.get("client") or ("",))[0]
        given = headers.get("authorization")
        if self._keyring:
            caller = self._keyring.caller(given) if given else None
        else:
            _check_loopback(address, headers.get("host", ""))
            caller = EVERYBODY
        named = caller.name if caller else None
        wait_s = self._buckets.take(f"key {named}" if named else f"address {address}", self._clock())
        if wait_s:
            per_s = f"{self._settings.gateway_rate_per_s:g} requests a second are served"
            raise Problem(
                429, "rate_limited", f"Too many requests: {per_s}. Wait {wait_s} s.", {"Retry-After": str(wait_s)}
            )
        if self._n_under_way > self._settings.gateway_max_requests:
            raise Problem(503, "overloaded", "Too many requests are under way. Wait 1 s.", {"Retry-After": "1"})
        if given is not None and caller is None:
            raise unknown_key("The API key is not known here")
        scope["state"]["caller"] = caller
        await body.check(headers)


def unknown_key(why: str) -> Problem:
    """The answer to a request without a key, or with one that is no good."""
    detail = f"{why}. Send Authorization: Bearer <key>; `freshet gateway --new-key NAME` makes one."
    return Problem(401, "unauthorized", detail, {"WWW-Authenticate": 'Bearer realm="freshet"'})


def _check_loopback(address: str, host: str) -> None:
    """Without keys: from this machine, and by a name of this machine (a web page may have pointed another one here)."""
    if LOOPBACK.fullmatch(address) is None or LOOPBACK.fullmatch(host) is None:
        raise Problem(
            403,
            "loopback_only",
            "A gateway without API keys serves this machine alone, under localhost or 127.0.0.1. Make a key with "
            "`freshet gateway --new-key NAME`.",
        )


def caller_of(state: Any) -> Caller | None:
    """Who sent a request, by its state."""
    caller: Caller | None = getattr(state, "caller", None)
    return caller
