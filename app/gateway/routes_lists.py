"""`GET /v1/users/{id}/recommendations` and `POST /v1/recommendations`."""

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.gateway.documented import answers, asks, problems, takes
from app.gateway.guard import json_body, needs, path_id
from app.gateway.many import MANY, MAX_LIMIT, wanted_of
from app.gateway.problems import Problem, as_json
from app.gateway.query import asked, header, integer, text, texts, truth
from app.gateway.shapes import ManyRecommendations, Recommendations
from app.gateway.token import parse_token, wait_for_list
from app.gateway.view import FoundList, View, etag_of, matches
from app.settings import Settings
from models.errors import ServiceError

OF_A_LIST: Final = (
    integer("limit", 1, MAX_LIMIT, None, "items; all without it"),
    texts("exclude", 200, "an item to leave out; as often as needed"),
    text("segment", 256, "the user's, whose list stands in for a missing one"),
    truth("titles", "add titles"),
    truth("categories", "add categories"),
    text("after", 24, "position of an event of this user, partition:offset", r"^\d{1,6}:\d{1,16}$"),
    integer("wait_ms", 0, 60_000, 0, "wait so long for a list of that event; above the setting it is the setting"),
    header("If-None-Match", "the ETag of the list that is known"),
)
LIST = {
    "user_id": "u42", "rung": "user", "version": "000000-0000000000001207", "list_id": "83ea46bd41f9d21f",
    "generated_at_ms": 1_700_000_000_050, "age_ms": 120, "model": "blend-1", "variant": "default",
    "items": [{"id": "sku-7", "score": 0.82, "source": "co_occurrence", "because": ["sku-1"], "title": "Desk lamp"}],
}  # fmt: skip
NOTHING = "Nothing is published yet: a worker writes the default list a second after its start."


def lists_router(settings: Settings, view: View) -> APIRouter:
    """Routes for recommendation lists."""
    router = APIRouter(route_class=needs("read"))

    @router.get(
        "/v1/users/{user_id:path}/recommendations",
        response_model=None,
        responses={
            200: answers(Recommendations, "The list.", LIST),
            304: {"description": "The list is still the one of If-None-Match."},
            **problems(404, 409),
        },
        openapi_extra=asks(*OF_A_LIST),
    )
    async def recommendations(
        request: Request,
        user_id: str,
    ) -> Response:
        """The user's list; without one that of the segment, else the one for everybody.

        `after` takes the position of an accepted event and says in `after.reached` whether the list is made from it
        or a later one; with `wait_ms` (at most 2,000 unless the settings say otherwise) the answer waits for that.
        """
        user_id = path_id(request, "user_id", user_id)
        asks_for = asked(request, OF_A_LIST)
        after, waited = asks_for["after"], None
        if after is not None:
            within_ms = min(asks_for["wait_ms"], settings.gateway_max_wait_ms)
            waited = await wait_for_list(view, user_id, parse_token(after), within_ms, request.is_disconnected)
        found = await view.ladder(user_id, asks_for["segment"])
        if found is None:
            raise Problem(404, "no_list", NOTHING)
        items = found.items(asks_for["limit"], frozenset(asks_for["exclude"]))
        details = await _details(view, items, titles=asks_for["titles"], categories=asks_for["categories"])
        body = list_answer(user_id, found, items, details, int(time.time() * 1000))
        if waited is not None:
            body["after"] = {"token": after, "reached": waited.reached, "waited_ms": waited.ms}
        etag = etag_of(found.rung, body["version"], body["items"], waited and waited.reached)
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        if matches(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        return as_json(body, headers=headers)

    @router.post(
        "/v1/recommendations",
        response_model=None,
        responses={
            200: answers(ManyRecommendations, "The lists.", {"lists": [LIST]}),
            **problems(400, 408, 413, 415),
        },
        openapi_extra=takes(MANY, two={"user_ids": ["u42", "u43"], "limit": 10, "titles": True}),
    )
    async def many(request: Request) -> Response:
        """The lists of up to 500 users, in the order of `user_ids`."""
        wanted = wanted_of(await json_body(request))
        found = await view.ladders(wanted.user_ids, wanted.segment)
        items = [each.items(wanted.limit, wanted.exclude) if isinstance(each, FoundList) else [] for each in found]
        shown = [item for of_one in items for item in of_one]
        details = await _details(view, shown, titles=wanted.titles, categories=wanted.categories)
        now_ms = int(time.time() * 1000)
        return as_json(
            {
                "lists": [
                    list_answer(user_id, one, some, details, now_ms)
                    if isinstance(one, FoundList)
                    else {"user_id": user_id, "rung": None, "items": [], "missing": _why(one)}
                    for user_id, one, some in zip(wanted.user_ids, found, items, strict=True)
                ]
            }
        )

    return router


def list_answer(
    user_id: str,
    found: FoundList,
    items: Sequence[dict[str, Any]],
    details: Mapping[str, Mapping[str, Any]],
    now_ms: int,
) -> dict[str, Any]:
    """A list as it is answered."""
    stored = found.stored
    return {
        "user_id": user_id,
        "rung": found.rung,
        "version": stored["version"],
        "list_id": stored["list_id"],
        "generated_at_ms": stored["generated_at_ms"],
        "age_ms": max(0, now_ms - stored["generated_at_ms"]),
        "source": stored["source"],
        "model": stored["model"],
        "variant": stored["variant"],
        "items": [{**item, **details.get(item["id"], {})} for item in items] if details else items,
    }


async def _details(
    view: View, items: Collection[dict[str, Any]], *, titles: bool, categories: bool
) -> dict[str, dict[str, Any]]:
    fields = [name for name, is_asked in (("title", titles), ("categories", categories)) if is_asked]
    return await view.details([item["id"] for item in items], fields) if fields and items else {}


def _why(missing: ServiceError | None) -> str:
    return "not_published" if missing is None else "unavailable"
