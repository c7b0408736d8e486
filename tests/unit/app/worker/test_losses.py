"""Whose lists have gone with Redis, whatever the wall clock does."""

from types import SimpleNamespace
from typing import Any

from app.worker.losses import Losses


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def partition(loaded_s: float | None) -> Any:
    """A partition that was just loaded: its last marker was written then; None: it was never saved."""
    return SimpleNamespace(
        state=SimpleNamespace(loaded=None if loaded_s is None else object()),
        listed_ms=int(1000 * (loaded_s or 0.0)),
        losses_seen=None,
    )


def test_each_loss_is_told_once_after_the_clock_was_set_back_as_well() -> None:
    """A partition that is here when Redis is emptied has lost its lists, each time."""
    clock = Clock()
    losses, here = Losses(clock), partition(clock.now - 60.0)
    losses.looked(emptied=False)
    assert not losses.has_lost(here)
    for step_s in (1.0, -300.0, 1.0):
        clock.now += step_s
        losses.looked(emptied=True)
        assert [losses.has_lost(here), losses.has_lost(here)] == [True, False]
        losses.looked(emptied=False)
        assert not losses.has_lost(here)


def test_a_partition_that_comes_later_is_judged_by_its_last_marker() -> None:
    """Saved before the loss: its owner may not have noticed. Saved after it: its lists went out after it."""
    clock = Clock()
    losses = Losses(clock)
    losses.looked(emptied=True)

    assert losses.has_lost(partition(clock.now - 100.0))
    assert not losses.has_lost(partition(clock.now + 1.0))


def test_what_the_first_look_finds_is_no_loss_of_a_partition_never_saved() -> None:
    """A new namespace; a later loss is one."""
    losses = Losses(Clock())
    losses.looked(emptied=True)
    assert not losses.has_lost(partition(None))
    losses.looked(emptied=True)
    assert losses.has_lost(partition(None))
