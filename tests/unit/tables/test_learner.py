"""The learner: a pure function of its topic, whatever is saved, loaded, repeated or lost in between."""

import random
from dataclasses import replace

import numpy as np
import pytest

from models.errors import StateError, UnknownVersion
from models.history_factors import HistoryFactorsSettings
from tables.cutting import Entry
from tables.factor_rows import FactorRows
from tables.learner import LearnerMarker, LearnerState
from tables.lessons import decode_lessons
from tables.marker import MARKER_KEY
from tests.lessons import SETTINGS, handed_over, learned, loaded, taking
from tests.plain import plain_kernels

TOPIC = handed_over(3, 1500)
OFTEN = handed_over(3, 1500, every=4)
"""The same, handed over more often: records of few items."""

FEW = 40
"""Fewer items than there are, and more than a record has."""


class Saved:
    """`<app>.factors`: each key's latest value."""

    def __init__(self) -> None:
        self.latest: dict[bytes, bytes | None] = {}

    def save(self, entries: list[Entry]) -> None:
        """Write one cut."""
        self.latest.update(entries)

    def compacted(self, seed: int, *, tombstones: bool = True) -> list[Entry]:
        """The latest value of every key, in any order."""
        entries = [entry for entry in self.latest.items() if tombstones or entry[1] is not None]
        random.Random(seed).shuffle(entries)
        return entries


def test_every_lesson_is_learned_once() -> None:
    """Rows are those of the items that were taught, each lesson counted, each partition's last offset kept."""
    taught = [decode_lessons(value) for value in TOPIC]
    learner = learned(TOPIC)

    assert learner.n_lessons == sum(len(each.offsets) for each in taught) > 400
    assert set(learner.rows.slots) == {item for each in taught for item in each.items.tolist()}
    last = {number: max(int(each.offsets[-1]) for each in taught if each.partition == number) for number in range(3)}
    assert learner.taken == {number: offset + 1 for number, offset in last.items()}
    started = FactorRows(SETTINGS.history)
    for item_hash in learner.rows.slots:
        started.add(item_hash)
    assert not np.array_equal(started.factors.rows[:20], learner.rows.factors.rows[:20])


def test_the_same_topic_makes_the_same_learner() -> None:
    """And another order another one: the topic's order is what counts."""
    assert learned(TOPIC).digest() == learned(TOPIC).digest()
    moved = [value for number in range(3) for value in TOPIC if decode_lessons(value).partition == number]
    assert learned(moved).digest() != learned(TOPIC).digest()


@pytest.mark.parametrize("max_items", [200_000, FEW], ids=["all", "evicting"])
def test_crashes_change_nothing(max_items: int) -> None:
    """Whoever goes on behind the last save, with what was saved in any order, comes to the same state."""
    settings = replace(SETTINGS, max_items=max_items)
    expected, rng = learned(OFTEN, settings), random.Random(7)
    assert (len(expected.rows) > FEW) == (max_items > FEW)
    saved, learner = Saved(), LearnerState(settings)
    n_crashes = 0
    while learner.position < len(OFTEN):
        learner = taking(learner, OFTEN[learner.position : learner.position + rng.randint(1, 12)])
        if rng.random() < 0.4:
            saved.save(learner.cut())
        elif rng.random() < 0.3:
            learner = loaded(saved.compacted(n_crashes, tombstones=rng.random() < 0.5), settings)
            n_crashes += 1
    assert n_crashes > 3
    assert learner.digest() == expected.digest()
    saved.save(learner.cut())
    assert loaded(saved.compacted(0), settings).digest() == expected.digest()


def test_repeats_are_dropped() -> None:
    """What a partition hands over twice, whole or in part, teaches once."""
    learner = learned(TOPIC)
    before = learner.digest()
    for value in TOPIC:
        assert learner.take(value) == 0
    assert learner.digest() == before

    first = decode_lessons(TOPIC[0])
    halfway = LearnerState(SETTINGS)
    halfway.taken[first.partition] = int(first.offsets[3])
    assert halfway.take(TOPIC[0]) == len(first.offsets) - 3


def test_the_items_idle_longest_make_room() -> None:
    """There are never more than the bound, or than the items of one record; those of the last record stay."""
    learner = LearnerState(replace(SETTINGS, max_items=FEW))
    for value in OFTEN:
        learner.take(value)
        assert set(decode_lessons(value).items.tolist()) <= set(learner.rows.slots)
        assert len(learner.rows) <= FEW
    assert any(value is None for _, value in learner.cut())

    tiny = learned(TOPIC, replace(SETTINGS, max_items=1))
    assert set(tiny.rows.slots) == set(decode_lessons(TOPIC[-1]).items.tolist())


def test_readers_have_the_very_rows() -> None:
    """A reader of what is saved has every row in its slot, and forgets those that are gone."""
    learner, reader = LearnerState(replace(SETTINGS, max_items=FEW)), FactorRows(SETTINGS.history)
    for first in range(0, len(OFTEN), 5):
        taking(learner, OFTEN[first : first + 5])
        for key, value in learner.take_changed():
            reader.apply(key.decode(), value)
        assert reader.canonical() == learner.rows.canonical()
        cells, slots = reader.indexed
        for item_hash, slot in reader.slots.items():
            assert int(reader.factors.hashes[slot]) == item_hash
        assert set(cells[cells != 0].tolist()) == set(reader.slots) and len(slots) == len(cells)


def test_compiled_and_plain_learn_alike() -> None:
    """The same source, bit for bit."""
    compiled = learned(TOPIC[:12])
    with plain_kernels():
        assert learned(TOPIC[:12]).digest() == compiled.digest()


def test_a_marker_comes_back_as_it_was() -> None:
    """Partitions are numbers again."""
    marker = LearnerMarker(7, 2**40, {3: 1, 11: 2**50})
    assert LearnerMarker.decode(marker.encode()) == marker
    with pytest.raises(UnknownVersion):
        LearnerMarker.decode(b"\2{}")
    with pytest.raises(StateError, match="damaged"):
        LearnerMarker.decode(b"\1{")


def test_rows_of_another_length_are_refused() -> None:
    """A changed number of factors is told, not guessed around."""
    entries = learned(TOPIC).cut()
    other = replace(SETTINGS, history=HistoryFactorsSettings(n_factors=16))
    with pytest.raises(StateError, match="another n_factors"):
        loaded(entries, other)
    with pytest.raises(StateError, match="a history of"):
        learned(TOPIC, replace(SETTINGS, history=HistoryFactorsSettings(n_factors=8, n_history=2)))


@pytest.mark.parametrize("damage", [b"", b"\1", b"\1\0\0\0\0"])
def test_damaged_rows_are_refused(damage: bytes) -> None:
    """With the key, and what to do."""
    key = next(key for key, _ in learned(TOPIC).cut() if key != MARKER_KEY)
    with pytest.raises(StateError, match="`freshet reset`"):
        loaded([(key, damage)])
