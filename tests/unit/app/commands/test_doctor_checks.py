"""What the doctor makes of what it sees."""

from collections import Counter

import pytest

from app.broker import Broker
from app.doctor.broker import release_of
from app.doctor.group import check_lags, check_members
from app.doctor.intake import check_missing, lag_by_source, lags
from app.doctor.letters import findings_of
from app.doctor.redis import check_version
from app.doctor.topics import LIMIT, check_config, check_counts, check_dead_letter_limit
from app.intake.inputs import Input
from app.settings import Settings
from models.partitioner import partition_of
from tables.intake import Place
from tables.names import Names

NAMES = Names("shop")
SPECS = {spec.name: spec for spec in NAMES.topics(4)}


@pytest.mark.parametrize(
    ("versions", "release"),
    [
        ({1: (4, 18), 80: (0, 0)}, "4.0 or newer"),
        ({1: (0, 17), 80: (0, 0), 60: (0, 1)}, "3.9 or newer"),
        ({1: (0, 12), 60: (0, 0)}, "2.8 or newer"),
        ({1: (0, 11)}, "older than 2.8"),
    ],
)
def test_release(versions: dict[int, tuple[int, int]], release: str) -> None:
    """The release is guessed from the requests that the broker knows."""
    assert release_of(versions) == release


def test_partition_counts_must_agree() -> None:
    """A checkpoint topic with another number of partitions is wrong, and `freshet reset` is the advice."""
    counts = {spec.name: spec.partitions for spec in SPECS.values()}
    assert [finding.status for finding in check_counts(NAMES, counts)] == ["ok"]

    (finding,) = check_counts(NAMES, {**counts, NAMES.item_checkpoints: 2})

    assert finding.status == "wrong"
    assert NAMES.item_checkpoints in finding.found
    assert "freshet reset" in finding.advice


def test_configuration_that_differs_is_noted_with_its_effect() -> None:
    """What Freshet makes otherwise is worth a note; what has a check of its own is left to that."""
    spec, events = SPECS[NAMES.user_checkpoints], SPECS[NAMES.events]
    assert check_config(spec, spec.config, NAMES.events) == []
    assert check_config(events, {**events.config, "retention.ms": "1"}, NAMES.events) == []
    elsewhere = {**spec.config, "cleanup.policy": "delete", LIMIT: "9"}
    assert check_config(spec, elsewhere, NAMES.events) == []

    (note,) = check_config(spec, {**spec.config, "segment.ms": "1"}, NAMES.events)

    assert note.status == "note"
    assert "segment.ms is 1, Freshet makes it with 60000" in note.found
    assert "the more a start has to read" in note.advice


@pytest.mark.parametrize(
    ("taken", "given", "status", "words"),
    [
        (100_001, 100_000, "ok", ""),
        (100_000, 100_000, "wrong", "large bad events are cut"),
        (32_768, 1_000, "ok", ""),
        (32_767, 1_000, "wrong", "No worker starts with that. Run: kafka-configs.sh"),
        (1_000, 100_000, "wrong", "No worker starts with that. Run: kafka-configs.sh"),
    ],
)
def test_dead_letters_take_more_than_events(taken: int, given: int, status: str, words: str) -> None:
    """An event with its headers fits into the dead letters whole only if their limit is greater; cut, from 32 KiB."""
    limits = {NAMES.dead_letters: {LIMIT: str(taken)}, NAMES.events: {LIMIT: str(given)}}

    (finding,) = check_dead_letter_limit(NAMES, limits, Broker("b:1"))

    assert finding.status == status
    assert words in finding.advice
    assert (status == "wrong") == (f"--add-config {LIMIT}={max(2 * given, 32_768)}" in finding.advice)


@pytest.mark.parametrize(
    ("state", "n_members", "status"),
    [("Empty", 0, "wrong"), ("Stable", 2, "ok"), ("Stable", 5, "note"), ("PreparingRebalance", 2, "note")],
)
def test_members(state: str, n_members: int, status: str) -> None:
    """Nobody is wrong; more than partitions, or a rebalance, is worth a note."""
    assert check_members("g", state, n_members, 4).status == status


@pytest.mark.parametrize(
    ("before", "after", "expected", "words"),
    [
        ({0: 100}, {0: 100}, ["ok"], "0: 0"),
        ({0: 60}, {0: 90}, ["ok"], "0: 10"),
        ({}, {}, ["wrong", "note"], "0: 90"),
        ({0: 60}, {0: 60}, ["wrong", "note"], "0: 40"),
        ({0: 99}, {0: 99}, ["wrong", "note"], "0: 1"),
        ({0: 101}, {0: 101}, ["wrong", "note"], "freshet reset"),
        ({0: 9}, {0: 9}, ["wrong", "note"], "retention.ms"),
    ],
    ids=["done", "moving", "never saved", "stuck", "one record stuck", "topic made anew", "trimmed"],
)
def test_lags(before: dict[int, int], after: dict[int, int], expected: list[str], words: str) -> None:
    """Lag that moves is fine; lag that does not, and offsets outside the log, are wrong. The log is 10 to 100."""
    findings = check_lags(before, after, {0: (10, 100)}, has_workers=True)

    assert [finding.status for finding in findings] == expected
    assert any(words in finding.found + finding.advice for finding in findings)


def test_lag_without_workers_is_not_called_stuck() -> None:
    """That nobody folds is said once, by the check of the members."""
    assert [f.status for f in check_lags({0: 60}, {0: 60}, {0: (0, 100)}, has_workers=False)] == ["ok"]


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        ("murmur2", "crc32", ("librdkafka", "FRESHET_PARTITIONER=crc32", "partitioner=murmur2_random")),
        ("crc32", "murmur2", ("the Java client", "FRESHET_PARTITIONER=murmur2", "segmentio/kafka-go CRC32Balancer")),
        ("murmur2", "fnv1a", ("IBM/sarama, segmentio/kafka-go Hash", "FRESHET_PARTITIONER=fnv1a", "reset", "redrive")),
        ("murmur2", "murmur2_unsigned", ("@platformatic/kafka", "FRESHET_PARTITIONER=murmur2_unsigned")),
    ],
)
def test_wrong_partition_names_client_and_setting(ours: str, theirs: str, words: tuple[str, ...]) -> None:
    """Fresh dead letters of users in two places are wrong, and the setting of either side is named; old ones a note."""
    counts = Counter(not_json=2, wrong_partition=3)
    placed = [(key, partition_of(key, 6, theirs)) for key in (b"user-%d" % number for number in range(40))]

    fresh = {finding.check: finding for finding in findings_of(counts, 60.0, ours, placed, 6)}
    old = {finding.check: finding for finding in findings_of(counts, 7200.0, ours, placed, 6)}
    mended = {finding.check: finding for finding in findings_of(counts, 60.0, theirs, placed, 6)}

    assert fresh["partitioner"].status == "wrong"
    for word in words:
        assert word in fresh["partitioner"].found + fresh["partitioner"].advice
    assert [old["partitioner"].status, mended["partitioner"].status] == ["note", "note"]
    assert fresh["bad events"].found == "wrong_partition 3, not_json 2"


def test_no_dead_letters() -> None:
    """Nothing bad is fine."""
    assert [finding.status for finding in findings_of(Counter(), 1.0, "murmur2", (), 6)] == ["ok"]


@pytest.mark.parametrize(
    ("version", "status"), [("6.2.14", "wrong"), ("7.0.0", "ok"), ("10.1", "ok"), ("odd", "wrong")]
)
def test_redis_version(version: str, status: str) -> None:
    """Functions came with 7.0."""
    assert check_version({"redis_version": version}, "redis://r").status == status


def test_missing_topics_of_the_intake_are_named_with_who_makes_them() -> None:
    """Theirs are made by their producers, ours by a worker."""
    assert check_missing(["clicks"], ["freshet.intake"], {"clicks": 3, "freshet.intake": 1}) == []

    theirs, ours = check_missing(["clicks", "orders"], ["freshet.intake"], {"clicks": 3})

    assert "orders" in theirs.found and "clicks" not in theirs.found and "producers" not in ours.found
    assert "freshet.intake" in ours.found and "freshet worker" in ours.advice


def test_lag_of_the_intake_is_told_by_source() -> None:
    """From its place on, or from nothing; sources for files have none; history is said to be that."""
    sources = {"web": {"topics": ["clicks"]}, "shop": {"topics": ["orders"]}, "file": {}}
    ends = {Input("clicks", 0): 10, Input("clicks", 1): 7, Input("orders", 0): 5}
    places = {b"clicks/0": Place(10, 3, is_live=True), b"clicks/1": Place(4, 7, is_live=False)}

    behind = lags(list(ends), ends, places)
    found = lag_by_source(Settings.model_validate({"sources": sources}), behind, places).found

    assert behind == {Input("clicks", 0): 0, Input("clicks", 1): 3, Input("orders", 0): 5}
    assert found.endswith("web: 3 (1 of 2 partitions in their history), shop: 5 (1 of 1 partitions in their history)")
