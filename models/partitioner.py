"""The partition a key belongs to, as the producers' own client libraries work it out."""

import zlib
from collections.abc import Callable, Mapping
from struct import unpack_from
from types import MappingProxyType

from models.errors import SettingsError

_SEED = 0x9747B28C
_MULTIPLIER = 0x5BD1E995
_MASK = 0xFFFFFFFF


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


PARTITIONERS: Mapping[str, Callable[[bytes], int]] = MappingProxyType(
    {"murmur2": lambda key: murmur2(key) & 0x7FFFFFFF, "crc32": crc32}
)
"""Partitioner name -> the number whose remainder is the partition. The Java client drops the sign bit."""


def partition_of(key: bytes, n_partitions: int, partitioner: str = "murmur2") -> int:
    """Partition of a key, 0 to n_partitions - 1.

    Parameters
    ----------
    partitioner
        ``murmur2``: the default of the Java client and of aiokafka. ``crc32``: the default of librdkafka
        (``consistent_random``, which spreads empty keys at random: no user_id is empty).

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
