"""A real Redis that is killed, restarted empty, paused, full, read-only or locked."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from app.client import AsyncReader, Reader
from app.local.redis import RedisServer
from app.store import PublishResult, Store
from models.errors import ServiceError
from tables.keys import Keys
from tables.list_encoding import encode_list


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server of this test's own, to be killed at will."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


def made(offset: int) -> bytes:
    """A list of that version."""
    return encode_list(
        epoch=0,
        offset=offset,
        user_id="u",
        namespace="",
        generated_at_ms=1,
        source=("user_events", 0, offset),
        model="m",
        variant="v",
        items=(),
    )


def restart_empty(server: RedisServer) -> None:
    """Kill the server and start it with nothing in it."""
    server.kill()
    server.start(empty=True)


def test_very_first_start_counts_as_emptied(server: RedisServer) -> None:
    """A server without sentinel has no lists of ours: True once, to every later worker False."""

    async def main() -> None:
        first, second = Store(server.url), Store(server.url)
        assert [await first.emptied() for _ in range(3)] == [True, False, False]
        assert [await second.emptied() for _ in range(2)] == [False, False]
        await first.close()
        await second.close()

    asyncio.run(main())


def test_restart_empty_is_noticed_once_by_each_worker(server: RedisServer) -> None:
    """After a restart without data each running store says so exactly once."""

    async def main() -> None:
        stores = [Store(server.url) for _ in range(3)]
        for store in stores:
            await store.emptied()
        restart_empty(server)
        assert [await store.emptied() for store in stores] == [True, True, True]
        assert [await store.emptied() for store in stores] == [False, False, False]
        for store in stores:
            await store.close()

    asyncio.run(main())


def test_flush_without_restart_is_noticed_by_each_worker(server: RedisServer) -> None:
    """The sentinel set anew by the first who looks does not hide the loss from the second."""

    async def main() -> None:
        first, second = Store(server.url, keys=Keys("n")), Store(server.url, keys=Keys("n"))
        await first.emptied()
        await second.emptied()
        with redis.Redis.from_url(server.url) as client:
            client.delete(Keys("n").sentinel())
        assert await first.emptied()
        assert await second.emptied()
        assert not await first.emptied()
        assert not await second.emptied()
        await first.close()
        await second.close()

    asyncio.run(main())


def test_restart_with_an_older_snapshot_is_a_loss(tmp_path: Path) -> None:
    """The sentinel came back with the data, but data may be older than what was written: True, also to a new worker."""
    server = RedisServer(tmp_path, durable=True)
    server.start()

    async def main() -> None:
        store = Store(server.url)
        assert await store.emptied()
        server.stop()
        server.start()
        with redis.Redis.from_url(server.url) as client:
            assert client.exists(Keys().sentinel())
        newcomer = Store(server.url)
        assert await newcomer.emptied()
        assert await store.emptied()
        assert not await newcomer.emptied()
        assert not await store.emptied()
        await newcomer.close()
        await store.close()

    try:
        asyncio.run(main())
    finally:
        server.stop()


def test_writes_after_a_restart_load_the_functions_again(server: RedisServer) -> None:
    """A write that meets the emptied server first goes through, fence and all, and the loss is still noticed."""
    key, features = Keys().user_list("u"), Keys().user_features("u")

    async def main() -> None:
        store = Store(server.url)
        await store.connect()
        await store.emptied()
        await store.publish_lists([(key, made(5))], 60)
        await store.write_hashes([(features, {"a": 1, "b": 1, "updated_at_ms": 1})])
        restart_empty(server)
        assert await store.publish_lists([(key, made(4))], 60) == PublishResult(1, 0)
        assert await store.publish_lists([(key, made(3))], 60) == PublishResult(0, 1)
        await store.write_hashes([(features, {"a": 1, "b": 2, "updated_at_ms": 2})])
        assert await store.emptied()
        assert not await store.emptied()
        await store.close()

    asyncio.run(main())
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        assert client.hgetall(features) == {"a": "1", "b": "2", "updated_at_ms": "2"}


def test_server_that_is_down_then_comes_back(server: RedisServer) -> None:
    """While it is down every call is a quick ServiceError; the same store works as soon as it is back."""

    async def main() -> None:
        store = Store(server.url)
        await store.publish_lists([("recs:user:u", made(1))], 60)
        server.kill()
        start = time.monotonic()
        for call in (store.publish_lists([("recs:user:u", made(2))], 60), store.emptied(), store.connect()):
            with pytest.raises(ServiceError, match="cannot be reached"):
                await call
        assert time.monotonic() - start < 2
        server.start()
        assert await store.publish_lists([("recs:user:u", made(2))], 60) == PublishResult(1, 0)
        await store.close()

    asyncio.run(main())


@pytest.mark.parametrize("warm", [True, False])
def test_paused_server_costs_a_bounded_time(server: RedisServer, warm: bool) -> None:
    """A server that takes connections and answers nothing ends each call in under 3 s, and works when continued."""

    async def main() -> None:
        store, reader, blocking = Store(server.url), AsyncReader(server.url), Reader(server.url)
        if warm:
            await store.publish_lists([("recs:user:u", made(1))], 60)
            await reader.recs("u")
            blocking.recs("u")
        os.kill(server.pid, signal.SIGSTOP)
        try:
            for call in (
                store.publish_lists([(f"recs:user:u{n}", made(2) + b" " * 10_000) for n in range(2_000)], 60),
                store.replace_sorted_sets([("trending:1h", {"a": 1.0})]),
                store.write_hashes([("user_features:u", {"updated_at_ms": 1})]),
                store.emptied(),
                reader.recs("u"),
                asyncio.to_thread(blocking.recs, "u"),
            ):
                start = time.monotonic()
                with pytest.raises(ServiceError, match="did not answer within"):
                    await call
                assert time.monotonic() - start < 3
        finally:
            os.kill(server.pid, signal.SIGCONT)
        assert await store.publish_lists([("recs:user:u", made(2))], 60) == PublishResult(1, 0)
        assert (await reader.recs("u")) == blocking.recs("u")
        await reader.close()
        await store.close()
        blocking.close()

    asyncio.run(main())


def test_write_whose_answer_was_lost_is_sent_whole(server: RedisServer) -> None:
    """A timed-out hash write may have been applied; the next one must not build on what came before it."""
    key = Keys().user_features("u")

    async def main() -> None:
        store = Store(server.url, timeout_s=0.3)
        await store.write_hashes([(key, {"a": 1, "updated_at_ms": 1})])
        os.kill(server.pid, signal.SIGSTOP)
        try:
            with pytest.raises(ServiceError):
                await store.write_hashes([(key, {"a": 2, "updated_at_ms": 1})])
        finally:
            os.kill(server.pid, signal.SIGCONT)
        await store.write_hashes([(key, {"a": 1, "updated_at_ms": 2})])
        await store.close()

    asyncio.run(main())
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        assert client.hgetall(key) == {"a": "1", "updated_at_ms": "2"}


def test_full_server(server: RedisServer) -> None:
    """Out of memory is a ServiceError with the fix, nothing is written by halves, and it passes when there is room."""
    with redis.Redis.from_url(server.url) as client:

        async def main() -> None:
            store = Store(server.url)
            await store.connect()
            await store.replace_sorted_sets([("trending:1h", {"old": 1.0})])
            client.config_set("maxmemory", "1")
            with pytest.raises(ServiceError, match="Raise maxmemory"):
                await store.publish_lists([("recs:user:u", made(1))], 60)
            with pytest.raises(ServiceError, match="Raise maxmemory"):
                await store.replace_sorted_sets([("trending:1h", {"new": 1.0})])
            assert client.zrange("trending:1h", 0, -1) == [b"old"]
            client.config_set("maxmemory", "0")
            assert await store.publish_lists([("recs:user:u", made(1))], 60) == PublishResult(1, 0)
            await store.close()

        asyncio.run(main())


def test_replica_refuses_writes_and_serves_readers(server: RedisServer) -> None:
    """A read-only replica is a ServiceError that asks for the primary; readers get their list all the same."""
    with redis.Redis.from_url(server.url) as client:

        async def main() -> None:
            store = Store(server.url)
            await store.publish_lists([("recs:user:u", made(1))], 60)
            client.replicaof("127.0.0.1", "1")
            with pytest.raises(ServiceError, match=r"read-only replica.*primary"):
                await store.publish_lists([("recs:user:u", made(2))], 60)
            with Reader(server.url) as reader:
                assert reader.recs("u") is not None
            client.replicaof("NO", "ONE")
            assert await store.publish_lists([("recs:user:u", made(2))], 60) == PublishResult(1, 0)
            await store.close()

        asyncio.run(main())


def test_loading_server(tmp_path: Path) -> None:
    """A server that still loads its data is a ServiceError, not a crash and not an endless wait."""

    class SlowToLoad(RedisServer):
        def prepare(self) -> list[str]:
            program, settings = super().prepare()
            with Path(settings).open("a", encoding="utf-8") as file:
                file.write("key-load-delay 50000\nloading-process-events-interval-bytes 1024\n")
            return [program, settings]

    server = SlowToLoad(tmp_path, durable=True)
    server.start()
    with redis.Redis.from_url(server.url) as client:
        for n in range(60):
            client.set(f"filler:{n}", os.urandom(2_000))
        client.bgrewriteaof()  # answers while it loads a snapshot, not while it loads a log this short
        while client.info("persistence")["aof_rewrite_in_progress"]:
            time.sleep(0.02)

    async def main() -> None:
        store = Store(server.url)
        message = "cannot be reached"
        while "cannot be reached" in message:
            with pytest.raises(ServiceError) as caught:
                await store.connect()
            message = str(caught.value)
        assert "still loading its data" in message
        server.wait_ready()
        await store.connect()
        await store.close()

    try:
        server.stop()
        server.launch()
        asyncio.run(main())
    finally:
        server.stop()


def test_wrong_password_is_masked(server: RedisServer) -> None:
    """A refused login says what to check, and shows neither the wrong password nor the right one."""
    with redis.Redis.from_url(server.url) as client:
        client.config_set("requirepass", "r1ght")
    without = server.url
    wrong, right = (without.replace("//", f"//:{password}@") for password in ("wr0ng", "r1ght"))

    async def main() -> None:
        for url, words in ((wrong, "Check FRESHET_REDIS_USERNAME"), (without, "wants a login")):
            store = Store(url)
            with pytest.raises(ServiceError, match=words) as caught:
                await store.connect()
            assert "wr0ng" not in str(caught.value)
            with Reader(url) as reader, pytest.raises(ServiceError, match=words) as caught:
                reader.recs("u")
            assert "wr0ng" not in str(caught.value)
            await store.close()
        store = Store(right)
        assert await store.publish_lists([("recs:user:u", made(1))], 60) == PublishResult(1, 0)
        await store.close()

    asyncio.run(main())
