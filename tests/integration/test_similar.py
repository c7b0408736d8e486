"""`freshet similar` says what can be known from what Redis holds, on a real Redis."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import redis

from app.local.redis import RedisServer
from app.settings import Settings
from tests.command import Outcome, freshet


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """An empty server of the test's own."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


def test_nothing_is_told_that_redis_does_not_hold(server: RedisServer) -> None:
    """Emptied, item not there, neighbours not there, neighbours: each is told apart; `--json` gives what there is."""
    settings = Settings(redis_url=server.url, namespace="shop")

    def similar(*more: str) -> Outcome:
        return freshet("similar", "i1", *more, settings=settings)

    with redis.Redis.from_url(server.url) as client:
        client.set("recs:default", "of another namespace")
        nothing = similar()
        assert (nothing.code, nothing.out) == (1, "")
        assert "holds neither item 'i1' nor the default list in namespace 'shop'" in nothing.err
        assert "Redis was emptied" in nothing.err and "FRESHET_NAMESPACE" in nothing.err

        client.set("shop:recs:default", "{}")
        missing = similar("--json")
        assert (missing.code, missing.out) == (1, "")
        assert "Redis holds nothing of item 'i1' in namespace 'shop'" in missing.err

        client.hset("shop:item_features:i1", mapping={"n_events": "7", "title": "One"})
        alone = similar()
        assert (alone.code, alone.out) == (0, "")
        assert "'i1' is known, and Redis holds no neighbours of it" in alone.err
        assert "or they were lost" in alone.err
        assert (similar("--json").code, orjson.loads(similar("--json").out)) == (0, [])

        client.zadd("shop:item_similarity:i1", {"i2": 0.5})
        client.delete("shop:item_features:i1", "shop:recs:default")
        found = similar("--json")
        assert (found.code, orjson.loads(found.out)) == (0, [{"id": "i2", "score": 0.5, "title": None}])
