"""Features and similarities take their share of the time, evenly, and each kind has its turn."""

import asyncio
import math
from itertools import count, islice
from time import monotonic

import pytest

from app.worker.features import KEYS_PER_SLICE, alternately
from tests.unit.app.worker.test_publishers import Stage


@pytest.mark.parametrize(("share", "times"), [(0.01, 99), (1.0, 0)])
def test_share(monkeypatch: pytest.MonkeyPatch, share: float, times: float) -> None:
    """After each slice there is a rest of a multiple of its time; all of them go out in a long round."""
    stage, rests, next_turn = Stage(), [], asyncio.sleep

    async def resting(seconds: float) -> None:
        rests.append(seconds)
        await next_turn(0)

    monkeypatch.setattr("app.worker.features.asyncio.sleep", resting)
    began = monotonic()
    asyncio.run(stage.features.refresh(60.0, share))
    took_s = monotonic() - began

    assert stage.features.n_stale == 0
    assert len(rests) == sum(math.ceil(n / KEYS_PER_SLICE) for n in (6, 7))  # items, users
    assert all((seconds > 0) is (times > 0) for seconds in rests)
    assert sum(rests) <= times * took_s


def test_a_rest_ends_with_the_round() -> None:
    """However much a slice has cost: trends and the default list are due again."""
    stage = Stage()
    began = monotonic()
    asyncio.run(stage.features.refresh(0.2, 1e-9))
    assert monotonic() - began < 15.0


def test_users_have_their_turn_while_items_are_stale() -> None:
    """A round that has time for a few keys takes some of both, and the next round those that wait longest."""
    stage = Stage(n=400, n_items=200)
    partition = stage.partition
    items, users = list(stage.view.stale), list(partition.stale_features)

    turns = [ids for _, ids in stage.features._in_turn()]

    n = KEYS_PER_SLICE
    assert turns[:4] == [items[:n], users[:n], items[n : 2 * n], users[n : 2 * n]]
    assert sorted(each for ids in turns for each in ids) == sorted([*items, *users])


def test_nothing_is_put_together_ahead_of_its_turn() -> None:
    """However much is stale, the event loop is held for what is published next."""
    assert list(islice(alternately(count(), "ab"), 6)) == [0, "a", 1, "b", 2, 3]
