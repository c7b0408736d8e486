"""Records between the client's thread and the event loop: none lost, none twice, in order, and not too many."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from app.worker.prefetch import Prefetch


class Client:
    """Partitions with numbers for records; what was fetched is gone from it until somebody seeks."""

    def __init__(self, **n_records: int) -> None:
        self.logs = {name: list(range(n)) for name, n in n_records.items()}
        self.positions = dict.fromkeys(self.logs, 0)
        self.asked: list[set[str]] = []
        self.waiting: asyncio.Event | None = None

    async def fetch(self, partitions: set[str], wait_s: float, n: int) -> dict[str, list[int]]:
        self.asked.append(set(partitions))
        found: dict[str, list[int]] = {}
        for name in sorted(partitions):
            at = self.positions[name]
            records = self.logs[name][at : at + n - sum(map(len, found.values()))]
            if records:
                self.positions[name] = at + len(records)
                found[name] = records
        if not found:
            await asyncio.sleep(min(wait_s, 0.002))
        return found


def run(test: Callable[[], Awaitable[None]]) -> None:
    """In an event loop of its own."""

    async def within_time() -> None:
        async with asyncio.timeout(20.0):
            await test()

    asyncio.run(within_time())


def test_everything_arrives_once_and_in_order() -> None:
    """From a thread of its own, several partitions, while the reader takes some of them at its own pace."""
    client = Client(a=5_000, b=700, c=0)
    prefetch: Prefetch[str, int] = Prefetch(client.fetch, 100)

    async def fetching() -> None:
        with pytest.raises(asyncio.CancelledError):
            await prefetch.run(lambda: client.logs)

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(task))
    task = loop.create_task(fetching())
    got: dict[str, list[int]] = {"a": [], "b": [], "c": []}

    async def test() -> None:
        thread.start()
        while len(got["a"]) < 5_000 or len(got["b"]) < 700:
            await prefetch.wait(got, 0.05)
            for name, records in prefetch.take(got).items():
                assert 0 < len(records) <= 100
                got[name] += records
        loop.call_soon_threadsafe(task.cancel)

    run(test)
    thread.join(5.0)
    loop.close()
    assert got == client.logs


def test_a_partition_that_nobody_takes_from_is_not_read_ahead_for_ever() -> None:
    """At most two fetches of it wait; the others go on."""
    client = Client(a=10_000, b=10_000)
    prefetch: Prefetch[str, int] = Prefetch(client.fetch, 100)

    async def test() -> None:
        fetching = asyncio.create_task(prefetch.run(lambda: client.logs))
        taken = 0
        while taken < 1_000:
            await prefetch.wait({"b"}, 1.0)
            taken += len(prefetch.take({"b"}).get("b", []))
        assert client.positions["a"] <= 200
        fetching.cancel()

    run(test)


def test_nothing_is_fetched_while_there_is_nothing_to_fetch_from() -> None:
    """Before the positions are set, and after the partitions are gone."""
    client = Client(a=10)
    prefetch: Prefetch[str, int] = Prefetch(client.fetch, 100)

    async def test() -> None:
        fetching = asyncio.create_task(prefetch.run(list))
        await prefetch.wait({"a"}, 0.02)
        assert prefetch.take({"a"}) == {}
        assert client.asked == []
        fetching.cancel()

    run(test)


def test_what_came_before_a_seek_is_forgotten() -> None:
    """And what comes after it is all there."""
    client = Client(a=50)
    prefetch: Prefetch[str, int] = Prefetch(client.fetch, 100)

    async def test() -> None:
        fetching = asyncio.create_task(prefetch.run(lambda: client.logs))
        await prefetch.wait({"a"}, 1.0)
        client.positions["a"] = 20
        prefetch.forget()
        await prefetch.wait({"a"}, 1.0)
        assert prefetch.take({"a"}) == {"a": list(range(20, 50))}
        fetching.cancel()

    run(test)


def test_waiting_ends_when_something_comes() -> None:
    """At once for what is there, and after the time given otherwise."""
    client = Client(a=0)
    prefetch: Prefetch[str, int] = Prefetch(client.fetch, 100)

    async def test() -> None:
        fetching = asyncio.create_task(prefetch.run(lambda: client.logs))
        await prefetch.wait({"a"}, 0.01)
        assert prefetch.take({"a"}) == {}
        waiting = asyncio.create_task(prefetch.wait({"a"}, 15.0))
        await asyncio.sleep(0)
        client.logs["a"].append(7)
        await waiting
        assert prefetch.take({"a"}) == {"a": [7]}
        fetching.cancel()

    run(test)


def test_a_failure_is_raised_by_whoever_takes() -> None:
    """The client has been refused: nobody waits for it in vain."""

    async def refused(partitions: set[str], wait_s: float, n: int) -> dict[str, list[int]]:
        raise PermissionError("not for you")

    prefetch: Prefetch[str, int] = Prefetch(refused, 100)

    async def test() -> None:
        fetching = asyncio.create_task(prefetch.run(lambda: ["a"]))
        await prefetch.wait({"a"}, 15.0)
        with pytest.raises(PermissionError, match="not for you"):
            prefetch.take({"a"})
        with pytest.raises(PermissionError, match="not for you"):
            await fetching

    run(test)
