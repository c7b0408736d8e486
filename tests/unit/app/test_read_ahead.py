"""Values from a thread of their own."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from app.read_ahead import read_ahead
from models.errors import LogError


def collected(values: Iterator[int], most: int = 3) -> list[int]:
    """All that comes."""

    async def collect() -> list[int]:
        return [value async for value in read_ahead(values, most)]

    return asyncio.run(collect())


@pytest.mark.parametrize("n", [0, 1, 3, 1000])
def test_all_values_come_in_their_order(n: int) -> None:
    """However few may lie ahead."""
    assert collected(iter(range(n))) == list(range(n))


def test_what_the_iterator_raises_comes_behind_its_values() -> None:
    """Nothing that was read before is lost."""

    def broken() -> Iterator[int]:
        yield from (1, 2)
        raise LogError("torn")

    found: list[int] = []

    async def collect() -> None:
        async for value in read_ahead(broken(), 1):
            found.append(value)

    with pytest.raises(LogError, match="torn"):
        asyncio.run(collect())
    assert found == [1, 2]


def test_a_value_comes_while_the_next_is_waited_for() -> None:
    """Each is there at once, and who no longer listens lets the thread end."""
    gate = threading.Event()
    over = threading.Event()

    def slow() -> Iterator[int]:
        try:
            yield 1
            gate.wait()
            yield from range(2, 100)
        finally:
            over.set()

    async def first() -> int:
        values = read_ahead(slow(), 1)
        async for value in values:
            await values.aclose()  # type: ignore[attr-defined]
            return value
        return 0

    assert asyncio.run(first()) == 1
    gate.set()
    assert over.wait(10)
