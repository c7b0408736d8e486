"""What a route asks of its request before it does anything: a scope, ids that can be ids, a body of JSON."""

from typing import Final
from urllib.parse import unquote_to_bytes

from fastapi import Request

from app.gateway.around import caller_of, unknown_key
from app.gateway.direct import Direct
from app.gateway.problems import Problem, bad_value
from models.errors import InvalidEvent
from models.events import checked_id

REPLACED: Final = "�"  # what the server makes of bytes that are no UTF-8


def needs(scope: str) -> type[Direct]:
    """Routes that let only callers of a scope pass."""

    class Guarded(Direct):
        """A route for those who have a key of the scope."""

        def check(self, request: Request) -> None:
            """Refuse those who have none."""
            caller = caller_of(request.state)
            if caller is None:
                raise unknown_key("This takes an API key")
            if scope not in caller.scopes:
                has = ", ".join(sorted(caller.scopes))
                raise Problem(
                    403, "forbidden", f"This takes a key of the scope {scope}; the one sent has {has}. Use another key."
                )

    return Guarded


def path_id(request: Request, name: str, text: str) -> str:
    """An id out of the path.

    Raises
    ------
    Problem
        If no event could name it.
    """
    try:
        if REPLACED in text:
            unquote_to_bytes(request.scope.get("raw_path", b"")).decode()
        return checked_id(name, text)
    except UnicodeDecodeError:
        raise bad_value(f"path {name}", "not UTF-8. Send UTF-8, percent-encoded.") from None
    except InvalidEvent as invalid:
        raise bad_value(f"path {name}", invalid.message) from None


async def json_body(request: Request) -> bytes:
    """The body, which has to say that it is JSON: pages of other origins cannot send that unasked.

    Raises
    ------
    Problem
        If it says anything else.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem(
            415, "not_json_type", f"The body is of the type {kind[:80]!r}. Send Content-Type: application/json."
        )
    return await request.body()
