"""Entries, features, similar items, trends, health, and the OpenAPI document."""

import sys
from typing import Any

import orjson
import pytest

from app import gateway_settings
from app.commands import gateway as gateway_command
from app.gateway.access import digest
from tests.command import freshet
from tests.gateway import gateway

STORED: dict[str, Any] = {
    "recs:default": b"{}",
    "user_features:u/1": {"n_events": b"3", "view_1h": b"2", "recent_items": b'["a","b"]', "updated_at_ms": b"9"},
    "item_similarity:a": [("b", 0.5), ("c", 0.5), ("d", 0.75)],
    "item_features:a": {"n_events": b"1"},
    "item_features:d": {"title": b"<script>alert(1)</script>"},
    "item_features:lonely": {"n_events": b"1"},
    "trending:1h": [("a", 2.0), ("d", 3.0)],
    "trending:7d:x/y": [("c", 1.0)],
}


@pytest.mark.parametrize(("kind", "entry"), [("items", {"title": "Lamp", "hidden": False}), ("users", {"age": 31})])
def test_entries_go_to_their_topics(kind: str, entry: dict[str, Any]) -> None:
    """As they came, under their id; deleted by a record without a value."""
    with gateway() as one:
        put = one.client.put(f"/v1/{kind}/a/b", json=entry)
        gone = one.client.delete(f"/v1/{kind}/a/b")

    assert (put.status_code, put.json()) == (202, {"id": "a/b", "position": "0:0"})
    assert (gone.status_code, gone.json()) == (202, {"id": "a/b", "position": "0:1"})
    assert [(topic, record.key, record.value and orjson.loads(record.value)) for topic, record in one.sent.records] == [
        (kind, b"a/b", entry),
        (kind, b"a/b", None),
    ]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("items/i", b'{"title": 1}', 422, "bad_type"),
        ("items/i", b"[]", 422, "not_object"),
        ("items/i", b'{"available_from": 1700000000}', 422, "out_of_range"),
        ("items/i", b'{"title": "\\ud800"}', 400, "not_json"),
        ("items/i", b'{"attributes": {"price": NaN}}', 400, "not_json"),
        ("items/%7B", b"{}", 422, "bad_value"),
        ("users/u", b'{"age": 151}', 422, "out_of_range"),
        ("users/u", b'{"title": "%s"}' % (b"x" * 1_000_000), 422, "too_large"),
    ],
)
def test_an_entry_that_a_worker_would_leave_out_is_refused(path: str, body: bytes, status: int, code: str) -> None:
    """By the parser that reads the topic; nothing is sent."""
    with gateway() as one:
        answer = one.client.put(f"/v1/{path}", content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["code"], one.sent.records) == (status, code, [])


def test_entries_wait_for_kafka() -> None:
    """Not acknowledged, or not sent: 503."""
    with gateway() as one:
        one.sent.silent_from = 0
        assert one.client.put("/v1/items/i", json={}).status_code == 503
        one.sent.down = "away"
        assert one.client.delete("/v1/items/i").headers["retry-after"] == "2"


def test_features_are_numbers() -> None:
    """As they are stored, each of its type; a user never seen is not found."""
    with gateway(STORED) as one:
        found, unknown = one.client.get("/v1/users/u/1/features"), one.client.get("/v1/users/u2/features")

    features = {"n_events": 3, "view_1h": 2, "recent_items": ["a", "b"], "updated_at_ms": 9}
    assert found.json() == {"user_id": "u/1", "features": features}
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_user")


def test_similar_items_by_score_then_id() -> None:
    """With titles where asked; known but alone: none; unknown: not found."""
    with gateway(STORED) as one:
        found = one.client.get("/v1/items/a/similar?limit=2&titles=true")
        alone, unknown = one.client.get("/v1/items/lonely/similar"), one.client.get("/v1/items/zz/similar")

    assert found.json()["items"] == [
        {"id": "d", "score": 0.75, "title": "<script>alert(1)</script>"},
        {"id": "b", "score": 0.5},
    ]
    assert found.headers["content-type"] == "application/json" and found.headers["x-content-type-options"] == "nosniff"
    assert (alone.status_code, alone.json()) == (200, {"items": []})
    assert unknown.status_code == 404


def test_trends_of_a_window_and_a_category() -> None:
    """Of the last hour unless said; a window that is not published is refused."""
    with gateway(STORED) as one:
        assert [item["id"] for item in one.client.get("/v1/trending").json()["items"]] == ["d", "a"]
        params = {"window": "7d", "category": "x/y"}
        assert one.client.get("/v1/trending", params=params).json() == {"items": [{"id": "c", "score": 1.0}]}
        assert one.client.get("/v1/trending?window=1d").json() == {"items": []}
        assert one.client.get("/v1/trending?window=2h").status_code == 422


def test_ready_when_kafka_and_redis_are() -> None:
    """503 as long as one is away; healthy all the same."""
    with gateway(STORED) as one:
        assert one.client.get("/readyz").status_code == 200
        one.sent.down = "away"
        assert one.client.get("/readyz").json() == {"status": "unavailable", "kafka": "unavailable", "redis": "ok"}
        one.sent.down, one.redis.down = None, True
        assert one.client.get("/readyz").json() == {"status": "unavailable", "kafka": "ok", "redis": "unavailable"}
        assert one.client.get("/readyz").status_code == 503
        assert one.client.get("/healthz").status_code == 200


def test_every_route_is_documented() -> None:
    """Each operation with an example of its answer, its problems, and its key; no page loads scripts from elsewhere."""
    entry = "shop:read:" + "0" * 64
    with gateway(gateway_keys=[entry]) as one:
        document = one.client.get("/openapi.json").json()
        assert [one.client.get(path).status_code for path in ("/docs", "/redoc")] == [404, 404]

    operations = {(path, verb): each for path, verbs in document["paths"].items() for verb, each in verbs.items()}
    assert len(operations) == 12
    for (path, _), operation in operations.items():
        good = next(each for code, each in operation["responses"].items() if code.startswith("2"))
        assert "example" in good["content"]["application/json"]
        assert operation["description"] and operation["security"] == ([{"key": []}] if path[:4] == "/v1/" else [])
        if path.startswith("/v1/"):
            assert {"401", "403", "422", "429", "503"} <= set(operation["responses"])
    assert "ProblemDetails" in document["components"]["schemas"]


def test_a_wrong_method_names_the_right_ones() -> None:
    """All that the path takes, whichever route has them."""
    with gateway() as one:
        found = {path: one.client.patch(path) for path in ("/v1/items/a", "/v1/events", "/healthz")}

    assert {path: (answer.status_code, answer.headers["allow"]) for path, answer in found.items()} == {
        "/v1/items/a": (405, "DELETE, PUT"), "/v1/events": (405, "POST"), "/healthz": (405, "GET"),
    }  # fmt: skip


@pytest.mark.parametrize("missing", ["fastapi", "uvicorn"])
def test_without_the_extra_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """A clear line and exit code 1; keys can be made all the same."""
    for name in [name for name in sys.modules if name.startswith("app.gateway.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)

    refused, made = freshet("gateway"), freshet("gateway", "--new-key", "shop", "--scope", "write", "--json")

    assert refused.code == 1 and "pip install 'freshet[web]'" in refused.err
    key, entry = orjson.loads(made.out).values()
    assert entry == f"shop:write:{digest(key)}"


def test_the_command_knows_all_scopes() -> None:
    """It has them by itself, so that `--help` need not import the settings."""
    assert gateway_command.SCOPES == gateway_settings.SCOPES


def test_addresses_that_everybody_reaches_take_a_key() -> None:
    """Exit code 2, before anything is listened at."""
    refused = freshet("gateway", "--host", "0.0.0.0")

    assert refused.code == 2 and "FRESHET_GATEWAY_KEYS is empty" in refused.err
