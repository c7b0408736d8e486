"""Record batches as they lie in the log: read raw, with what their headers say, decoded or not."""

import struct
from dataclasses import dataclass
from hashlib import sha256

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CorruptRecordException, NoError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.memory_records import MemoryRecords

from app.decoding import why_not
from models.errors import ServiceError

CODECS = {0: "none", 1: "gzip", 2: "snappy", 3: "lz4", 4: "zstd"}
WAIT_MS = 500
UNCOMMITTED = 0

_HEADER = struct.Struct(">qiibIhi")  # first offset, length, leader's epoch, magic, CRC, attributes, last offset's delta
_FIXED = 12  # bytes of first offset and length
_OURS = 16  # the bytes before this one are the log's, those from it on the producer's
_CODEC_BITS, _MAGIC = 0x07, 2


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch.

    Parameters
    ----------
    first, behind
        Its first offset, and the one behind its last.
    codec
        By name; `unknown (5)` and so on for bits that no release of Kafka has given a meaning.
    data
        All its bytes.
    """

    first: int
    behind: int
    codec: str
    data: bytes

    @property
    def sha256(self) -> str:
        """Of the bytes that a leader does not change."""
        return sha256(self.data[_OURS:]).hexdigest()

    def why_unreadable(self) -> str | None:
        """Why it cannot be decoded; None if it can."""
        try:
            batch = MemoryRecords(self.data).next_batch()
            if not batch.validate_crc():
                raise CorruptRecordException("its CRC is another one")
            for _ in batch:
                pass
        except Exception as error:  # noqa: BLE001 each codec has errors of its own
            return why_not(error)
        return None


def first_batch(data: bytes) -> Batch:
    """The batch that some bytes of a log begin with.

    Raises
    ------
    ValueError
        If they hold less than one batch, or one of a format older than that of Kafka 0.11.
    """
    if len(data) < _HEADER.size:
        raise ValueError(f"{len(data)} bytes are no batch")
    first, length, _, magic, _, attributes, last = _HEADER.unpack_from(data)
    if magic < _MAGIC:
        raise ValueError(f"the batch at offset {first} is of format {magic}, older than Kafka 0.11")
    if len(data) < _FIXED + length:
        raise ValueError(f"the batch at offset {first} has {_FIXED + length} bytes, {len(data)} are here")
    code = attributes & _CODEC_BITS
    return Batch(first, first + last + 1, CODECS.get(code, f"unknown ({code})"), data[: _FIXED + length])


async def raw_batch(consumer: AIOKafkaConsumer, tp: TopicPartition, offset: int) -> Batch:
    """The batch that holds an offset, or the first one behind it, as the leader of its partition gives it.

    Raises
    ------
    ServiceError
        If there is none, or the broker does not give it.
    """
    await consumer.end_offsets([tp])  # the client learns who leads
    client = consumer._client
    request = FetchRequest(WAIT_MS, 1, 1, UNCOMMITTED, [(tp.topic, [(tp.partition, offset, 1)])])  # one batch, whole
    response = await client.send(client.cluster.leader_for_partition(tp), request)
    ((_, ((_, code, *_, data),)),) = response.topics
    try:
        if for_code(code) is not NoError:
            raise ValueError(f"the broker answers {for_code(code).__name__}")
        return first_batch(bytes(data or b""))
    except ValueError as error:
        raise ServiceError(
            f"there is no batch to be had at offset {offset} of partition {tp.partition} of {tp.topic}: {error}. "
            f"{await _there(consumer, tp)}"
        ) from error


async def _there(consumer: AIOKafkaConsumer, tp: TopicPartition) -> str:
    """Which offsets there are."""
    start, end = (await consumer.beginning_offsets([tp]))[tp], (await consumer.end_offsets([tp]))[tp]
    return f"It holds offsets {start} to {end - 1}." if end > start else f"It is empty, its next offset is {end}."


async def step_behind(consumer: AIOKafkaConsumer, tp: TopicPartition, offset: int) -> Batch:
    """Have a consumer go on behind the batch at an offset; for readers of what heals without it.

    Raises
    ------
    ServiceError
        If the broker does not give it.
    """
    batch = await raw_batch(consumer, tp, offset)
    consumer.seek(tp, batch.behind)
    return batch
