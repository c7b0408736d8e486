"""The readers on a real Redis: the conformance cases of any language, and what is Python's own."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from app.client import AsyncReader, Reader
from app.local.redis import RedisServer
from models.errors import FreshetError, ServiceError, SettingsError, StateError, UnknownVersion
from tests.readers import CASES, name_of, plain, write

ERRORS: dict[str, type[FreshetError]] = {
    "unknown_version": UnknownVersion,
    "not_a_list": StateError,
    "bad_argument": SettingsError,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """An empty server for the tests of this file."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(server: RedisServer) -> Iterator[redis.Redis]:
    """Another program's view of the server, which is empty before and after each test."""
    with redis.Redis.from_url(server.url) as client:
        assert client.dbsize() == 0
        yield client
        for key in client.scan_iter():
            client.delete(key)


async def ask_async(url: str, namespace: str, method: str, arguments: dict[str, Any]) -> object:
    """One call on an AsyncReader of its own."""
    async with AsyncReader(url, namespace) as reader:
        return await getattr(reader, method)(**arguments)


def ask(url: str, namespace: str, method: str, arguments: dict[str, Any]) -> object:
    """One call on a Reader of its own."""
    with Reader(url, namespace) as reader:
        return getattr(reader, method)(**arguments)


@pytest.mark.parametrize("kind", ["blocking", "async"])
@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_conformance(server: RedisServer, client: redis.Redis, case: dict[str, Any], kind: str) -> None:
    """Both readers do what tests/conformance/reader.json demands of every reader."""
    write(client, case["given"])

    def call() -> object:
        arguments = (server.url, case["namespace"], case["call"]["method"], case["call"]["arguments"])
        return ask(*arguments) if kind == "blocking" else asyncio.run(ask_async(*arguments))

    if "error" in case:
        expected_error = ERRORS[case["error"]]
        with pytest.raises(expected_error) as caught:
            call()
        assert caught.type is expected_error
    else:
        assert plain(call()) == case["expected"]


def test_conformance_covers_every_method() -> None:
    """No method of the reader is without a case, so no other language misses one."""
    methods = {name for name in dir(Reader) if not name.startswith("_")} - {"close"}

    assert {case["call"]["method"] for case in CASES} == methods
    assert {name for name in dir(AsyncReader) if not name.startswith("_")} - {"close"} == methods


@pytest.mark.parametrize("kind", [ask, ask_async])
def test_id_that_is_no_utf8_has_no_list(server: RedisServer, client: redis.Redis, kind: Any) -> None:
    """A lone surrogate, as JSON can smuggle in, falls through the ladder like any unknown id."""
    write(client, CASES[0]["given"])

    answer = kind(server.url, "", "recs", {"user_id": "u\ud800"})

    found = asyncio.run(answer) if asyncio.iscoroutine(answer) else answer
    assert found is not None
    assert found.user_id is None


def test_key_of_another_type(server: RedisServer, client: redis.Redis) -> None:
    """A foreign value under one of our keys is an error that says so."""
    client.set("item_similarity:i1", "text")

    with Reader(server.url) as reader, pytest.raises(ServiceError, match="another type under one of our keys"):
        reader.similar("i1")


def test_server_that_is_not_there() -> None:
    """Without a server each call is a ServiceError with the masked URL."""
    with (
        Reader("redis://reader:s3cret@127.0.0.1:1/0") as reader,
        pytest.raises(ServiceError, match=r"reader:\*\*\*@127.0.0.1:1/0 cannot be reached"),
    ):
        reader.recs("u")
