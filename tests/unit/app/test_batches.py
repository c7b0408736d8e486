"""Batches read raw: what their headers say, and whether they can be decoded."""

import pytest

from app.batches import first_batch
from tests.batches import CODES, batch_bytes, damaged


@pytest.mark.parametrize("codec", CODES)
def test_a_batch_says_where_it_lies_and_can_be_decoded(codec: str) -> None:
    """First offset, the one behind the last, codec and its own bytes, whatever follows."""
    data = batch_bytes(40, 30, codec)

    batch = first_batch(data + batch_bytes(70, 1))

    assert (batch.first, batch.behind, batch.codec, batch.data) == (40, 70, codec, data)
    assert batch.why_unreadable() is None


@pytest.mark.parametrize("codec", CODES)
def test_a_damaged_batch_says_so(codec: str) -> None:
    """One bit is enough."""
    batch = first_batch(damaged(batch_bytes(0, 30, codec)))

    assert batch.why_unreadable() == "CorruptRecordException: its CRC is another one"


def test_its_sum_is_of_what_the_producer_sent() -> None:
    """The offset and the epoch, which a leader fills in, change nothing; a byte of the records does."""
    here = batch_bytes(0, 30)
    same = (900).to_bytes(8, "big") + here[8:12] + (7).to_bytes(4, "big") + here[16:]

    assert first_batch(here).sha256 == first_batch(same).sha256
    assert first_batch(here).sha256 != first_batch(damaged(here)).sha256


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "0 bytes are no batch"),
        (batch_bytes(7, 30)[:100], r"the batch at offset 7 has \d+ bytes, 100 are here"),
        (batch_bytes(7, 3)[:16] + b"\1" + batch_bytes(7, 3)[17:], "offset 7 is of format 1, older than Kafka 0.11"),
    ],
)
def test_what_is_no_batch_is_refused(data: bytes, said: str) -> None:
    """With what is there instead."""
    with pytest.raises(ValueError, match=said):
        first_batch(data)
