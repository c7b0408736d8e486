"""Cutting fetched records into chunks."""

from types import SimpleNamespace
from typing import Any

import pytest

from app.worker.chunks import split


def records(sizes: list[int | None]) -> list[Any]:
    """Records with values of these sizes; None: no value."""
    return [SimpleNamespace(value=None if size is None else b"x" * size) for size in sizes]


def cut(sizes: list[int | None], max_records: int, max_bytes: int) -> list[list[int | None]]:
    """The sizes, cut into chunks."""
    return [
        [None if one.value is None else len(one.value) for one in chunk]
        for chunk in split(records(sizes), max_records, max_bytes)
    ]


@pytest.mark.parametrize(
    ("sizes", "chunks"),
    [
        ([], []),
        ([1], [[1]]),
        ([1, 1, 1], [[1, 1, 1]]),
        ([1, 1, 1, 1], [[1, 1, 1], [1]]),
        ([6, 5], [[6], [5]]),
        ([5, 5, 1], [[5, 5], [1]]),
        ([99], [[99]]),
        ([1, 99, 1], [[1], [99], [1]]),
        ([None, None, None, None], [[None, None, None], [None]]),
    ],
)
def test_chunks_are_bounded(sizes: list[int | None], chunks: list[list[int | None]]) -> None:
    """At most 3 records and 10 bytes a chunk; a record larger than that stands alone, none is left out."""
    assert cut(sizes, 3, 10) == chunks
