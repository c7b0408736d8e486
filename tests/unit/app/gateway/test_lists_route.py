"""Recommendation lists: the ladder, what is left out and added, entity tags, tokens, many at once."""

import asyncio
from typing import Any

import pytest

from app.client import requests
from app.gateway.sender import Position
from app.gateway.token import parse_token, wait_for_list
from app.gateway.view import View, matches
from models.errors import ServiceError
from tables.keys import Keys
from tests.gateway import StoredKeys, gateway, list_bytes

OWN = {"recs:user:u1": list_bytes("u1", 7, ["a", "b", "c"])}
EVERY = {
    **OWN,
    "recs:segment:s": list_bytes(None, 5, ["s1"]),
    "recs:default": list_bytes(None, 9, ["d1", "d2"]),
    "item_features:a": {"title": b"The A", "categories": b'["x","y"]'},
    "item_features:d1": {"title": b"<script>"},
}


def path(user_id: str) -> str:
    """Where a user's list is."""
    return f"/v1/users/{user_id}/recommendations"


@pytest.mark.parametrize(
    ("url", "rung", "ids"),
    [
        (path("u1"), "user", ["a", "b", "c"]),
        (f"{path('u1')}?segment=s", "user", ["a", "b", "c"]),
        (f"{path('u2')}?segment=s", "segment", ["s1"]),
        (f"{path('u2')}?segment=t", "default", ["d1", "d2"]),
        (path("u2"), "default", ["d1", "d2"]),
        (f"{path('u1')}?limit=1", "user", ["a"]),
        (f"{path('u1')}?limit=1&exclude=a&exclude=c", "user", ["b"]),
    ],
)
def test_the_first_list_that_there_is(url: str, rung: str, ids: list[str]) -> None:
    """The user's, the segment's if one is named, the default one; cut after what is left out."""
    with gateway(EVERY) as one:
        answer = one.client.get(url)

    assert answer.status_code == 200
    assert (answer.json()["rung"], [item["id"] for item in answer.json()["items"]]) == (rung, ids)
    assert answer.json()["age_ms"] > 0


def test_the_ladder_is_that_of_the_python_reader() -> None:
    """For every set of lists that are there, the gateway answers with the list that the reader takes."""
    rungs = [key for key in EVERY if key.startswith("recs:")]
    for there in range(2 ** len(rungs)):
        stored = {key: EVERY[key] for place, key in enumerate(rungs) if there >> place & 1}
        request = requests.recs(Keys(), "u1", "s")
        expected = request.answer([stored.get(command[1].decode()) for command in request.commands])  # type: ignore[union-attr]
        with gateway(stored) as one:
            answer = one.client.get(f"{path('u1')}?segment=s")
        if expected is None:
            assert (answer.status_code, answer.json()["code"]) == (404, "no_list")
        else:
            assert answer.json()["version"] == expected.version


def test_titles_and_categories_take_one_more_read() -> None:
    """Only what is asked for is read; items without stay as they are."""
    with gateway(EVERY) as one:
        plain = one.client.get(path("u1")).json()["items"]
        assert one.redis.n_pipelines == 1
        both = one.client.get(f"{path('u1')}?titles=true&categories=true").json()["items"]
        assert one.redis.n_pipelines == 3

    assert all("title" not in item and "categories" not in item for item in plain)
    assert both[0] == {**plain[0], "title": "The A", "categories": ["x", "y"]}
    assert both[1:] == plain[1:]


def test_entity_tag_holds_as_long_as_the_list() -> None:
    """304 without a body for the tag, weak or in a list of others; another list and another question have another."""
    with gateway(EVERY) as one:
        tag = one.client.get(path("u1")).headers["etag"]
        for sent in (tag, tag.removeprefix("W/"), f'"x", {tag}', "*"):
            answer = one.client.get(path("u1"), headers={"If-None-Match": sent})
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
        assert one.client.get(f"{path('u1')}?limit=1", headers={"If-None-Match": tag}).status_code == 200
        one.redis.stored["recs:user:u1"] = list_bytes("u1", 8, ["a", "b", "c"])
        assert one.client.get(path("u1"), headers={"If-None-Match": tag}).status_code == 200

    assert not matches(None, tag)


@pytest.mark.parametrize(("after", "reached"), [("0:6", True), ("0:7", True), ("0:8", False)])
def test_after_says_whether_the_list_is_made_from_the_event(after: str, reached: bool) -> None:
    """From that one or a later one; without `wait_ms` nobody waits, and no other user's list counts."""
    with gateway(EVERY) as one:
        answer = one.client.get(path("u1"), params={"after": after}).json()
        other = one.client.get(path("u2"), params={"after": "0:1"}).json()

    assert (answer["after"]["token"], answer["after"]["reached"]) == (after, reached)
    assert other["after"]["reached"] is False and other["rung"] == "default"


def test_a_wait_ends_with_the_list() -> None:
    """The list that comes while one waits is answered."""
    with gateway(EVERY) as one:

        def later(*command: Any) -> Any:
            if one.redis.n_pipelines == 3:
                one.redis.stored["recs:user:u1"] = list_bytes("u1", 8, ["z"])
            return reply(*command)

        reply, one.redis._reply = one.redis._reply, later  # type: ignore[method-assign,assignment]
        answer = one.client.get(path("u1"), params={"after": "0:8", "wait_ms": 60_000}).json()

    assert (answer["after"]["reached"], [item["id"] for item in answer["items"]]) == (True, ["z"])
    assert one.redis.n_pipelines == 4


def test_nobody_waits_for_a_client_that_has_left() -> None:
    """One look, and the wait of a minute is over."""
    redis = StoredKeys(EVERY)

    async def has_left() -> bool:
        return True

    waited = asyncio.run(wait_for_list(View(redis, Keys()), "u1", Position(0, 8), 60_000, has_left))

    assert (waited.reached, redis.n_pipelines) == (False, 1)


def test_a_token_of_another_partition_is_refused() -> None:
    """No list of this user will ever be made from it."""
    with gateway(EVERY) as one:
        answer = one.client.get(path("u1"), params={"after": "3:1", "wait_ms": 60_000})

    assert answer.status_code == 409 and "partition 3" in answer.json()["detail"]
    assert parse_token("12:0034") == (12, 34)


@pytest.mark.parametrize(
    "query", ["after=1", "after=-1:2", "after=1:2:3", "after=x:1", "limit=0", "limit=x", "titles=7"]
)
def test_a_parameter_that_cannot_be_is_a_problem(query: str) -> None:
    """422 that names it, and nothing is read."""
    with gateway(EVERY) as one:
        answer = one.client.get(f"{path('u1')}?{query}")

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert query.split("=")[0] in answer.json()["detail"]
    assert one.redis.n_pipelines == 0


@pytest.mark.parametrize("user_id", ["%00", "a%7Bb%7D", "x" * 257, "%FF", ""])
def test_an_id_that_no_event_can_have_is_refused(user_id: str) -> None:
    """Control characters, braces, too many bytes, none, no UTF-8."""
    with gateway(EVERY) as one:
        answer = one.client.get(path(user_id))

    assert (answer.status_code, answer.json()["code"]) == (422, "bad_value")


def test_many_users_in_one_pipeline() -> None:
    """In the order asked, repeats and all; the default list for those without; titles by one pipeline more."""
    with gateway(EVERY) as one:
        body = {"user_ids": ["u2", "u1", "u2", 7], "limit": 1, "exclude": ["b"], "titles": True}
        answer = one.client.post("/v1/recommendations", json=body)

    lists = answer.json()["lists"]
    assert [(each["user_id"], each["rung"]) for each in lists] == [
        ("u2", "default"), ("u1", "user"), ("u2", "default"), ("7", "default"),
    ]  # fmt: skip
    assert [item["title"] for each in lists for item in each["items"]] == ["<script>", "The A", "<script>", "<script>"]
    assert one.redis.n_pipelines == 2


def test_many_users_without_any_list() -> None:
    """Each says so, and no request fails for it."""
    with gateway(OWN) as one:
        lists = one.client.post("/v1/recommendations", json={"user_ids": ["u1", "u2"]}).json()["lists"]

    assert [each["rung"] for each in lists] == ["user", None]
    assert lists[1] == {"user_id": "u2", "rung": None, "items": [], "missing": "not_published"}


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"user_ids": []},
        {"user_ids": "u1"},
        {"user_ids": ["u"] * 501},
        {"user_ids": [""]},
        {"user_ids": [1.5]},
        {"user_ids": ["u"], "limit": True},
        {"user_ids": ["u"], "limit": "4"},
        {"user_ids": ["u"], "titles": 1},
        {"user_ids": ["u"], "exclude": [1]},
        {"user_ids": ["u"], "segment": None},
        {"user_ids": ["u"], "surprise": 1},
    ],
)
def test_a_question_for_many_that_cannot_be(body: Any) -> None:
    """Every value has to be of its own type; what is unknown is no slip that is passed over."""
    with gateway(EVERY) as one:
        answer = one.client.post("/v1/recommendations", json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "bad_value")
    assert one.redis.n_pipelines == 0


def test_redis_away_is_503() -> None:
    """With Retry-After, and without its address."""
    with gateway(EVERY) as one:
        one.redis.down = True
        answers = [one.client.get(path("u1")), one.client.post("/v1/recommendations", json={"user_ids": ["u"]})]

    for answer in answers:
        assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (
            503,
            "1",
            "redis_unavailable",
        )
        assert "secret" not in answer.text


def test_a_node_of_a_cluster_away_stops_its_own_users_alone() -> None:
    """As for the Python reader: what is away counts where no rung above has a list; others are answered."""
    away = ServiceError("node secret is away")
    with gateway({**EVERY, "recs:user:u2": away, "recs:segment:s": away, "item_features:a": away}) as one:
        found = [one.client.get(f"{path(user)}?segment=s&titles=true") for user in ("u1", "u2")]
        many = one.client.post("/v1/recommendations", json={"user_ids": ["u2", "u1"]}).json()["lists"]

    assert [answer.status_code for answer in found] == [200, 503]
    assert "title" not in found[0].json()["items"][0] and "secret" not in found[1].text
    assert many[0] == {"user_id": "u2", "rung": None, "items": [], "missing": "unavailable"}
    assert many[1]["rung"] == "user"


def test_a_list_of_a_later_release_is_an_error() -> None:
    """500 under a request id, and never half a list."""
    with gateway({"recs:user:u1": b'{"v":2}'}) as one:
        answer = one.client.get(path("u1"))

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
