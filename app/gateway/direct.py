"""Routes whose endpoints get the request as it is: paths, queries and bodies are read by our own parsers.

FastAPI's own way to an endpoint, through dependencies and parameters that it parses, took a third of a read's time;
it is left out where nothing is for it to parse.
"""

from collections.abc import Callable, Coroutine
from inspect import signature
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response


class Direct(APIRoute):
    """A route that calls its endpoint with the request, if it takes one, and with what stands in the path."""

    def check(self, request: Request) -> None:
        """Refuse a request before its endpoint is called; anybody may ask, unless a subclass says otherwise."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What FastAPI calls with each request; a `Problem` is for its exception handlers."""
        endpoint, check = self.endpoint, self.check
        takes_request = "request" in signature(endpoint).parameters

        async def handle(request: Request) -> Response:
            check(request)
            given = {"request": request, **request.path_params} if takes_request else request.path_params
            answer: Response = await endpoint(**given)
            return answer

        return handle
