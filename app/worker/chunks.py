"""Chunks: what one Faust message holds."""

from collections.abc import Iterator
from typing import NamedTuple

from aiokafka import ConsumerRecord

CHUNK_BYTES = 1 << 20


class Chunk(NamedTuple):
    """Consecutive records of one partition, and the generation and time (s) in which they were fetched."""

    partition: int
    records: list[ConsumerRecord]
    generation: int
    fetched_at: float = 0.0


def split(
    records: list[ConsumerRecord], max_records: int, max_bytes: int = CHUNK_BYTES
) -> Iterator[list[ConsumerRecord]]:
    """Cut fetched records into chunks bounded by number and by bytes of their values."""
    start = size = 0
    for place, record in enumerate(records):
        n_bytes = len(record.value or b"")
        if place > start and (place - start >= max_records or size + n_bytes > max_bytes):
            yield records[start:place]
            start, size = place, 0
        size += n_bytes
    if records:
        yield records[start:]
