"""The pages and their changes over HTTP."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final
from urllib.parse import parse_qs, urlencode

import htpy as h
from htpy import Node
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from app.dashboard import kit
from app.dashboard.access import COOKIE, DAYS, FIELD, Lock
from app.dashboard.guard import HEALTH, LOGIN
from app.dashboard.hub import Draw, Hub, Parts
from app.dashboard.layout import STATIC, STATUS, document, framed, login, status
from app.dashboard.page import Asked, Page, Query, Sources
from app.gateway.limits import Buckets
from models.errors import InvalidEvent, ServiceError

MAX_FORM_BYTES: Final = 20_000
TRIES_PER_S: Final = 0.5
TRIES: Final = 10
YEAR_S: Final = 31_536_000


class Routes:
    """Answers requests.

    Parameters
    ----------
    pages
        In the order of the menu.
    """

    def __init__(self, sources: Sources, hub: Hub, lock: Lock, pages: Sequence[Page]) -> None:
        self._sources = sources
        self._hub = hub
        self._lock = lock
        self._pages = pages
        self._by_path = {page.path: page for page in pages}
        self._tries = Buckets(TRIES_PER_S, TRIES)

    def all(self) -> list[BaseRoute]:
        """Every route."""
        return [
            *(Route(page.path, self._page_of(page)) for page in self._pages),
            Route("/live", self._live),
            Route("/people/click", self._click, methods=["POST"]),
            Route("/dead-letters/redrive", self._redrive, methods=["POST"]),
            Route(LOGIN, self._login, methods=["GET", "POST"]),
            Route("/logout", self._logout, methods=["POST"]),
            Route(HEALTH, self._health),
            Mount("/static", _Files(directory=STATIC)),
        ]

    def _page_of(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def show(request: Request) -> Response:
            query = page.query(request.query_params)
            asked = self._asked(query)
            parts = await self._hub.draw(_key(page, query), self._draw(page, asked), lively=page.lively)
            live = f"/live?{urlencode({'page': page.path, **query}, errors='surrogatepass')}"
            namespace = self._sources.settings.namespace
            return HTMLResponse(framed(page, self._pages, page.head(asked), parts, namespace, self._lock.field, live))

        return show

    async def _live(self, request: Request) -> Response:
        """Changes of a page, for as long as the browser wants them."""
        page = self._by_path.get(request.query_params.get("page", ""))
        if page is None:
            raise HTTPException(404)
        if self._hub.is_full:
            return PlainTextResponse("Too many pages are open.\n", 503, headers={"Retry-After": "10"})
        query = page.query(request.query_params)
        draw = self._draw(page, self._asked(query))
        changes = self._hub.changes(_key(page, query), draw, lively=page.lively)
        return StreamingResponse(changes, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    def _asked(self, query: Query) -> Asked:
        return Asked(self._sources, query, self._lock.field)

    def _draw(self, page: Page, asked: Asked) -> Draw:
        async def draw() -> Parts:
            try:
                found: Mapping[str, Node] = await page.parts(asked)
            except ServiceError as error:
                found = {"away": kit.card("Not to be had now", h.p[str(error)], tone="bad")}
            drawn = {name: str(h.fragment[node]) for name, node in found.items()}
            return {STATUS: str(status(self._sources.board)), **drawn}

        return draw

    async def _click(self, request: Request) -> Response:
        form = await self._changing(request)
        user_id, item_id = form.get("user", ""), form.get("item", "")
        try:
            await self._sources.clicks.click(user_id, item_id)
        except InvalidEvent as invalid:
            return _told(422, "That is no event", invalid.message)
        except ServiceError as error:
            return _told(503, "The click did not go out", str(error))
        return RedirectResponse(f"/people?{urlencode({'user': user_id}, errors='surrogatepass')}", 303)

    async def _redrive(self, request: Request) -> Response:
        form = await self._changing(request)
        if not self._sources.letters.begin(form.get("reason") or None):
            return _told(409, "One is under way", "Dead letters are being sent again: wait until that is over.")
        return RedirectResponse("/dead-letters", 303)

    async def _changing(self, request: Request) -> Mapping[str, str]:
        """The form of a change.

        Raises
        ------
        HTTPException
            If nothing may be changed here, or it is none of our forms.
        """
        form = await _form(request)
        if not self._lock.sent_by_us(request, form.get(FIELD, "")):
            raise HTTPException(403, "This form was not sent by one of these pages. Load the page again.")
        if not self._sources.settings.dashboard_changes:
            raise HTTPException(403, "This dashboard only shows: FRESHET_DASHBOARD_CHANGES=true lets it change things.")
        return form

    async def _login(self, request: Request) -> Response:
        form = await _form(request) if request.method == "POST" else request.query_params
        to = self._own_path(form.get("to", "/"))
        token = form.get("token", "")
        if not token:
            return HTMLResponse(login(to, refused=False))
        host = request.client.host if request.client else ""
        if wait_s := self._tries.take(host, time.monotonic()):
            return PlainTextResponse(f"Too many tries. Wait {wait_s} s.\n", 429, headers={"Retry-After": str(wait_s)})
        if not self._lock.opens(token.strip()):
            return HTMLResponse(login(to, refused=True), 401)
        answer = RedirectResponse(to, 303)
        answer.set_cookie(
            COOKIE,
            self._lock.cookie,
            max_age=DAYS * 86_400,
            httponly=True,
            samesite="strict",
            secure=self._lock.secure,
        )
        return answer

    def _own_path(self, to: str) -> str:
        """Where to go after the token: to a page of ours, nowhere else."""
        path, _, asked = to.partition("?")
        page = self._by_path.get(path)
        if page is None:
            return "/"
        given = {name: values[-1] for name, values in parse_qs(asked).items()}
        query = page.query(given)
        return page.path + (f"?{urlencode(query, errors='surrogatepass')}" if query else "")

    async def _logout(self, request: Request) -> Response:
        form = await _form(request)
        if not self._lock.sent_by_us(request, form.get(FIELD, "")):
            raise HTTPException(403, "This form was not sent by one of these pages. Load the page again.")
        answer = RedirectResponse(LOGIN, 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=self._lock.secure)
        return answer

    async def _health(self, request: Request) -> Response:
        return PlainTextResponse("healthy\n")


class _Files(StaticFiles):
    """Style and scripts, kept by browsers for long: their addresses change with them."""

    def file_response(self, *arguments: object, **named: object) -> Response:
        answer = super().file_response(*arguments, **named)  # type: ignore[arg-type]
        answer.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
        return answer


async def _form(request: Request) -> Mapping[str, str]:
    """A form's fields, the last of each name.

    Raises
    ------
    HTTPException
        If it is longer than any of ours.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413)
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        raise HTTPException(400) from None
    return {name: values[-1] for name, values in fields.items()}


def _key(page: Page, query: Query) -> str:
    return f"{page.path}?{urlencode(sorted(query.items()), errors='surrogatepass')}"


def _told(code: int, title: str, why: str) -> Response:
    content = h.main(".login", id="main")[
        kit.card(title, h.p[why], h.p[h.a(".button", href="/")["Back to the overview"]], tone="bad")
    ]
    return HTMLResponse(document(title, content), code)


async def refused(request: Request, error: Exception) -> Response:
    """The answer to what cannot be served."""
    assert isinstance(error, HTTPException)
    title = {404: "There is no such page", 413: "That is too much"}.get(error.status_code, "That cannot be")
    return _told(error.status_code, title, "" if error.status_code == 404 else str(error.detail))
