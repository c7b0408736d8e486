"""What a request gets that cannot be served: problem details (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import orjson
from starlette.responses import Response

PROBLEM_JSON: Final = "application/problem+json"
NO_STORE: Final = {"Cache-Control": "no-store"}
JSON: Final = "application/json"
TITLES: Final = {413: "Content Too Large", 422: "Unprocessable Content"}  # Python names them otherwise, by version


class Problem(Exception):
    """A request that cannot be served.

    Parameters
    ----------
    status
        The HTTP status.
    code
        Names the problem, for programs; `type` is made of it.
    detail
        What is wrong, and what to do, for people.
    headers
        Of the answer.
    more
        Members of the answer beside those of the RFC.
    """

    def __init__(
        self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = more


def answer(problem: Problem, request_id: str) -> Response:
    """The answer that tells of a problem."""
    body = {
        "type": f"urn:freshet:problem:{problem.code}",
        "title": TITLES.get(problem.status) or HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "request_id": request_id,
        **problem.more,
    }
    return Response(
        orjson.dumps(body), problem.status, media_type=PROBLEM_JSON, headers={**NO_STORE, **problem.headers}
    )


def unavailable(service: str, retry_after_s: int = 1, **more: Any) -> Problem:
    """Kafka or Redis does not answer now; why stands in the log, not in the answer."""
    detail = f"{service} does not answer. Send the request again after {retry_after_s} s."
    return Problem(503, f"{service.lower()}_unavailable", detail, {"Retry-After": str(retry_after_s)}, **more)


def parsed(body: bytes) -> Any:
    """The JSON in a body.

    Raises
    ------
    Problem
        If it is none.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem(400, "not_json", f"The body is not JSON in UTF-8: {error}.") from None


def bad_value(where: str, why: str) -> Problem:
    """A part of the request that has a value that it may not have."""
    return Problem(422, "bad_value", f"{where}: {why}")


def as_json(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with JSON in it."""
    return Response(orjson.dumps(content), status, media_type=JSON, headers=dict(headers or NO_STORE))
