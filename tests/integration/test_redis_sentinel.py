"""Redis behind sentinels: who reads and writes follows the primary."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from app.client import AsyncReader, Reader
from app.doctor.redis import check_redis
from app.settings import Settings
from app.store import PublishResult, Store
from models.errors import ServiceError
from tests.command import freshet
from tests.flow import events
from tests.lists import LISTS
from tests.redis_sentinel import PASSWORD, Watched
from tests.scene import PATIENCE_S, Scene


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """Servers of this test's own."""
    found = Watched(tmp_path)
    found.start()
    yield found
    found.stop()


async def written(store: Store) -> None:
    """Publish until it is taken; what is raised meanwhile is Redis being away, or no primary any more."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            assert await store.publish_lists(LISTS, 60) == PublishResult(1, 0)
        except ServiceError:
            assert time.monotonic() < deadline
        else:
            return


async def promoted(settings: Settings) -> None:
    """Return when there is a primary again."""
    store = Store(settings.redis)
    await written(store)
    await store.close()


@pytest.mark.parametrize("how", ["dies", "is demoted"])
def test_writes_and_reads_follow_the_primary(watched: Watched, how: str) -> None:
    """After a failover both go to the new primary, through the same objects, and the change counts as a loss."""
    settings = Settings(redis_url=watched.url, redis_sentinel_password=PASSWORD)

    async def main() -> None:
        store = Store(settings.redis)
        reader = Reader(settings.redis)
        async with AsyncReader(settings.redis) as other:
            await written(store)
            assert [await store.emptied() for _ in range(2)] == [True, False]
            assert reader.recs("u") == await other.recs("u") is not None
            if how == "dies":
                watched.servers[0].kill()
            else:
                watched.fail_over()
            await written(store)
            with redis.Redis.from_url(watched.servers[1].url) as client:
                assert client.role()[0] == b"master"
                client.set("recs:default", LISTS[0][1])
            assert await store.emptied(), "the new primary may lack the last writes"
            assert not await store.emptied()
            assert reader.recs("nobody") == await other.recs("nobody") is not None
        reader.close()
        await store.close()

    asyncio.run(main())
    assert [each.status for each in check_redis(settings)] == ["ok", "ok"]


def test_what_is_wrong_with_sentinels_is_named(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong name, a missing password, and nobody there are told apart, and the password is not quoted."""
    monkeypatch.setattr("app.doctor.redis.TIMEOUT_S", 0.5)
    name = Settings(redis_url=watched.url.replace("/shop", "/store"), redis_sentinel_password=PASSWORD)
    password = Settings(redis_url=watched.url, redis_sentinel_password="wr0ng")
    nobody = Settings(redis_url="redis+sentinel://127.0.0.1:1/shop")

    (wrong_name,), (no_password,), (not_there,) = map(check_redis, (name, password, nobody))

    assert "no sentinel names a primary that is up" in wrong_name.found
    assert "the primary's name" in wrong_name.found
    assert "set FRESHET_REDIS_SENTINEL_PASSWORD_FILE" in no_password.found
    assert "wr0ng" not in no_password.found
    assert "At least one of them cannot be reached" in not_there.found


def test_worker_lives_through_a_failover(watched: Watched, scene: Scene) -> None:
    """The primary dies while events flow: the worker goes on, and in the end every list is right on the new one."""
    scene.configure(redis_url=watched.url, redis_sentinel_password=PASSWORD)
    scene.create(2)
    worker = scene.worker()
    scene.send(events(5, 200))
    scene.assert_lists(scene.assert_exact())

    watched.servers[0].kill()
    scene.send(events(6, 200))
    asyncio.run(promoted(scene.settings))

    scene.assert_lists(scene.assert_exact(), PATIENCE_S)
    assert worker.exit_code is None
    assert freshet("recs", "u1", settings=scene.settings).code == 0
    assert freshet("trending", "7d", settings=scene.settings).code == 0
    assert PASSWORD not in worker.log_path.read_text()
