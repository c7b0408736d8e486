"""When Python's garbage collector looks at what."""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from app.worker import garbage


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The collector is the whole process's."""
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


class Cycle:
    """Garbage that only the collector finds."""

    alive = 0

    def __init__(self) -> None:
        self.itself = self
        Cycle.alive += 1

    def __del__(self) -> None:
        Cycle.alive -= 1


def test_what_has_come_is_set_aside() -> None:
    """Garbage goes first, also what was set aside the last time; what is left is not looked at again."""
    garbage.settle()
    n_before = gc.get_freeze_count()
    kept = [[number] for number in range(1000)]
    Cycle()
    gc.freeze()
    garbage.settle()
    assert Cycle.alive == 0
    assert gc.get_freeze_count() > n_before + len(kept) // 2
    assert gc.get_threshold() == garbage.THRESHOLDS


@pytest.mark.parametrize(("busy", "is_due", "left"), [(False, True, 0), (True, True, 1), (False, False, 1)])
def test_idle_seconds_are_for_full_collections(
    busy: bool, is_due: bool, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not while events are folded, and not for a little."""
    done = iter(range(5)) if busy else iter([0] * 5)
    seconds = iter(range(4))

    async def no_time(seconds_s: float) -> None:
        if next(seconds, None) is None:
            raise asyncio.CancelledError

    monkeypatch.setattr("app.worker.garbage.asyncio.sleep", no_time)
    monkeypatch.setattr("app.worker.garbage.gc.get_count", lambda: (0, 0, 50 if is_due else 49))
    gc.collect()
    gc.disable()
    try:
        Cycle()
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(garbage.collect_when_idle(lambda: next(done)))
        assert Cycle.alive == left
    finally:
        gc.enable()
        gc.collect()
