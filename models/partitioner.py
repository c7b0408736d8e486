"""The partition a key belongs to, as the producers' own client libraries work it out."""

import zlib
from collections.abc import Callable, Iterable, Mapping
from struct import unpack_from
from types import MappingProxyType

from models.errors import SettingsError

_SEED = 0x9747B28C
_MULTIPLIER = 0x5BD1E995
_MASK = 0xFFFFFFFF
_FNV_OFFSET = 0x811C9DC5
_FNV_PRIME = 0x01000193


def murmur2(key: bytes) -> int:
    """Murmur2 hash of a key with Kafka's seed, 0 to 2**32 - 1.

    The Java client prints the same 32 bits as a signed number.

    Examples
    --------
    >>> murmur2(b"foobar") == -790332482 % 2**32
    True
    """
    size = len(key)
    n_words = size >> 2
    state = _SEED ^ size
    for word in unpack_from(f"<{n_words}I", key):
        mixed = word * _MULTIPLIER & _MASK
        state = (state * _MULTIPLIER & _MASK) ^ ((mixed ^ mixed >> 24) * _MULTIPLIER & _MASK)
    if size & 3:
        state = (state ^ int.from_bytes(key[n_words << 2 :], "little")) * _MULTIPLIER & _MASK
    state = (state ^ state >> 13) * _MULTIPLIER & _MASK
    return state ^ state >> 15


def crc32(key: bytes) -> int:
    """CRC-32 of a key (the polynomial of zlib and Ethernet), 0 to 2**32 - 1.

    Examples
    --------
    >>> hex(crc32(b"123456789"))
    '0xcbf43926'
    """
    return zlib.crc32(key)


def fnv1a(key: bytes) -> int:
    """FNV-1a hash of a key, 0 to 2**32 - 1.

    Examples
    --------
    >>> hex(fnv1a(b"foobar"))
    '0xbf9cf968'
    """
    state = _FNV_OFFSET
    for byte in key:
        state = (state ^ byte) * _FNV_PRIME & _MASK
    return state


def _absolute(hashed: int) -> int:
    """The same 32 bits as a signed number, without its sign."""
    return hashed if hashed < 2**31 else 2**32 - hashed


PARTITIONERS: Mapping[str, Callable[[bytes], int]] = MappingProxyType(
    {
        "murmur2": lambda key: murmur2(key) & 0x7FFFFFFF,
        "crc32": crc32,
        "fnv1a": lambda key: _absolute(fnv1a(key)),
        "fnv1a_reference": lambda key: fnv1a(key) & 0x7FFFFFFF,
        "murmur2_unsigned": murmur2,
    }
)
"""Partitioner name -> the number, never negative, whose remainder is the partition.

The Java client drops the sign bit. IBM/sarama takes the absolute value of the signed remainder, which is the remainder
of the absolute value.
"""

CLIENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "murmur2": (
            "the Java client",
            "aiokafka",
            "kafka-python",
            "KafkaJS",
            "franz-go",
            "librdkafka with partitioner=murmur2_random",
            "IBM/sarama NewMurmur2Partitioner",
            "segmentio/kafka-go Murmur2Balancer",
            "@platformatic/kafka compatibilityPartitioner",
        ),
        "crc32": (
            "librdkafka (confluent-kafka, rdkafka, node-rdkafka)",
            "IBM/sarama NewConsistentCRCHashPartitioner",
            "segmentio/kafka-go CRC32Balancer",
        ),
        "fnv1a": ("IBM/sarama", "segmentio/kafka-go Hash", "librdkafka with partitioner=fnv1a_random"),
        "fnv1a_reference": ("IBM/sarama NewReferenceHashPartitioner", "segmentio/kafka-go ReferenceHash"),
        "murmur2_unsigned": ("@platformatic/kafka",),
    }
)
"""Partitioner name -> who places so: clients by their default, or with the setting that is named."""


def fitting(placed: Iterable[tuple[bytes, int]], n_partitions: int) -> list[str]:
    """Names of the partitioners that put each of the keys where it was found.

    Parameters
    ----------
    placed
        Keys, each with the partition it lay in. Few keys fit by chance: one key of six partitions fits a wrong
        formula every sixth time.

    Examples
    --------
    >>> fitting([(b"user-1", 0), (b"user-2", 3)], 6)
    ['fnv1a']
    """
    names = list(PARTITIONERS)
    for key, partition in placed:
        names = [name for name in names if PARTITIONERS[name](key) % n_partitions == partition]
        if not names:
            break
    return names


def partition_of(key: bytes, n_partitions: int, partitioner: str = "murmur2") -> int:
    """Partition of a key, 0 to n_partitions - 1.

    Parameters
    ----------
    partitioner
        One of `PARTITIONERS`; `CLIENTS` says whose each is. (Some spread empty keys at random: no user_id is empty.)

    Raises
    ------
    SettingsError
        An unknown partitioner, or fewer than one partition.

    Examples
    --------
    >>> partition_of(b"foobar", 8), partition_of(b"foobar", 8, "crc32")
    (6, 5)
    """
    hashed = PARTITIONERS.get(partitioner)
    if hashed is None:
        names = ", ".join(PARTITIONERS)
        raise SettingsError(
            f"partitioner has value {partitioner!r}: unknown. Use one of {names}, as your producers do."
        )
    if n_partitions < 1:
        raise SettingsError(f"n_partitions has value {n_partitions!r}: a topic has 1 or more partitions.")
    return hashed(key) % n_partitions
