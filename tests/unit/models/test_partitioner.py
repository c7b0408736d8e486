"""`models.partitioner`: the partitions of the Java client, aiokafka and librdkafka."""

import random
import zlib
from typing import get_args

import pytest
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.partitioner import murmur2 as aiokafka_murmur2

from app.settings import Settings
from models.errors import SettingsError
from models.partitioner import CLIENTS, PARTITIONERS, crc32, fitting, fnv1a, murmur2, partition_of

JAVA_HASHES = {  # as the Java client prints them: signed
    b"": 275646681,
    b"1": -1993445489,
    b"12": 126087238,
    b"123": -267702483,
    b"1234": -1614185708,
    b"12345": -1188365604,
    b"21": -973932308,
    b"abc": 479470107,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
}


def random_keys(n_keys: int) -> list[bytes]:
    """Keys of 0 to 40 bytes of any value, and of 256, the longest id."""
    draw = random.Random(7)
    return [draw.randbytes(n % 41) for n in range(n_keys)] + [draw.randbytes(256) for _ in range(20)]


@pytest.mark.parametrize("key", JAVA_HASHES)
def test_murmur2_is_the_java_clients(key: bytes) -> None:
    """The hashes that the Java client's own tests and other clients publish."""
    assert murmur2(key) == JAVA_HASHES[key] % 2**32


def test_murmur2_agrees_with_aiokafka() -> None:
    """Any bytes, any length, also with the highest bits set: the same hash as aiokafka's."""
    for key in random_keys(2_000):
        assert murmur2(key) == aiokafka_murmur2(key) % 2**32, key


@pytest.mark.parametrize("n_partitions", [1, 2, 3, 8, 12, 1000])
def test_murmur2_partitions_are_those_of_aiokafkas_producer(n_partitions: int) -> None:
    """A key lands where aiokafka's default partitioner sends it."""
    send_to = DefaultPartitioner()
    partitions = list(range(n_partitions))
    for key in random_keys(300):
        assert partition_of(key, n_partitions) == send_to(key, partitions, partitions), key


def test_crc32_is_the_common_one() -> None:
    """The polynomial's check value, and zlib's answer for any bytes."""
    assert crc32(b"123456789") == 0xCBF43926
    assert crc32(b"") == 0
    for key in random_keys(300):
        assert partition_of(key, 12, "crc32") == zlib.crc32(key) % 12


def test_the_sign_bit_matters_to_murmur2_alone() -> None:
    """The Java client drops it before the remainder; librdkafka takes all 32 bits."""
    assert murmur2(b"foobar") >= 2**31
    assert partition_of(b"foobar", 1000) == (murmur2(b"foobar") - 2**31) % 1000 != murmur2(b"foobar") % 1000
    assert crc32(b"foobar") >= 2**31
    assert partition_of(b"foobar", 1000, "crc32") == crc32(b"foobar") % 1000


@pytest.mark.parametrize("partitioner", PARTITIONERS)
def test_users_spread_evenly(partitioner: str) -> None:
    """Each of 8 partitions gets its share of 8,000 users within a fifth."""
    counts = [0] * 8
    for n in range(8_000):
        counts[partition_of(b"user_%d" % n, 8, partitioner)] += 1
    assert 800 <= min(counts) <= max(counts) <= 1200


def test_settings_that_cannot_be_are_refused() -> None:
    """An unknown partitioner and a topic without partitions say what is allowed."""
    with pytest.raises(SettingsError, match=r"'md5': unknown\. Use one of murmur2, crc32, fnv1a, "):
        partition_of(b"u1", 8, "md5")
    with pytest.raises(SettingsError, match="n_partitions has value 0"):
        partition_of(b"u1", 0)


FNV1A = {b"": 0x811C9DC5, b"a": 0xE40C292C, b"foobar": 0xBF9CF968}
"""From the test vectors of the hash's authors."""


@pytest.mark.parametrize("key", FNV1A)
def test_fnv1a_is_that_of_its_authors(key: bytes) -> None:
    """Equal to the published values."""
    assert fnv1a(key) == FNV1A[key]


def test_what_becomes_of_the_sign() -> None:
    """A hash with the sign bit: sarama takes the sign away, its reference and Java the bit, platformatic neither."""
    assert fnv1a(b"foobar") >= 2**31
    assert PARTITIONERS["fnv1a"](b"foobar") == 2**32 - fnv1a(b"foobar")
    assert PARTITIONERS["fnv1a_reference"](b"foobar") == fnv1a(b"foobar") - 2**31
    assert (
        PARTITIONERS["murmur2_unsigned"](b"foobar") == murmur2(b"foobar") == PARTITIONERS["murmur2"](b"foobar") + 2**31
    )


def test_every_name_has_clients_and_is_a_setting() -> None:
    """What can be named can be set, and belongs to somebody."""
    choices = get_args(Settings.model_fields["partitioner"].annotation)

    assert PARTITIONERS.keys() == CLIENTS.keys() == set(choices)
    assert all(CLIENTS.values())


@pytest.mark.parametrize("name", PARTITIONERS)
def test_fitting_finds_the_one(name: str) -> None:
    """Of forty keys in six partitions one formula fits all; with one key elsewhere none does."""
    placed = [(b"user-%d" % n, partition_of(b"user-%d" % n, 6, name)) for n in range(40)]

    assert fitting(placed, 6) == [name]
    assert fitting([*placed, (b"x", 7)], 6) == []
    assert fitting([], 6) == list(PARTITIONERS)
