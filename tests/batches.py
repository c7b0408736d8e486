"""Record batches as producers make them, without a broker."""

from aiokafka.record.default_records import DefaultRecordBatchBuilder

CODES = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
VALUE = b"a value that is long enough to be worth a codec, the same as others: %d"


def batch_bytes(first: int, n: int, codec: str = "none") -> bytes:
    """A batch of `n` records from an offset on."""
    builder = DefaultRecordBatchBuilder(2, CODES[codec], 0, -1, -1, 0, 1 << 20)
    for number in range(n):
        builder.append(number, 1_700_000_000_000, b"k%d" % (first + number), VALUE % (first + number), [])
    data = bytearray(builder.build())
    data[:8] = first.to_bytes(8, "big")  # as the leader does; it is not under the CRC
    return bytes(data)


def damaged(batch: bytes) -> bytes:
    """The same with a byte changed in the middle."""
    middle = len(batch) // 2
    return batch[:middle] + bytes([batch[middle] ^ 1]) + batch[middle + 1 :]
