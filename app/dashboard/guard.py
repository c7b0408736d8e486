"""What every request passes: whether it may be served, and the headers that keep a page to itself."""

from typing import Final
from urllib.parse import urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.dashboard.access import Lock

LOGIN: Final = "/login"
HEALTH: Final = "/healthz"
STATIC: Final = "/static/"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


class Guard:
    """ASGI middleware around all pages."""

    def __init__(self, app: ASGIApp, lock: Lock) -> None:
        self._app = app
        self._lock = lock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request of somebody who is known; others are asked for the token."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if "cache-control" not in headers:
                    headers["Cache-Control"] = "no-store"
            await send(message)

        request = Request(scope)
        path = request.url.path
        is_open = path in (LOGIN, HEALTH) or path.startswith(STATIC)
        if is_open or self._lock.knows(request):
            await self._app(scope, receive, tell)
        else:
            await self._ask(request)(scope, receive, tell)

    def _ask(self, request: Request) -> Response:
        """Where somebody unknown goes: to the page that asks for the token, and from there back."""
        if request.method != "GET" or "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse("This takes the dashboard's token: open it in a browser first.\n", 401)
        wanted = request.url.path
        query = {name: value for name, value in request.query_params.items() if name != "token"}
        given = {"token": token} if (token := request.query_params.get("token")) else {}
        back = wanted + (f"?{urlencode(query)}" if query else "")
        return RedirectResponse(f"{LOGIN}?{urlencode({**given, 'to': back})}", 303)
