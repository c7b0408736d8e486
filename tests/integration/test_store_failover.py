"""Redis behind a name that stays: a reply that gets lost on the way, and a primary that becomes a replica."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis

from app.local.redis import RedisServer
from app.store import PublishResult, Store
from app.store.connect import Connection
from models.errors import ServiceError
from tests.lists import LISTS


class Name:
    """Leads each new connection to the server that it names then; it keeps `n_lost` replies about sentinels."""

    def __init__(self, server: RedisServer) -> None:
        self.server = server
        self.n_lost = 0
        self.url = ""
        self._leading: set[asyncio.Task[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def lead(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """Take a new connection."""
        self._leading.add(asyncio.create_task(self._carry(client, to_client)))

    async def _carry(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """Carry bytes both ways until one side ends."""
        server, to_server = await asyncio.open_connection("127.0.0.1", self.server.port)
        asks = False

        async def requests() -> None:
            nonlocal asks
            while data := await client.read(65_536):
                asks = b"look_at_sentinel" in data
                to_server.write(data)

        async def replies() -> None:
            while data := await server.read(65_536):
                if asks and self.n_lost:
                    self.n_lost -= 1
                else:
                    to_client.write(data)

        both = [asyncio.create_task(requests()), asyncio.create_task(replies())]
        self._tasks.update(both)
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for task in both:
            task.cancel()
        for end in (to_server, to_client):
            end.close()
            with contextlib.suppress(ConnectionError):
                await end.wait_closed()

    async def end(self) -> None:
        """Cut all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._leading, return_exceptions=True)


@contextlib.asynccontextmanager
async def name_of(server: RedisServer) -> AsyncIterator[Name]:
    """A name for the server, as long as the block lasts."""
    name = Name(server)
    listener = await asyncio.start_server(name.lead, "127.0.0.1", 0)
    name.url = f"redis://127.0.0.1:{listener.sockets[0].getsockname()[1]}/0"
    async with listener:
        yield name
        await name.end()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[RedisServer]]:
    """Two servers of this test's own."""
    found = [RedisServer(tmp_path / name) for name in "ab"]
    for server in found:
        server.start()
    yield found
    for server in found:
        server.stop()


def test_a_look_whose_reply_is_lost_hides_no_loss(servers: list[RedisServer]) -> None:
    """The first look at an empty server set the sentinel, and nobody heard: the next look reports the loss, once."""

    async def main() -> None:
        async with name_of(servers[0]) as name:
            store, other = Store(name.url, deadline_s=0.5), Store(servers[0].url)
            await store.connect()
            name.n_lost = 1
            with pytest.raises(ServiceError, match="did not answer"):
                await store.emptied()
            assert not await other.emptied(), "the sentinel was set"
            assert [await store.emptied() for _ in range(3)] == [True, False, False]
            await store.close()
            await other.close()

    asyncio.run(main())


@pytest.mark.parametrize("call", ["publish", "load"])
def test_writes_follow_the_primary_behind_its_name(servers: list[RedisServer], call: str) -> None:
    """The first call that a demoted primary refuses is the last it gets: the next one connects anew."""
    first, second = servers

    async def write(store: Store) -> None:
        if call == "publish":
            await store.publish_lists(LISTS, 60)
        else:
            await store.connect()

    async def main() -> None:
        async with name_of(first) as name:
            store = Store(name.url)
            await store.publish_lists(LISTS, 60)
            await asyncio.gather(*[store.connect() for _ in range(3)])  # several connections lie idle
            await asyncio.gather(*[store.publish_lists(LISTS, 60) for _ in range(3)])
            name.server = second
            with redis.Redis.from_url(first.url) as client:
                client.replicaof("127.0.0.1", str(second.port))
            with pytest.raises(ServiceError, match="read-only replica"):
                await write(store)
            for _ in range(3):
                await write(store)
            assert await store.publish_lists(LISTS, 60) == PublishResult(1, 0)
            assert await store.emptied(), "the new primary may lack the last writes"
            await store.close()

    asyncio.run(main())
    with redis.Redis.from_url(second.url) as client:
        assert client.exists("recs:user:u")


def test_blocking_writes_follow_the_primary_too(servers: list[RedisServer]) -> None:
    """As for coroutines: refused once, then made on the new primary."""
    first, second = servers

    async def main() -> None:
        async with name_of(first) as name:
            connection = Connection(name.url, timeout_s=1.0)
            write = [("SET", "key", "1")]
            await asyncio.to_thread(connection.run, write)
            name.server = second
            with redis.Redis.from_url(first.url) as client:
                client.replicaof("127.0.0.1", str(second.port))
            with pytest.raises(ServiceError, match="read-only replica"):
                await asyncio.to_thread(connection.run, write)
            assert await asyncio.to_thread(connection.run, write) == [True]
            connection.close()

    asyncio.run(main())
