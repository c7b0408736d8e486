"""What a request for the lists of many users asks for."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from app.gateway.documented import ANY_ID
from app.gateway.problems import bad_value, parsed
from models.errors import InvalidEvent
from models.events import checked_id, shown

MAX_USERS: Final = 500
MAX_LIMIT: Final = 1000

MANY: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["user_ids"],
    "additionalProperties": False,
    "properties": {
        "user_ids": {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_USERS,
            "items": ANY_ID,
        },
        "limit": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
        "exclude": {"type": "array", "items": {"type": "string"}},
        "segment": {"type": "string", "maxLength": 256},
        "titles": {"type": "boolean"},
        "categories": {"type": "boolean"},
    },
}


class Wanted(NamedTuple):
    """Whose lists, how long, and what of."""

    user_ids: list[str]
    limit: int | None
    exclude: frozenset[str]
    segment: str | None
    titles: bool
    categories: bool


def wanted_of(body: bytes) -> Wanted:
    """What a body asks for; every value has to be of its own type.

    Raises
    ------
    Problem
        If it cannot be read.
    """
    fields = parsed(body)
    if not isinstance(fields, dict):
        raise bad_value("body", 'send an object, e.g. {"user_ids": ["u42"]}.')
    if unknown := sorted(set(fields) - set(MANY["properties"])):
        raise bad_value("body", f"{shown(unknown[0])} is unknown. Known are {', '.join(MANY['properties'])}.")
    user_ids = fields.get("user_ids")
    if not isinstance(user_ids, list) or not 1 <= len(user_ids) <= MAX_USERS:
        raise bad_value("body user_ids", f"send an array of 1 to {MAX_USERS} ids.")
    try:
        checked = [checked_id("user_id", user_id) for user_id in user_ids]
    except InvalidEvent as invalid:
        raise bad_value("body user_ids", invalid.message) from None
    limit = fields.get("limit")
    if isinstance(limit, float) and limit.is_integer():  # 10.0 is an integer of JSON Schema
        limit = int(limit)
    if "limit" in fields and (type(limit) is not int or not 1 <= limit <= MAX_LIMIT):
        raise bad_value("body limit", f"send an integer, 1 to {MAX_LIMIT}.")
    exclude = fields.get("exclude", [])
    if not isinstance(exclude, list) or not all(isinstance(each, str) for each in exclude):
        raise bad_value("body exclude", "send an array of strings.")
    segment = fields.get("segment")
    if "segment" in fields and not (isinstance(segment, str) and len(segment) <= 256):
        raise bad_value("body segment", "send a string of at most 256 characters.")
    return Wanted(checked, limit, frozenset(exclude), segment, _truth(fields, "titles"), _truth(fields, "categories"))


def _truth(fields: Mapping[str, Any], name: str) -> bool:
    found = fields.get(name, False)
    if not isinstance(found, bool):
        raise bad_value(f"body {name}", "send true or false.")
    return found
