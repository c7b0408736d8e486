"""The share agent over batches from a list."""

import asyncio
from collections.abc import AsyncIterator, Collection
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from agents import shares as module
from agents.shares import follow_shares
from tables.items import ItemShares
from tests.learning import met


class Batch(NamedTuple):
    """What has come."""

    records: dict[int, list[Any]]
    reached: Collection[int] = ()


class Followed:
    """Shares that are followed; notes what was to be shown, and how many items each had by then."""

    def __init__(self, *numbers: int) -> None:
        self.shares = {number: ItemShares() for number in numbers}
        self.shown: list[dict[int, int]] = []

    def of(self, number: int) -> ItemShares | None:
        return self.shares.get(number)

    def show(self, reached: Collection[int]) -> None:
        self.shown.append({number: len(self.shares[number]) for number in reached})


def records(partition: int, n: int) -> list[Any]:
    """Values of items that stand in this partition alone."""
    share = ItemShares()
    for number in range(n):
        met(share, f"{partition}-{number}")
    return [SimpleNamespace(key=item_id.encode(), value=share.encode(slot)) for item_id, slot in share.slots.items()]


async def given(*batches: Batch) -> AsyncIterator[Batch]:
    """Batches, one after another."""
    for batch in batches:
        yield batch


def test_a_share_is_shown_with_all_that_has_come() -> None:
    """Records go to their partition's share, those of one that is not followed nowhere; then it is shown."""
    followed = Followed(1, 2)
    batches = [Batch({1: records(1, 3), 3: records(3, 9)}), Batch({2: records(2, 5), 1: []}, [1, 2]), Batch({})]

    asyncio.run(follow_shares(given(*batches), shares=followed, clock=lambda: 0.0))

    assert followed.shown == [{}, {1: 3, 2: 5}, {}]
    assert set(followed.shares[1].slots) == {"1-0", "1-1", "1-2"}


def test_what_is_gone_leaves_its_share() -> None:
    """A record without a value takes the item away."""
    followed = Followed(1)
    gone = SimpleNamespace(key=b"1-1", value=None)

    asyncio.run(follow_shares(given(Batch({1: [*records(1, 3), gone]})), shares=followed, clock=lambda: 0.0))

    assert set(followed.shares[1].slots) == {"1-0", "1-2"}


def test_values_are_applied_in_slices_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values that take .4 ms each: the event loop has its turn after every third, the first to go over 1 ms."""
    followed = Followed(1)
    now, turns = [0.0], []
    apply = ItemShares.apply

    def slow(self: ItemShares, item_id: str, data: bytes | None) -> None:
        now[0] += 0.0004
        apply(self, item_id, data)

    async def turn(delay_s: float) -> None:
        turns.append(len(followed.shares[1]))

    monkeypatch.setattr(ItemShares, "apply", slow)
    monkeypatch.setattr(module, "asyncio", SimpleNamespace(sleep=turn))

    asyncio.run(follow_shares(given(Batch({1: records(1, 11)})), shares=followed, clock=lambda: now[0]))

    assert turns == [3, 6, 9]
    assert len(followed.shares[1]) == 11
