"""What is known of users and items: features, similar items, trends."""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.client import requests
from app.gateway.documented import answers, asks, problems
from app.gateway.guard import needs, path_id
from app.gateway.many import MAX_LIMIT
from app.gateway.problems import Problem, as_json
from app.gateway.query import asked, choice, integer, text, truth
from app.gateway.shapes import Features, ScoredItems
from app.gateway.view import View
from tables.keys import TRENDING_WINDOWS, Keys

SCORED = {"items": [{"id": "sku-7", "score": 0.82, "title": "Desk lamp"}]}
FEATURES = {"user_id": "u42", "features": {"n_events": 12, "view_1h": 3, "recent_items": ["sku-1"]}}

RANKED: Final = (integer("limit", 1, MAX_LIMIT, 10, "items"), truth("titles", "add titles"))
TRENDING: Final = (
    choice("window", TRENDING_WINDOWS, "of time"),
    text("category", 1000, "of this one of the catalogue alone"),
    *RANKED,
)


def items_router(view: View, keys: Keys) -> APIRouter:
    """Routes for features, similar items and trends."""
    router = APIRouter(route_class=needs("read"))

    @router.get(
        "/v1/users/{user_id:path}/features",
        response_model=None,
        responses={200: answers(Features, "The features.", FEATURES), **problems(404)},
    )
    async def user_features(request: Request, user_id: str) -> Response:
        """A user's counts by type and window, and the newest items."""
        user_id = path_id(request, "user_id", user_id)
        asked(request, ())
        features = await view.features(user_id)
        if not features:
            raise Problem(404, "unknown_user", f"No event of user {user_id!r} has been folded.")
        return as_json({"user_id": user_id, "features": features})

    @router.get(
        "/v1/items/{item_id:path}/similar",
        response_model=None,
        responses={
            200: answers(ScoredItems, "The items; none if nobody took it and another.", SCORED),
            **problems(404),
        },
    )
    async def similar(request: Request, item_id: str) -> Response:
        """The items that the same people dealt with."""
        item_id = path_id(request, "item_id", item_id)
        asks_for = asked(request, RANKED)
        found = await view.ask(requests.best(keys.item_similarity(item_id), asks_for["limit"]))
        if not found and await view.ask(requests.item_state(keys, item_id)) != "published":
            raise Problem(404, "unknown_item", f"Nothing of item {item_id!r} is published.")
        return await _scored(view, found, titles=asks_for["titles"])

    @router.get(
        "/v1/trending",
        response_model=None,
        responses={200: answers(ScoredItems, "The items; none if nothing trends.", SCORED), **problems()},
        openapi_extra=asks(*TRENDING),
    )
    async def trending(request: Request) -> Response:
        """What is popular in a window of time."""
        asks_for = asked(request, TRENDING)
        key = keys.trending(asks_for["window"], asks_for["category"])
        found = await view.ask(requests.best(key, asks_for["limit"]))
        return await _scored(view, found, titles=asks_for["titles"])

    return router


async def _scored(view: View, found: Sequence[tuple[str, float]], *, titles: bool) -> Response:
    details = await view.details([item_id for item_id, _ in found], ["title"]) if titles and found else {}
    items: list[dict[str, Any]] = [{"id": id_, "score": score, **details.get(id_, {})} for id_, score in found]
    return as_json({"items": items})
