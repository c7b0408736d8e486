"""What stands around every route: keys, scopes, limits, request ids, the log."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message

from app.gateway.access import BEGINNING, Keyring, digest, new_key
from app.gateway.body import Body
from app.gateway.limits import Buckets
from app.gateway.problems import Problem
from app.gateway.serve import check_address
from app.settings import Settings
from models.errors import SettingsError
from tests.gateway import gateway, list_bytes

LISTS = {"recs:default": list_bytes(None, 1, ["a"])}
URL = "/v1/users/u1/recommendations"
SLOW: dict[str, Any] = {"gateway_rate_per_s": 0.001, "gateway_burst": 2}
ELSEWHERE = ("203.0.113.7", 4000)


def bearer(key: str) -> dict[str, str]:
    """The header that holds a key."""
    return {"Authorization": f"Bearer {key}"}


def test_a_new_key_is_random_and_kept_as_its_hash() -> None:
    """Two are never alike; the entry lets the key in and does not hold it."""
    (key, entry), (other, _) = new_key("shop", ["read", "write"]), new_key("shop", ["read"])

    assert key != other and key.startswith(BEGINNING) and len(key) >= 43
    assert entry == f"shop:read+write:{digest(key)}" and key not in entry
    ring = Keyring([entry])
    caller = ring.caller(f"Bearer {key}")
    assert caller is not None and (caller.name, sorted(caller.scopes)) == ("shop", ["read", "write"])
    assert [ring.caller(text) for text in (f"Bearer {other}", f"Basic {key}", key, "Bearer", "Bearer \udcff")] == [
        None
    ] * 5


@pytest.mark.parametrize(("name", "scopes"), [("", ["read"]), ("a b", ["read"]), ("a:b", ["read"]), ("a", [])])
def test_a_key_that_cannot_be_is_not_made(name: str, scopes: list[str]) -> None:
    """A name that would break the entry, or no scope at all."""
    with pytest.raises(SettingsError, match="use 1 to 64 letters"):
        new_key(name, scopes)


@pytest.mark.parametrize("entries", [["x"], ["a:all:" + "0" * 64], ["a:read:" + "0" * 63], ["a:read:" + "0" * 64] * 2])
def test_an_entry_that_is_none_is_refused_without_being_shown(entries: list[str]) -> None:
    """It may be a key itself; two of one name could not be told apart in the log."""
    with pytest.raises(ValueError, match="gateway_keys"):
        Settings(gateway_keys=entries)


@pytest.mark.parametrize(
    ("method", "url", "scope"),
    [
        ("GET", URL, "read"),
        ("POST", "/v1/recommendations", "read"),
        ("GET", "/v1/users/u1/features", "read"),
        ("GET", "/v1/items/i1/similar", "read"),
        ("GET", "/v1/trending", "read"),
        ("POST", "/v1/events", "write"),
        ("PUT", "/v1/items/i1", "admin"),
        ("DELETE", "/v1/items/i1", "admin"),
        ("PUT", "/v1/users/u1", "admin"),
        ("DELETE", "/v1/users/u1", "admin"),
    ],
)
def test_each_route_takes_a_key_of_its_own_scope(method: str, url: str, scope: str) -> None:
    """401 without a key or with an unknown one, 403 with keys of the other scopes, else it is let in."""
    keys = {name: new_key(name, [name]) for name in ("read", "write", "admin")}
    with gateway(LISTS, client=ELSEWHERE, gateway_keys=[entry for _, entry in keys.values()]) as one:

        def status(**headers: str) -> int:
            return one.client.request(method, url, headers=headers).status_code

        none = one.client.request(method, url)
        found = {name: status(**bearer(key)) for name, (key, _) in keys.items()}
        unknown = status(**bearer("x"))

    assert (none.status_code, none.headers["www-authenticate"], unknown) == (401, 'Bearer realm="freshet"', 401)
    assert {name for name, each in found.items() if each == 403} == {"read", "write", "admin"} - {scope}
    assert found[scope] not in (401, 403)
    assert one.sent.records == [] or method == "DELETE"


@pytest.mark.parametrize("address", ["203.0.113.7", "::ffff:203.0.113.7", "", "127.0.0.1.evil"])
def test_without_keys_other_machines_are_refused(address: str) -> None:
    """Whatever the address that is listened at; probes are answered."""
    with gateway(LISTS, client=(address, 1)) as one:
        answer = one.client.get(URL)
        assert one.client.get("/healthz").status_code == 200

    assert (answer.status_code, answer.json()["code"]) == (403, "loopback_only")


def test_without_keys_a_foreign_name_of_this_machine_is_refused() -> None:
    """A page whose name its owner points to 127.0.0.1 reads nothing here."""
    with gateway(LISTS) as one:
        found = {
            host: one.client.get(URL, headers={"Host": host}).status_code
            for host in ("localhost:8400", "127.0.0.1", "[::1]:8400", "evil.example", "localhost.evil.example")
        }

    assert list(found.values()) == [200, 200, 200, 403, 403]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "shop.example"])
def test_without_keys_no_other_address_is_listened_at(host: str) -> None:
    """The message names the way to a key."""
    with pytest.raises(SettingsError, match="--new-key"):
        check_address(Settings(gateway_listen_host=host))
    check_address(Settings(gateway_listen_host=host, gateway_keys=[new_key("a", ["read"])[1]]))
    check_address(Settings(gateway_listen_host="127.0.0.1"))


def test_too_many_requests_of_one_caller_are_put_off() -> None:
    """429 with Retry-After beyond the burst; another key, and the probes, have theirs."""
    (a, of_a), (b, of_b) = new_key("a", ["read"]), new_key("b", ["read"])
    with gateway(LISTS, gateway_keys=[of_a, of_b], **SLOW) as one:
        found = [one.client.get(URL, headers=bearer(a)) for _ in range(4)]
        other = one.client.get(URL, headers=bearer(b))
        guesses = [one.client.get(URL, headers=bearer("guess")).status_code for _ in range(3)]
        assert one.client.get("/healthz").status_code == 200

    assert [answer.status_code for answer in found] == [200, 200, 429, 429]
    assert 0 < int(found[-1].headers["retry-after"]) <= 1000
    assert found[-1].json()["code"] == "rate_limited"
    assert other.status_code == 200
    assert guesses == [401, 401, 429]


def test_buckets_fill_with_time_and_are_bounded() -> None:
    """A token comes back after 1/rate s; a bucket holds no more than the burst; the oldest buckets go."""
    buckets = Buckets(10.0, 2, max_buckets=3)

    assert [buckets.take("a", 0.0) for _ in range(3)] == [0, 0, 1]
    assert [buckets.take("a", 0.11), buckets.take("a", 0.12)] == [0, 1]
    assert [buckets.take("a", 99.0) for _ in range(3)] == [0, 0, 1]
    for name in "bcd":
        buckets.take(name, 99.0)
    assert len(buckets) == 3
    assert Buckets(0.0, 1).take("a", 0.0) == Buckets(0.0, 1).take("a", 0.0) == 0


def test_more_requests_than_a_process_takes_are_put_off() -> None:
    """503 with Retry-After."""
    with gateway(LISTS, gateway_max_requests=1) as one:
        inner = one.client.get

        async def run_each(commands: Any) -> Any:
            answers.append(await asyncio.to_thread(inner, URL))
            return [None, LISTS["recs:default"]]

        answers: list[Any] = []
        one.redis.run_each = run_each  # type: ignore[method-assign]
        assert one.client.get(URL).status_code == 200

    assert (answers[0].status_code, answers[0].headers["retry-after"]) == (503, "1")


def test_request_ids_are_taken_or_made() -> None:
    """One that can stand in a log is kept, any other replaced."""
    with gateway() as one:
        given = [one.client.get("/healthz", headers={"X-Request-Id": text}) for text in ("a-1.b", "x" * 65, "a b")]

    ids = [answer.headers["x-request-id"] for answer in given]
    assert ids[0] == "a-1.b" and all(len(each) == 32 for each in ids[1:])


def test_the_log_holds_nothing_personal() -> None:
    """The template of the route, the status, the name of the key: no id, no query, no address."""
    key, entry = new_key("shop", ["read"])
    with gateway(LISTS, gateway_keys=[entry]) as one:
        one.client.get("/v1/users/anna@example.com/recommendations?exclude=secret", headers=bearer(key))
        one.client.get("/v1/anna@example.com")
        one.client.get("/v1/users/anna%00/features", headers=bearer(key))

    assert [(each.method, each.route, each.status, each.key) for each in one.log] == [
        ("GET", "/v1/users/{user_id}/recommendations", 200, "shop"),
        ("GET", "-", 404, None),
        ("GET", "/v1/users/{user_id}/features", 422, "shop"),
    ]
    assert "anna" not in repr(one.log)


def test_pages_of_other_origins_are_let_in_by_setting_alone() -> None:
    """No CORS header unless the origin is named."""
    origin = {"Origin": "https://shop.example", "Access-Control-Request-Method": "GET"}
    with gateway(LISTS) as one:
        assert "access-control-allow-origin" not in one.client.get(URL, headers=origin).headers
        assert one.client.options(URL, headers=origin).status_code == 405
    with gateway(LISTS, gateway_cors_origins=["https://shop.example"]) as one:
        assert one.client.options(URL, headers=origin).headers["access-control-allow-origin"] == origin["Origin"]
        other = one.client.get(URL, headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


def test_a_body_that_is_too_long_is_refused() -> None:
    """By what it says, and by what it is when it says nothing."""
    json = {"Content-Type": "application/json"}
    with gateway(gateway_max_body_bytes=1000) as one:
        said = one.client.post("/v1/events", content=b" " * 1001, headers=json)
        streamed = one.client.post("/v1/events", content=iter([b" " * 600] * 2), headers=json)

    assert [said.status_code, streamed.status_code] == [413, 413]
    assert said.json()["code"] == streamed.json()["code"] == "too_large"


def test_a_body_that_does_not_come_is_given_up() -> None:
    """408; but what comes behind a whole body, that the client leaves, may take as long as it likes."""
    left = asyncio.Event()
    coming: list[Message] = [{"type": "http.request", "body": b"x"}]

    async def receive() -> Message:
        if not coming:
            await left.wait()
            return {"type": "http.disconnect"}
        return coming.pop()

    async def run() -> None:
        body = Body(receive, 10, 0.01)
        assert (await body.receive())["body"] == b"x"
        waiting = asyncio.create_task(body.receive())
        with pytest.raises(Problem) as problem:
            await Body(receive, 10, 0.02).receive()
        assert problem.value.status == 408
        left.set()
        assert (await waiting)["type"] == "http.disconnect"

    asyncio.run(run())
