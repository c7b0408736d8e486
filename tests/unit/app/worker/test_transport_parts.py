"""Cutting fetched records into chunks, and refusing state of another log."""

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from app.worker.checkpoints import check_marker
from app.worker.chunks import split
from models.errors import ResetRequired
from tables.fold_settings import FoldSettings
from tables.partition import PartitionState
from tests.logs import record
from tests.saved import Topics, folded


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


def loaded(n: int, n_partitions: int = 1, settings: FoldSettings | None = None) -> PartitionState:
    """A state of `n` events, saved and loaded again."""
    topics = Topics()
    topics.save(folded([record(offset, "u", "i") for offset in range(n)]).cut(-1))
    state = PartitionState(0, n_partitions, settings or FoldSettings())
    return topics.load(state, [(topic, key, value) for (topic, key), value in topics.latest.items()])


def test_state_of_this_log_is_taken() -> None:
    """A state that ends where the log ends, or before, fits."""
    check_marker(loaded(5), 5, 1)
    check_marker(loaded(5), 6, 1)


def test_empty_state_fits_every_log() -> None:
    """A partition never saved starts from nothing."""
    check_marker(PartitionState(0, 1, FoldSettings()), 0, 1)


def test_state_beyond_the_end_is_refused() -> None:
    """A log shorter than what was folded is another log."""
    with pytest.raises(ResetRequired, match=r"up to offset 5, but its log ends at 4.*`freshet reset`"):
        check_marker(loaded(5), 4, 1)


def test_state_of_another_partition_count_is_refused() -> None:
    """With other partitions users have moved."""
    with pytest.raises(ResetRequired, match=r"made of 1 partitions, the topic has 2.*`freshet reset`"):
        check_marker(loaded(5, 2), 5, 2)


def test_other_settings_are_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """State made with other settings is kept, and said."""
    with caplog.at_level(logging.WARNING, "freshet"):
        check_marker(loaded(5, settings=FoldSettings(max_seen=17)), 5, 1)

    assert "settings that shape state have changed" in caplog.text
