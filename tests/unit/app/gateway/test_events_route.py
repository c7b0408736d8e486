"""POST /v1/events: what is accepted, rejected, and said to be neither."""

import time
from typing import Any

import orjson
import pytest

from app.gateway.events import events_of, made_ids
from app.gateway.problems import Problem
from models.events import REASONS, EventRules, decode
from tests.gateway import Gateway, gateway

URL = "/v1/events"
JSON = {"Content-Type": "application/json"}


def view(**changes: Any) -> dict[str, Any]:
    """A valid event of now."""
    now_ms = int(time.time() * 1000)
    return {"user_id": "u1", "item_id": "i1", "event_type": "view", "timestamp": now_ms, **changes}


def values(one: Gateway) -> list[dict[str, Any]]:
    """What was sent to Kafka."""
    return [orjson.loads(record.value or b"") for _, record in one.sent.records]


@pytest.mark.parametrize("wrap", [lambda each: each, lambda each: [each], lambda each: {"events": [each]}])
def test_each_form_of_a_body_is_taken(wrap: Any) -> None:
    """One event, an array and an object with `events` are the same; the record's key is the user."""
    sent = view(context={"device": "phone"}, more="free")
    with gateway() as one:
        answer = one.client.post(URL, json=wrap(sent))

    assert (answer.status_code, answer.json()) == (
        202,
        {"accepted": 1, "rejected": 0, "events": [{"status": "accepted", "position": "0:0"}]},
    )
    assert values(one) == [sent]
    assert [(topic, record.key) for topic, record in one.sent.records] == [("user_events", b"u1")]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (7, "not_object"),
        ({}, "missing_field"),
        (view(user_id=1.5), "bad_type"),
        (view(user_id=""), "out_of_range"),
        (view(item_id="a{b}"), "out_of_range"),
        (view(event_type="share"), "unknown_event_type"),
        (view(timestamp=1_700_000_000), "out_of_range"),
        (view(timestamp=9_000_000_000_000), "future_timestamp"),
        (view(context={"x" * 70_000: 1}), "too_large"),
        (view(event_type="rating"), "missing_field"),
    ],
)
def test_a_bad_event_is_answered_with_the_reason_of_its_dead_letter(bad: Any, reason: str) -> None:
    """Beside a good one: 207, in the order of the request; alone: 422. Nothing bad reaches Kafka."""
    with gateway() as one:
        both = one.client.post(URL, json=[bad, view()])
        alone = one.client.post(URL, json=[bad])

    assert both.status_code == 207
    first, second = both.json()["events"]
    assert (first["status"], first["reason"], second["status"]) == ("rejected", reason, "accepted")
    assert reason in REASONS and first["message"]
    assert (alone.status_code, alone.json()["code"]) == (422, "rejected")
    assert [row["reason"] for row in alone.json()["events"]] == [reason]
    assert len(one.sent.records) == 1


def test_what_is_accepted_is_what_a_worker_takes() -> None:
    """Integer ids go on as they are, under the key that a worker wants."""
    with gateway() as one:
        assert one.client.post(URL, json=view(user_id=77, value=3, event_id=None)).status_code == 202

    ((_, record),) = one.sent.records
    event = decode(record.key, record.value, int(time.time() * 1000), EventRules())
    assert (event.user_id, event.value, event.event_id) == ("77", 3.0, None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"user_id": NaN}',
        b'[{"value": 1e400}]',
        b'{"user_id": "\\ud800"}',
        b'{"user_id": "\xff"}',
        b"[" * 2000,
    ],
)
def test_a_body_that_is_no_json_is_a_problem(body: bytes) -> None:
    """Also NaN, numbers beyond a double, lone surrogates, bytes that are no UTF-8, endless nesting: 400, no event."""
    with gateway() as one:
        answer = one.client.post(URL, content=body, headers=JSON)

    assert (answer.status_code, answer.json()["code"]) == (400, "not_json")
    assert answer.headers["content-type"] == "application/problem+json"
    assert one.sent.records == []


def test_an_event_that_is_too_deep_is_rejected() -> None:
    """What can be read and not be written again is one rejected event."""
    deep = b"[" * 500 + b"]" * 500
    body = orjson.dumps(view())[:-1] + b',"more":' + deep + b"}"
    with gateway() as one:
        answer = one.client.post(URL, content=body, headers=JSON)

    assert (answer.status_code, answer.json()["events"][0]["reason"]) == (422, "bad_type")


@pytest.mark.parametrize("body", [[], "x", {"events": 1}, [view()] * 4])
def test_a_body_without_events_or_with_too_many(body: Any) -> None:
    """None, something else, or more than the setting says: 422, and nothing is sent."""
    with gateway(gateway_max_events=3) as one:
        answer = one.client.post(URL, json=body)

    assert answer.status_code == 422
    assert one.sent.records == []


def test_only_json_is_taken() -> None:
    """A form or plain text, which a page of another origin may send unasked, is refused."""
    with gateway() as one:
        answer = one.client.post(URL, content=orjson.dumps(view()), headers={"Content-Type": "text/plain"})

    assert (answer.status_code, one.sent.records) == (415, [])


def test_idempotency_key_makes_the_same_ids_again() -> None:
    """By key and place; an event's own id stays; another key, and another caller, make others."""
    with gateway() as one:
        for key in ("a", "a", "b"):
            body = [view(), view(event_id="own"), view(event_id=None)]
            answer = one.client.post(URL, json=body, headers={"Idempotency-Key": key})
            assert answer.status_code == 202

    ids = [value["event_id"] for value in values(one)]
    assert ids[0:3] == ids[3:6]
    assert ids[1] == "own" and len({ids[0], ids[2], ids[6], ids[8]}) == 4
    assert all(len(each) <= 64 for each in ids)
    assert [row["event_id"] for row in answer.json()["events"]] == ids[6:]
    assert made_ids("a", "shop", 2) != made_ids("a", "blog", 2)


@pytest.mark.parametrize("key", ["", "x" * 256, "a\x7fb"])
def test_an_idempotency_key_that_cannot_be_used(key: str) -> None:
    """Empty, too long, or not printable: 422, and nothing is sent."""
    with pytest.raises(Problem, match="printable ASCII"):
        made_ids(key, None, 1)


def test_kafka_away_is_503_with_what_is_known() -> None:
    """No producer: nothing was sent. No acknowledgement: the others are told; Retry-After says when to come again."""
    with gateway() as one:
        one.sent.silent_from = 1
        some = one.client.post(URL, json=[view(), {}, view()])
        one.sent.down = "Kafka at secret:9092 cannot be reached"
        none = one.client.post(URL, json=[view(), {}])

    assert (some.status_code, some.headers["retry-after"]) == (503, "2")
    assert [row["status"] for row in some.json()["events"]] == ["accepted", "rejected", "unacknowledged"]
    assert (none.status_code, none.json()["code"]) == (503, "kafka_unavailable")
    assert [row["status"] for row in none.json()["events"]] == ["unacknowledged", "rejected"]
    assert "secret" not in none.text


def test_events_of_an_object_named_events_alone() -> None:
    """An object with `events` is never an event itself."""
    assert events_of(b'{"events": [1], "user_id": "u"}', 5) == [1]
