"""A bell wakes who listens, at once, and nobody listens for ever."""

import asyncio

import pytest

from app.worker.bell import Bell


async def turns(done: asyncio.Task[None]) -> int:
    """How many turns of the event loop it takes until a task has ended."""
    n = 0
    while not done.done():
        n += 1
        await asyncio.sleep(0)
    return n


def test_who_listens_is_woken_in_one_turn() -> None:
    """However often it rings."""

    async def test() -> None:
        bell = Bell()
        for _ in range(2):
            listening = asyncio.create_task(bell.heard(20.0))
            await asyncio.sleep(0)
            bell.ring()
            bell.ring()
            assert await turns(listening) == 1

    asyncio.run(test())


def test_nobody_listens_longer_than_said() -> None:
    """The time ends it; what rang before, while nobody listened, does not."""

    async def test() -> None:
        bell, loop = Bell(), asyncio.get_running_loop()
        bell.ring()
        began = loop.time()
        await bell.heard(0.03)
        assert loop.time() - began >= 0.029

    asyncio.run(test())


def test_who_gives_up_is_not_woken_later() -> None:
    """Cancelled, nothing of it is left."""

    async def test() -> None:
        bell = Bell()
        listening = asyncio.create_task(bell.heard(20.0))
        await asyncio.sleep(0)
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
        bell.ring()

    asyncio.run(test())
