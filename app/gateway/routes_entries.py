"""`PUT` and `DELETE` of items and users: entries of the catalogue, and profiles."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.gateway.documented import answers, problems, takes
from app.gateway.guard import json_body, needs, path_id
from app.gateway.problems import Problem, as_json, unavailable
from app.gateway.routes_events import RETRY_AFTER_S
from app.gateway.sender import Position, Record, Sender
from app.gateway.shapes import EntryAnswer
from app.settings import Settings
from models.errors import InvalidEvent, ServiceError
from tables.catalogue import ENTRY_FIELDS, parse_entry
from tables.entry_fields import AGE, OBJECT, TEXT, TEXTS, TIME, TRUTH
from tables.profiles import PROFILE_FIELDS, parse_profile

_SCHEMAS: Final[Mapping[str, dict[str, Any]]] = {
    TEXT: {"type": ["string", "null"]},
    TEXTS: {"type": ["array", "null"], "items": {"type": "string"}},
    TRUTH: {"type": ["boolean", "null"]},
    TIME: {"type": ["integer", "null"], "minimum": -(2**63), "maximum": 2**64 - 1, "description": "Unix ms UTC"},
    AGE: {"type": ["integer", "null"], "minimum": 0, "maximum": 150},
    OBJECT: {"type": ["object", "null"]},
}
LAMP: Final = {"title": "Desk lamp", "categories": ["light"], "attributes": {"price": 59.9}}
PROFILE: Final = {"age": 31, "preferences": {"genres": ["drama"]}}


def entries_router(settings: Settings, sender: Sender) -> APIRouter:
    """Routes for entries of `items` and `users`."""
    router = APIRouter(route_class=needs("admin"))
    names = settings.names
    _add(router, settings, sender, "items", "item_id", names.catalogue, ENTRY_FIELDS, parse_entry, LAMP)
    _add(router, settings, sender, "users", "user_id", names.profiles, PROFILE_FIELDS, parse_profile, PROFILE)
    return router


def _add(
    router: APIRouter,
    settings: Settings,
    sender: Sender,
    kind: str,
    id_name: str,
    topic: str,
    fields: Mapping[str, str],
    parse: Callable[[bytes], object],
    example: object,
) -> None:
    """The two routes of one kind of entries."""
    one, path = kind.removesuffix("s"), f"/v1/{kind}/{{entry_id:path}}"
    schema = {"type": "object", "properties": {name: _SCHEMAS[each] for name, each in fields.items()}}
    accepted: dict[int | str, dict[str, Any]] = {
        202: answers(EntryAnswer, "Kafka has it.", {"id": "x-1", "position": "0:17"})
    }

    async def send(entry_id: str, value: bytes | None) -> Response:
        try:
            (outcome,) = await sender.send(topic, [Record(entry_id.encode(), value)], settings.gateway_timeout_s)
        except ServiceError:
            raise unavailable("Kafka", RETRY_AFTER_S) from None
        if isinstance(outcome, Position):
            return as_json({"id": entry_id, "position": str(outcome)}, 202)
        if outcome is None:
            raise unavailable("Kafka", RETRY_AFTER_S)
        raise Problem(422, outcome.reason, outcome.message)

    @router.put(
        path,
        status_code=202,
        name=f"put_{one}",
        summary=f"Write the entry of one of the {kind}",
        response_model=None,
        responses={**accepted, **problems(400, 408, 413, 415)},
        openapi_extra=takes(schema, one=example),
    )
    async def put_entry(request: Request, entry_id: str) -> Response:
        """Replace the entry, whole; fields that are not sent are gone."""
        entry_id = path_id(request, id_name, entry_id)
        body = await json_body(request)
        try:
            parse(body)
        except InvalidEvent as invalid:
            raise Problem(400 if invalid.reason == "not_json" else 422, invalid.reason, invalid.message) from None
        return await send(entry_id, body)

    @router.delete(
        path,
        status_code=202,
        name=f"delete_{one}",
        summary=f"Delete the entry of one of the {kind}",
        response_model=None,
        responses={**accepted, **problems()},
    )
    async def delete_entry(request: Request, entry_id: str) -> Response:
        """Delete the entry; that there was none is no error."""
        return await send(path_id(request, id_name, entry_id), None)
