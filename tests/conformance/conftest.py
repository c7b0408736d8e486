"""A real Redis for the readers of this folder."""

from collections.abc import Iterator

import pytest
import redis

from app.local.redis import RedisServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server for the tests of this folder."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def stored(server: RedisServer) -> Iterator[redis.Redis]:
    """Another program's view of the server, which is empty before and after each test."""
    with redis.Redis.from_url(server.url, protocol=2) as client:
        assert client.dbsize() == 0
        yield client
        for key in client.scan_iter():
            client.delete(key)
