"""`POST /v1/events`."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.gateway.around import caller_of
from app.gateway.documented import VIEWED, answers, event_schema, problems, takes
from app.gateway.events import MAX_IDEMPOTENCY_CHARS, events_of, made_ids, record_of, status_of, told
from app.gateway.guard import json_body, needs
from app.gateway.problems import Problem, as_json, unavailable
from app.gateway.query import header
from app.gateway.sender import Outcome, Position, Record, Sender
from app.gateway.shapes import EventsAnswer
from app.settings import Settings
from models.errors import InvalidEvent, ServiceError
from models.events import EventRules

RETRY_AFTER_S = 2
KEY: Final = header(
    "Idempotency-Key", "makes event ids", minLength=1, maxLength=MAX_IDEMPOTENCY_CHARS, pattern=r"^[ -~]+$"
)
ACCEPTED = {"accepted": 1, "rejected": 0, "events": [{"status": "accepted", "position": "3:1207"}]}


def untold(outcomes: Sequence[Outcome]) -> None:
    """Tell nobody what became of events."""


def events_router(
    settings: Settings,
    sender: Sender,
    rules: EventRules,
    now_ms: Callable[[], int] = lambda: int(time.time() * 1000),
    tell: Callable[[Sequence[Outcome]], None] = untold,
) -> APIRouter:
    """Routes for events; `tell` is told what became of those of each request."""
    router = APIRouter(route_class=needs("write"))
    event = event_schema(rules.types)
    many = {"type": "array", "items": event, "minItems": 1, "maxItems": settings.gateway_max_events}
    body = {"anyOf": [event, many, {"type": "object", "required": ["events"], "properties": {"events": many}}]}

    @router.post(
        "/v1/events",
        status_code=202,
        response_model=None,
        responses={
            202: answers(EventsAnswer, "Kafka has every event.", ACCEPTED),
            207: answers(EventsAnswer, "Kafka has some; the others are rejected, each with its reason.", ACCEPTED),
            **problems(400, 408, 413, 415),
        },
        openapi_extra=takes(body, KEY, one=VIEWED, several=[VIEWED], wrapped={"events": [VIEWED]}),
    )
    async def post_events(request: Request) -> Response:
        """Send one event, an array of events, or an object with `events`.

        Each is held against the rules of `user_events`. It is `accepted` when all replicas of Kafka have it;
        `rejected` with a reason that is a dead letter's; `unacknowledged` (only with 503) when Kafka has not said in
        time that it has it. 422 and 503 list the events too.

        `Idempotency-Key` gives events without `event_id` one that is made of the key and their place: the same
        request, sent again, is folded once. A worker knows the 32 newest event ids of each user.
        """
        found = events_of(await json_body(request), settings.gateway_max_events)
        caller = caller_of(request.state)
        ids = made_ids(request.headers.get("idempotency-key"), caller.name if caller else None, len(found))
        outcomes: list[Outcome] = [None] * len(found)
        event_ids: list[str | None] = [None] * len(found)
        records: list[tuple[int, Record]] = []
        now = now_ms()
        for place, (fields, made_id) in enumerate(zip(found, ids, strict=True)):
            try:
                record, event_ids[place] = record_of(fields, made_id, now, rules)
            except InvalidEvent as invalid:
                outcomes[place] = invalid
            else:
                records.append((place, record))
        if records:
            try:
                sent = await sender.send(
                    settings.names.events, [record for _, record in records], settings.gateway_timeout_s
                )
            except ServiceError:
                tell(outcomes)
                raise unavailable("Kafka", RETRY_AFTER_S, events=told(outcomes, event_ids)) from None
            for (place, _), outcome in zip(records, sent, strict=True):
                outcomes[place] = outcome
        tell(outcomes)
        return _answer(outcomes, told(outcomes, event_ids))

    return router


def _answer(outcomes: list[Outcome], rows: list[dict[str, Any]]) -> Response:
    status = status_of(outcomes)
    if status == 503:
        raise unavailable("Kafka", RETRY_AFTER_S, events=rows)
    if status == 422:
        first = next(row for row in rows if row["status"] == "rejected")
        raise Problem(422, "rejected", f"{first['reason']}: {first['message']}", events=rows)
    n = sum(isinstance(outcome, Position) for outcome in outcomes)
    return as_json({"accepted": n, "rejected": len(outcomes) - n, "events": rows}, status)
