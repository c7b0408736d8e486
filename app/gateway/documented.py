"""The OpenAPI document: problems, keys and bodies, said once for all routes."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from app.gateway.problems import JSON, PROBLEM_JSON
from app.gateway.query import Parameter
from app.gateway.shapes import ProblemDetails
from models.events import MAX_EVENT_ID_BYTES, MAX_ID_BYTES, MAX_TIMESTAMP_MS, MIN_TIMESTAMP_MS

PROBLEMS: Final = {
    400: "The body is not JSON, or the request not HTTP.",
    401: "There is no API key, or an unknown one.",
    403: "The key lacks the scope.",
    404: "There is nothing of that name.",
    405: "The path takes other methods.",
    408: "The body was too slow.",
    409: "`after` is the position of an event in another partition than this user's.",
    413: "The body is too long.",
    415: "The body is not said to be application/json.",
    422: "A part of the request has a value that it may not have.",
    429: "Too many requests; Retry-After says when.",
    503: "Kafka or Redis does not answer; Retry-After says when to try again.",
}
ID: Final[dict[str, Any]] = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_ID_BYTES,
    "pattern": r"^[^\u0000-\u001f\u007f-\u009f{}]+$",
    "description": f"at most {MAX_ID_BYTES} bytes of UTF-8",
}

VIEWED: Final = {"user_id": "u42", "item_id": "sku-1", "event_type": "view", "timestamp": 1_700_000_000_000}


ANY_ID: Final = {"anyOf": [ID, {"type": "integer", "minimum": -(2**63), "maximum": 2**64 - 1}]}


def event_schema(types: Iterable[str]) -> dict[str, Any]:
    """The schema of an event of one of some types."""
    optional_id = {"type": ["string", "integer", "null"], "minLength": 1, "maxLength": MAX_EVENT_ID_BYTES}
    return {
        "type": "object",
        "required": ["user_id", "item_id", "event_type", "timestamp"],
        "properties": {
            "user_id": ANY_ID,
            "item_id": ANY_ID,
            "event_type": {"type": "string", "enum": list(types)},
            "timestamp": {"type": "integer", "minimum": MIN_TIMESTAMP_MS, "maximum": MAX_TIMESTAMP_MS},
            "event_id": optional_id,
            "value": {"type": ["number", "null"], "description": "needed for a rating"},
            "context": {"type": ["object", "null"], "description": "flat"},
        },
    }


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Responses of a route for the problems that it has, and for those that every route has."""
    schema = {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}
    all_of_them = sorted({401, 403, 422, 429, 503, *statuses})
    return {each: {"description": PROBLEMS[each], "content": {PROBLEM_JSON: schema}} for each in all_of_them}


def answers(model: type[BaseModel], description: str, example: object) -> dict[str, Any]:
    """A response with JSON in it."""
    return {"model": model, "description": description, "content": {JSON: {"example": example}}}


def takes(schema: Mapping[str, Any], *parameters: Parameter, **examples: object) -> dict[str, Any]:
    """What a route adds to the document whose body is read by our own parsers."""
    named = {name: {"value": value} for name, value in examples.items()}
    body = {"required": True, "content": {JSON: {"schema": dict(schema), "examples": named}}}
    return {"requestBody": body, **asks(*parameters)}


def asks(*parameters: Parameter) -> dict[str, Any]:
    """What a route adds to the document whose query is read by our own parsers."""
    return {"parameters": [each.documented for each in parameters]}


def document(app: FastAPI, *, with_keys: bool) -> dict[str, Any]:
    """The OpenAPI document of the gateway."""
    made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    components = made.setdefault("components", {})
    components.setdefault("schemas", {})["ProblemDetails"] = ProblemDetails.model_json_schema()
    for operation in (each for verbs in made["paths"].values() for each in verbs.values()):
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path":
                parameter["schema"] = ID
    if with_keys:
        components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        for path, operations in made["paths"].items():
            for operation in operations.values():
                operation["security"] = [{"key": []}] if path.startswith("/v1/") else []
    return made


def allowed(made: dict[str, Any], path: str) -> list[str]:
    """The methods that a path takes, by the document."""
    fits = [verbs for template, verbs in made["paths"].items() if _form(template).fullmatch(path)]
    return sorted({verb.upper() for verbs in fits for verb in verbs})


@cache
def _form(template: str) -> re.Pattern[str]:
    """What paths of a template look like; an id may hold slashes."""
    return re.compile(re.sub(r"\\{\w+\\}", ".+", re.escape(template)), re.DOTALL)
