"""Pages that change while they are open."""

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson

from app.dashboard.hub import Hub
from app.dashboard.log import LogState
from app.dashboard.poller import Poller, Ticks
from app.dashboard.workers import Worker
from tests.unit.app.dashboard.stage import GivenLog, GivenWorkers, staged, worker


async def answers() -> None:
    """A Redis that does."""


def parts_of(message: bytes) -> Mapping[str, Any]:
    """What one server-sent event brings."""
    head, data, *_ = message.decode().split("\n")
    assert head == "event: parts"
    found: Mapping[str, Any] = orjson.loads(data.removeprefix("data: "))
    return found


def test_one_tick_is_drawn_once_and_sends_what_changed() -> None:
    """However many look; a part that is as it was is not sent again."""

    async def look() -> None:
        ticks = Ticks()
        hub, n_drawn = Hub(ticks, 10), 0

        async def draw() -> Mapping[str, str]:
            nonlocal n_drawn
            n_drawn += 1
            return {"same": "x", "other": str(n_drawn)}

        pages = [hub.changes("p", draw, lively=False) for _ in range(5)]
        first = [parts_of(await anext(page)) for page in pages]
        assert first == [{"names": ["same", "other"], "changed": {"same": "x", "other": "1"}}] * 5
        assert n_drawn == 1 and hub.n_open == 5
        waiting = [asyncio.ensure_future(anext(page)) for page in pages]
        await asyncio.sleep(0)
        ticks.tick(by_clock=False)  # an event: these pages wait for the clock
        await asyncio.sleep(0)
        assert not any(each.done() for each in waiting)
        ticks.tick(by_clock=True)
        changed = [parts_of(each)["changed"] for each in await asyncio.gather(*waiting)]
        assert changed == [{"other": "2"}] * 5
        for page in pages:
            await page.aclose()
        assert hub.n_open == 0

    asyncio.run(look())


def test_a_part_that_is_gone_is_told() -> None:
    """What stood for something that could not be had goes when it can be."""

    async def look() -> None:
        ticks, shown = Ticks(), [{"away": "x"}, {"list": "y"}, {}]
        hub = Hub(ticks, 10)

        async def draw() -> Mapping[str, str]:
            return shown.pop(0)

        page = hub.changes("p", draw, lively=False)
        told = []
        while shown:
            told.append(parts_of(await anext(page)))
            ticks.tick(by_clock=True)
        assert [each["names"] for each in told] == [["away"], ["list"], []]
        await page.aclose()

    asyncio.run(look())


def test_open_pages_end_when_the_dashboard_does() -> None:
    """None keeps it from stopping, and no new one is taken."""

    async def look() -> None:
        ticks = Ticks()
        hub = Hub(ticks, 1)

        async def draw() -> Mapping[str, str]:
            return {"a": "b"}

        page = hub.changes("p", draw, lively=True)
        await anext(page)
        assert hub.is_full
        ticks.close()
        assert [each async for each in page] == []
        assert hub.n_open == 0 and hub.is_full

    asyncio.run(look())


def test_poller_keeps_a_bounded_history() -> None:
    """A quarter of an hour by the second, alarms, and what happened to workers."""

    async def look() -> None:
        workers = GivenWorkers([worker(partitions=4)])
        poller = Poller(workers, GivenLog(), answers)
        for _ in range(1000):
            await poller.look()
        assert len(poller.board.recent) == 900 and not poller.board.alarms
        workers.workers = [Worker("w1:9108", {}, "does not answer")]
        await poller.look()
        workers.workers = [worker(partitions=2, rebalances_total=2, load_seconds=0.5)]
        await poller.look()
        said = [each.what for each in poller.board.happenings]
        assert said == [
            "w1:9108 answers, holds 4 partitions, generation 0",
            "w1:9108 does not answer",
            "w1:9108 answers, holds 2 partitions, generation 0",
        ]

    asyncio.run(look())


def test_events_wake_lively_pages() -> None:
    """Before the clock's tick, a few times a second at most."""

    async def look() -> None:
        poller = Poller(GivenWorkers(), GivenLog(), answers)
        for _ in range(100):
            poller._events_came()
        assert (poller.ticks.n, poller.ticks.n_events) == (0, 1)

    asyncio.run(look())


def test_a_page_too_many_is_told_to_come_back() -> None:
    """And an address that is none of the pages' is not found."""
    with staged(dashboard_max_pages=1) as stage:
        stage.dashboard.hub.n_open = 1
        assert stage.client.get("/live?page=/").status_code == 503
        assert stage.client.get("/live?page=/nowhere").status_code == 404


def test_log_state_is_bounded() -> None:
    """The newest events alone."""
    log = LogState()
    assert log.events.maxlen == 500
