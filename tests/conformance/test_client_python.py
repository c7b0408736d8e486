"""The Python client on a real Redis, alone and as a cluster: the cases that the product's own reader passes as well."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

import freshet_client
from app import client as product
from app.local.redis import RedisServer
from app.store.acl import reader_acl
from freshet_client import AsyncReader, Reader, ServiceError, SettingsError, StateError, UnknownVersion
from tables.keys import Keys
from tests.readers import CASES, DETAILS, name_of, plain, write
from tests.redis_cluster import LocalCluster

ERRORS: dict[str, type[Exception]] = {
    "unknown_version": UnknownVersion,
    "not_a_list": StateError,
    "bad_argument": SettingsError,
}
Ask = Callable[..., Any]


def blocking(url: str, namespace: str, method: str, arguments: dict[str, Any]) -> Any:
    """One call on a Reader of its own."""
    with Reader(url, namespace) as reader:
        return getattr(reader, method)(**arguments)


def awaited(url: str, namespace: str, method: str, arguments: dict[str, Any]) -> Any:
    """One call on an AsyncReader of its own."""

    async def ask() -> Any:
        async with AsyncReader(url, namespace) as reader:
            return await getattr(reader, method)(**arguments)

    return asyncio.run(ask())


def check(ask: Ask, url: str, case: dict[str, Any]) -> None:
    """Make a case's call and compare."""
    call = (url, case["namespace"], case["call"]["method"], case["call"]["arguments"])
    if "error" in case:
        expected_error = ERRORS[case["error"]]
        with pytest.raises(expected_error) as caught:
            ask(*call)
        assert caught.type is expected_error
        return
    found = ask(*call)
    if case["call"]["method"] == "details":
        found = {each: {"title": of.title, "categories": list(of.categories)} for each, of in found.items()}
    assert plain(found) == case["expected"]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """Three primaries."""
    cluster = LocalCluster(tmp_path_factory.mktemp("cluster"))
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def in_cluster(cluster: LocalCluster) -> Iterator[redis.RedisCluster]:
    """Another program's view of the cluster, which is whole and empty after each test."""
    node = cluster.nodes[0]
    with redis.RedisCluster(host="127.0.0.1", port=node.port, protocol=2) as client:
        yield client
        cluster.mend()
        for key in cluster.keys("*"):
            client.delete(key)


@pytest.mark.parametrize("ask", [blocking, awaited])
@pytest.mark.parametrize("case", [*CASES, *DETAILS], ids=name_of)
def test_conformance(server: RedisServer, stored: redis.Redis, case: dict[str, Any], ask: Ask) -> None:
    """Both readers do what is demanded of every reader."""
    write(stored, case["given"])

    check(ask, server.url, case)


@pytest.mark.parametrize("ask", [blocking, awaited])
def test_conformance_in_a_cluster(cluster: LocalCluster, in_cluster: Any, ask: Ask) -> None:
    """The same where each key may lie on another node."""
    for case in [*CASES, *DETAILS]:
        write(in_cluster, case["given"])
        check(ask, cluster.url, case)
        for key in cluster.keys("*"):
            in_cluster.delete(key)


def test_methods_are_the_products() -> None:
    """What the product's reader can be asked the client can be asked, and details beside."""
    ours = {name for name in dir(product.Reader) if not name.startswith("_")}

    for reader in (Reader, AsyncReader):
        assert {name for name in dir(reader) if not name.startswith("_")} == ours | {"details"}
    assert {case["call"]["method"] for case in DETAILS} == {"details"}


@pytest.mark.parametrize(
    ("user_id", "segment", "rung"), [("u1", "f-25-34", "user"), ("u2", "f-25-34", "segment"), ("u2", None, "default")]
)
def test_the_rung_is_named(
    server: RedisServer, stored: redis.Redis, user_id: str, segment: str | None, rung: str
) -> None:
    """A list says where on the ladder it stood."""
    write(stored, CASES[0]["given"])

    assert blocking(server.url, "", "recs", {"user_id": user_id, "segment": segment}).rung == rung


@pytest.mark.parametrize("ask", [blocking, awaited])
def test_the_least_rights_are_enough(server: RedisServer, stored: redis.Redis, ask: Ask) -> None:
    """A user with the rule that Freshet prints for readers can ask everything."""
    stored.execute_command(*reader_acl(Keys()).replace("PASSWORD", "s3cret").split())
    url = server.url.replace("redis://", "redis://freshet-reader:s3cret@").removesuffix("/0")

    for case in [*CASES, *DETAILS]:
        if not case["namespace"] and "error" not in case:
            write(stored, case["given"])
            check(ask, url, case)
            stored.delete(*[key for keys in case["given"].values() for key in keys] or ["none"])


@pytest.mark.parametrize("ask", [blocking, awaited])
def test_a_node_that_is_away_costs_its_own_rungs(cluster: LocalCluster, in_cluster: Any, ask: Ask) -> None:
    """A user's own list is found while the node of the default list is gone; where that is needed, it is an error."""
    write(in_cluster, CASES[0]["given"])
    gone = cluster.holder("recs:default")
    user_id = next(f"u{n}" for n in range(100) if cluster.holder(f"recs:user:u{n}") is not gone)
    in_cluster.set(f"recs:user:{user_id}", in_cluster.get("recs:user:u1"))
    gone.kill()

    found = ask(cluster.url, "", "recs", {"user_id": user_id})

    assert found is not None and found.rung == "user"
    other = next(f"v{n}" for n in range(100) if cluster.holder(f"recs:user:v{n}") is not gone)
    with pytest.raises(ServiceError):
        ask(cluster.url, "", "recs", {"user_id": other})


@pytest.mark.parametrize("ask", [blocking, awaited])
def test_failures_are_told_in_words(server: RedisServer, ask: Ask) -> None:
    """A key of another type is refused in words, and so is a server that is not there, without its password."""
    with redis.Redis.from_url(server.url) as client:
        client.set("item_similarity:i1", "text")
        with pytest.raises(ServiceError, match=r"WRONGTYPE.* Delete that key"):
            ask(server.url, "", "similar", {"item_id": "i1"})
        client.delete("item_similarity:i1")
    with pytest.raises(ServiceError, match=r"reader:\*\*\*@127.0.0.1:1/0 cannot be reached"):
        ask("redis://reader:s3cret@127.0.0.1:1/0", "", "recs", {"user_id": "u"})


@pytest.mark.parametrize("url", ["localhost:6379", "redis+cluster://", "redis+cluster://h:x", "http://h"])
def test_an_url_that_cannot_be_read(url: str) -> None:
    """Is refused with the forms that are allowed."""
    for kind in (Reader, AsyncReader):
        with pytest.raises(SettingsError, match="Use redis://"):
            kind(url)


def test_everything_public_is_exported() -> None:
    """The names at the top are there."""
    assert all(hasattr(freshet_client, name) for name in freshet_client.__all__)
