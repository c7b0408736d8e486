"""What cannot be decoded ends what has come of its partition, and costs no other one anything."""

from collections import OrderedDict
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.record.memory_records import MemoryRecords

from app.decoding import Failure, check_decoded, tell_apart
from models.errors import Undecodable
from tests.batches import batch_bytes, damaged

TP = TopicPartition("user_events", 3)


class Position:
    """Where the client stands in one partition."""

    paused = False

    def __init__(self) -> None:
        self.position = 0

    def consumed_to(self, offset: int) -> None:
        self.position = offset


def fetched(data: bytes, position: Position) -> FetchResult:
    """What a fetch has brought, not taken yet."""
    records = PartitionRecords(TP, MemoryRecords(data), [], 0, None, None, True, 1)
    assignment = SimpleNamespace(active=True, state_value=lambda tp: position)
    return FetchResult(TP, assignment=assignment, partition_records=records, backoff=0)


def client(**known: Any) -> Any:
    """A consumer that was started."""
    return SimpleNamespace(_fetcher=SimpleNamespace(_records=OrderedDict(known)))


@pytest.mark.parametrize("max_records", [None, 1, 30, 31, 1000])
def test_good_records_before_a_bad_batch_are_handed_out(max_records: int | None) -> None:
    """All of them, in however many takes; then nothing more comes, and the position stands at the batch."""
    consumer, position = client(), Position()
    failures = tell_apart(consumer)
    data = batch_bytes(0, 30) + damaged(batch_bytes(30, 30, "zstd")) + batch_bytes(60, 30)
    result = consumer._fetcher._records[TP] = fetched(data, position)

    offsets: list[int] = []
    while result.has_more():
        offsets += [record.offset for record in result.getall(max_records)]

    assert offsets == list(range(30)) and position.position == 30
    assert failures == {TP: Failure(30, failures[TP].why)}
    assert failures[TP].why.startswith("CorruptRecordException: Invalid CRC")


def test_what_came_before_is_watched_as_well() -> None:
    """A fetch that was answered before the client was told to tell apart."""
    position = Position()
    consumer = client()
    consumer._fetcher._records[TP] = result = fetched(damaged(batch_bytes(0, 30)), position)

    failures = tell_apart(consumer)

    assert result.getall() == [] and failures[TP].offset == 0
    assert tell_apart(consumer) is failures


def test_good_batches_are_as_before() -> None:
    """Every record, and no failure."""
    consumer, position = client(), Position()
    failures = tell_apart(consumer)
    consumer._fetcher._records[TP] = result = fetched(batch_bytes(0, 30, "lz4") + batch_bytes(30, 5), position)

    assert [record.offset for record in result.getall()] == list(range(35))
    assert not failures and position.position == 35
    check_decoded(failures)


def test_a_reader_that_needs_all_refuses() -> None:
    """Naming topic, partition, offset and reason."""
    with pytest.raises(Undecodable, match="topic user_events, partition 3, offset 7 cannot be decoded: EOFError"):
        check_decoded({TP: Failure(7, "EOFError")})
