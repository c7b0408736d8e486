"""From a body to records of `user_events`, each held against the rules of the workers."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import orjson

from app.gateway.problems import Problem, bad_value, parsed
from app.gateway.sender import Outcome, Position, Record
from models.errors import InvalidEvent
from models.events import EventRules, decode

EVENT_ID: Final = "event_id"
MAX_IDEMPOTENCY_CHARS: Final = 255


def events_of(body: bytes, max_events: int) -> list[Any]:
    """The events in a body, as they came: one, an array, or an object with `events`.

    Raises
    ------
    Problem
        If there are none, or too many.
    """
    found = parsed(body)
    if isinstance(found, dict):
        found = found.get("events", [found])
    if not isinstance(found, list):
        raise bad_value("body", 'send an event, an array of events, or {"events": [...]}.')
    if not found:
        raise bad_value("body", "there is no event in it. Send at least one.")
    if len(found) > max_events:
        why = f"{len(found)} events, and {max_events} (FRESHET_GATEWAY_MAX_EVENTS) are taken at a time. Send fewer."
        raise Problem(422, "too_many_events", why)
    return found


def made_ids(key: str | None, caller: str | None, n: int) -> list[str | None]:
    """An event id for each place of a request, the same whenever it is sent again; None without a key.

    Parameters
    ----------
    key
        The request's Idempotency-Key.
    caller
        The name of its API key: what two of them call alike is not the same.

    Raises
    ------
    Problem
        If the key cannot be used.
    """
    if key is None:
        return [None] * n
    if not (0 < len(key) <= MAX_IDEMPOTENCY_CHARS and key.isascii() and key.isprintable()):
        raise bad_value("header Idempotency-Key", f"send 1 to {MAX_IDEMPOTENCY_CHARS} printable ASCII characters.")
    beginning = hashlib.sha256(orjson.dumps([caller, key])).hexdigest()[:32]
    return [f"{beginning}-{place}" for place in range(n)]


def record_of(fields: Any, event_id: str | None, now_ms: int, rules: EventRules) -> tuple[Record, str | None]:
    """The record of an event, and its event id.

    Parameters
    ----------
    event_id
        For an event without one.

    Raises
    ------
    InvalidEvent
        If a worker would make it a dead letter.
    """
    if isinstance(fields, dict) and fields.get(EVENT_ID) is None and event_id is not None:
        fields = {**fields, EVENT_ID: event_id}
    try:
        value = orjson.dumps(fields)
    except TypeError as error:  # deeper than can be written
        raise InvalidEvent("bad_type", f"the event cannot be written as JSON: {error}. Send a flat object.") from None
    user_id = fields.get("user_id") if isinstance(fields, dict) else None
    key = str(user_id).encode() if type(user_id) in (str, int) else None
    event = decode(key, value, now_ms, rules)
    return Record(event.user_id.encode(), value), event.event_id


def told(outcomes: Sequence[Outcome], event_ids: Sequence[str | None]) -> list[dict[str, Any]]:
    """What the answer says of each event."""
    rows: list[dict[str, Any]] = []
    for outcome, event_id in zip(outcomes, event_ids, strict=True):
        if isinstance(outcome, Position):
            row: dict[str, Any] = {"status": "accepted", "position": str(outcome)}
            if event_id is not None:
                row[EVENT_ID] = event_id
        elif outcome is None:
            row = {"status": "unacknowledged"}
        else:
            row = {"status": "rejected", "reason": outcome.reason, "message": outcome.message}
        rows.append(row)
    return rows


def status_of(outcomes: Sequence[Outcome]) -> int:
    """202: Kafka has all; 207: some, and will never take others; 422: none; 503: it did not answer for some."""
    if any(outcome is None for outcome in outcomes):
        return 503
    n = sum(isinstance(outcome, Position) for outcome in outcomes)
    return 202 if n == len(outcomes) else 207 if n else 422
