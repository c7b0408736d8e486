"""Old records by turns: which go in a round, and when what is new may come."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.intake.history import oldest
from app.intake.merge import Merge

SPAN_MS = 1000


def take(merge: Merge, **offers: tuple[list[int], bool]) -> dict[str, int]:
    """How many of its records each one may write, where all ask at once; those that have to wait are missing."""

    async def ask() -> dict[str, int]:
        for name in offers:
            merge.join(name)
        tasks = {
            name: asyncio.create_task(merge.take(name, times, is_all=is_all))
            for name, (times, is_all) in offers.items()
        }
        for _ in range(10):
            await asyncio.sleep(0)
        taken = {name: task.result() for name, task in tasks.items() if task.done()}
        for task in tasks.values():
            task.cancel()
        return taken

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("offers", "taken"),
    [
        ({"a": ([1, 2, 3], True), "b": ([2, 4], True)}, {"a": 3, "b": 2}),  # all there is
        ({"a": ([1, 2, 3], False), "b": ([2, 4], True)}, {"a": 3, "b": 1}),  # behind 3 a may have more before 4
        ({"a": ([5, 1, 2], False), "b": ([3, 9], False)}, {"a": 3, "b": 1}),  # 1 and 2 come behind 5 in their partition
        ({"a": ([1, 1500], True), "b": ([900, 1100], True)}, {"a": 1, "b": 1}),  # no longer than the span
        ({"a": ([9000], True), "b": ([1, 2], False)}, {"b": 2}),  # a waits for its time
        ({"a": ([-1, 5], True), "b": ([3], True)}, {"a": 2, "b": 1}),  # a record without a time is the oldest
    ],
)
def test_a_round_goes_as_far_as_is_known(offers: dict[str, tuple[list[int], bool]], taken: dict[str, int]) -> None:
    """Nobody writes what may be newer than what another has not fetched, nor more than the span at once."""
    assert take(Merge(SPAN_MS), **offers) == taken


def test_a_round_waits_for_all_but_for_those_who_left() -> None:
    """One that has stopped holds nobody up; when the last one has left, what is new may come."""

    async def main() -> None:
        merge = Merge(SPAN_MS)
        merge.join("a")
        merge.join("b")
        asking = asyncio.create_task(merge.take("a", [1], is_all=True))
        await asyncio.sleep(0)
        assert not asking.done()
        merge.leave("b")
        assert await asking == 1
        assert not merge.is_done.is_set()
        merge.leave("a")
        assert merge.is_done.is_set()

    asyncio.run(main())


def at_hand(times_ms: list[int], partition: int, *, is_read: bool) -> Any:
    """A cursor and its records."""
    records = [
        SimpleNamespace(timestamp=time_ms, offset=offset, partition=partition)
        for offset, time_ms in enumerate(times_ms)
    ]
    return SimpleNamespace(is_read=is_read), records


def merged(*given: Any) -> list[tuple[int, int]]:
    """Partition and offset of the oldest records."""
    return [(record.partition, record.offset) for record in cast(Any, oldest(list(given)))]


def test_history_is_merged_by_time_and_each_partition_keeps_its_order() -> None:
    """Equal times go by partition; what was written late in a partition stays where it lies."""
    assert merged(at_hand([1, 5, 3], 0, is_read=True), at_hand([1, 2, 9], 1, is_read=True)) == [
        (0, 0),
        (1, 0),
        (1, 1),
        (0, 1),
        (0, 2),
        (1, 2),
    ]


def test_history_goes_no_further_than_is_known() -> None:
    """Behind the last record at hand of a partition that has more there may be older ones than others have."""
    assert merged(at_hand([1, 4], 0, is_read=False), at_hand([2, 9], 1, is_read=True)) == [(0, 0), (1, 0), (0, 1)]
