"""What keys in unexpected partitions say of their producers."""

import pytest

from models.partitioner import CLIENTS, PARTITIONERS, partition_of
from models.placement import diagnose, hint

KEYS = [f"user-{number}".encode() for number in range(178)]
PAIRS = [(theirs, ours) for theirs in PARTITIONERS for ours in PARTITIONERS if theirs != ours]


@pytest.mark.parametrize(("theirs", "ours"), PAIRS)
def test_the_formula_of_misplaced_keys_is_found(theirs: str, ours: str) -> None:
    """One formula fits all keys that lie elsewhere than ours says: it, its clients and the setting are named."""
    placed = [(key, partition_of(key, 6, theirs)) for key in KEYS]
    elsewhere = [(key, number) for key, number in placed if number != partition_of(key, 6, ours)]

    names, found, advice = diagnose([*elsewhere, elsewhere[0]], 6, ours)

    assert names == (theirs,)
    assert found == f"all {len(elsewhere)} keys fit {theirs}: {', '.join(CLIENTS[theirs])}"
    assert f"FRESHET_PARTITIONER={theirs} and run `freshet reset`" in advice
    assert "`freshet dead-letters redrive`" in advice


def test_the_producers_side_is_named() -> None:
    """What the same client can be set to is in the advice; a client that cannot is told nothing of others."""
    sarama = diagnose([(key, partition_of(key, 6, "fnv1a")) for key in KEYS], 6, "murmur2").advice
    platformatic = diagnose([(key, partition_of(key, 6, "murmur2_unsigned")) for key in KEYS], 6, "crc32").advice

    assert "place by murmur2 (librdkafka with partitioner=murmur2_random, IBM/sarama NewMurmur2Partitioner, " in sarama
    assert "place by" not in platformatic


def test_round_robin_is_no_function_of_the_key() -> None:
    """No formula fits keys dealt out in turn: the settings of the producer are what is to change."""
    names, found, advice = diagnose(((key, n % 6) for n, key in enumerate(KEYS)), 6, "murmur2")

    assert names == ()
    assert found.startswith("no function of the key (")
    for part in ("kafka-go's Writer", "Murmur2Balancer", "intake", "redrive"):
        assert part in advice
    assert "FRESHET_PARTITIONER" not in advice


def test_one_key_in_two_partitions_is_no_function_of_it() -> None:
    """However few they are."""
    assert diagnose([(b"a", 0), (b"a", 1), (b"a", 2), (b"a", 3), (b"a", 4), (b"a", 5)], 6, "murmur2").names == ()


def test_two_kinds_of_producers_are_told_apart() -> None:
    """Keys of which each fits one of two formulas: both are named, and that producers have to agree."""
    placed = [(key, partition_of(key, 6, ("crc32", "fnv1a")[n % 2])) for n, key in enumerate(KEYS)]

    names, _, advice = diagnose(placed, 6, "murmur2")

    assert names == ("crc32", "fnv1a")
    assert "give all of them one partitioner" in advice


def test_few_keys_fit_several() -> None:
    """With one key several formulas may fit: all are named, none is advised. Without any nothing is said."""
    names, _, advice = diagnose([(b"user-2", 4)], 6, "murmur2")

    assert names == ("crc32", "murmur2_unsigned")
    assert "FRESHET_PARTITIONER=" not in advice
    assert diagnose([], 6, "murmur2").names == ()


def test_a_hint_for_one_record() -> None:
    """The formulas that fit, with their clients, or that none does."""
    assert "fits fnv1a: IBM/sarama, segmentio/kafka-go Hash" in hint(b"user-1", 0, 6)
    assert "round robin" in hint(b"user-2", 0, 6)
