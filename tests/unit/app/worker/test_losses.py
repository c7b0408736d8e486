"""Whose lists have gone with Redis, whatever the wall clock does."""

from types import SimpleNamespace
from typing import Any

import pytest

from app.worker.losses import Losses

NOW_MS = 1_800_000_000_000


def partition(loaded_ms: int | None) -> Any:
    """A partition that was just loaded: its last marker was written then; None: it was never saved."""
    return SimpleNamespace(
        state=SimpleNamespace(loaded=None if loaded_ms is None else object()),
        listed_ms=loaded_ms or 0,
        losses_seen=None,
    )


def test_each_loss_is_told_once_after_the_clock_was_set_back_as_well() -> None:
    """A partition that is here when Redis is emptied has lost its lists, each time."""
    losses, here = Losses(), partition(NOW_MS - 60_000)
    losses.looked(emptied=False, lost_ms=NOW_MS - 90_000)
    assert not losses.has_lost(here)
    for lost_ms in (NOW_MS, NOW_MS - 300_000, NOW_MS - 299_000):
        losses.looked(emptied=True, lost_ms=lost_ms)
        assert [losses.has_lost(here), losses.has_lost(here)] == [True, False]
        losses.looked(emptied=False, lost_ms=lost_ms)
        assert not losses.has_lost(here)


@pytest.mark.parametrize("by_us", [True, False])
def test_a_partition_that_comes_later_is_judged_by_its_last_marker(by_us: bool) -> None:
    """Saved before the loss: its owner may not have noticed, or died. Saved after it: its lists went out after it.

    Whoever noticed the loss: a worker that starts after it finds no more than the time.
    """
    losses = Losses()
    losses.looked(emptied=by_us, lost_ms=NOW_MS)

    assert losses.has_lost(partition(NOW_MS - 100_000))
    assert not losses.has_lost(partition(NOW_MS + 1000))


def test_what_the_first_look_finds_is_no_loss_of_a_partition_never_saved() -> None:
    """A new namespace; a later loss is one."""
    losses = Losses()
    losses.looked(emptied=True, lost_ms=NOW_MS)
    assert not losses.has_lost(partition(None))
    losses.looked(emptied=True, lost_ms=NOW_MS)
    assert losses.has_lost(partition(None))
