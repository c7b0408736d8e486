"""Which batch a stored order to skip is for."""

import pytest

from app.batches import first_batch
from app.stopped.skips import is_skipped
from tables.skips import Skip
from tests.batches import batch_bytes, damaged

BATCH = first_batch(damaged(batch_bytes(40, 30)))
SKIP = Skip("user_events", 3, 40, 70, BATCH.sha256, "CRC", len(BATCH.data), 0)


def test_it_is_for_these_bytes_at_this_place() -> None:
    """Topic, partition, first offset and sum are all the same."""
    assert is_skipped([SKIP], "user_events", 3, BATCH)


@pytest.mark.parametrize(("topic", "partition"), [("other", 3), ("user_events", 2)])
def test_not_for_another_partition(topic: str, partition: int) -> None:
    """The same bytes elsewhere are another batch."""
    assert not is_skipped([SKIP], topic, partition, BATCH)


@pytest.mark.parametrize("data", [batch_bytes(40, 30), damaged(batch_bytes(40, 31)), damaged(batch_bytes(41, 30))])
def test_not_for_other_bytes(data: bytes) -> None:
    """A topic made anew has other batches at its offsets."""
    assert not is_skipped([SKIP], "user_events", 3, first_batch(data))
