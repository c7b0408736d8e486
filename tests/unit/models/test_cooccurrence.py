"""Pairs in bounded rows: what is added, what is cut, and that no row ever touches another."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.cooccurrence import Cooccurrence, CooccurrenceSettings
from tests.learning import pair

LEARNED = st.tuples(st.just("learn"), st.integers(0, 99), st.sets(st.integers(0, 99), max_size=6))
DROPPED = st.tuples(st.just("drop"), st.just(0), st.sets(st.integers(0, 99), min_size=1, max_size=5))
SET = st.tuples(st.just("set"), st.integers(0, 99), st.sets(st.integers(0, 99), max_size=6))


class Rows:
    """The same pairs in plain dicts: slot -> neighbour -> weight, in the order they came."""

    def __init__(self, n_keep: int) -> None:
        self.n_keep = n_keep
        self.rows: dict[int, dict[int, float]] = {}

    def learn(self, slot: int, others: list[int], amounts: list[float]) -> None:
        for other, amount in zip(others, amounts, strict=True):
            for row, neighbour in ((slot, other), (other, slot)):
                pairs = self.rows.setdefault(row, {})
                pairs[neighbour] = pairs.get(neighbour, 0.0) + amount
                if len(pairs) >= 2 * self.n_keep:
                    best = sorted(pairs, key=lambda other: (-pairs[other], other))[: self.n_keep]
                    self.rows[row] = {other: weight for other, weight in pairs.items() if other in best}

    def drop(self, slots: set[int]) -> list[int]:
        before = {slot: dict(pairs) for slot, pairs in self.rows.items()}
        self.rows = {
            slot: {other: weight for other, weight in pairs.items() if other not in slots}
            for slot, pairs in self.rows.items()
            if slot not in slots
        }
        return sorted(slot for slot, pairs in self.rows.items() if pairs != before[slot])


def learn(model: Cooccurrence, slot: int, others: list[int], amounts: list[float]) -> None:
    """One event's pairs, with room for their slots."""
    model.grow(max([slot, *others]) + 1)
    pair(model, slot, np.array(others, np.int32), np.array(amounts, np.float64))


def pairs(model: Cooccurrence, slot: int) -> list[tuple[int, float]]:
    """A row, in its order."""
    neighbours, weights = model.row(slot)
    return list(zip(neighbours.tolist(), weights.tolist(), strict=True))


@given(n_keep=st.integers(1, 20), steps=st.lists(LEARNED | LEARNED | DROPPED | SET, max_size=40), repeat=st.booleans())
def test_rows_are_those_of_plain_dicts(n_keep: int, steps: list[tuple[str, int, set[int]]], repeat: bool) -> None:
    """Whatever rows are learned, moved to larger ones, cut, replaced and dropped: no row sees another's memory."""
    model, rows = Cooccurrence(n_keep), Rows(n_keep)
    model.grow(100)
    for step, slot, others in [*steps, *steps] if repeat else steps:
        amounts = {other: (1 + other % 3) / 4 for other in sorted(others, key=lambda other: other % 7) if other != slot}
        if step == "learn":
            learn(model, slot, list(amounts), list(amounts.values()))
            rows.learn(slot, list(amounts), list(amounts.values()))
        elif step == "drop":
            assert model.drop(sorted(others), 100) == rows.drop(others)
        else:
            kept = dict(list(amounts.items())[: 2 * n_keep - 1])
            model.set_row(slot, np.array(list(kept), np.int32), np.array(list(kept.values()), np.float64))
            rows.rows[slot] = kept
    for slot in range(100):
        assert pairs(model, slot) == list(rows.rows.get(slot, {}).items())


def test_pairs_are_added_both_ways() -> None:
    """One event with a history of two items: two pairs, each in both rows."""
    model = Cooccurrence(10)
    learn(model, 1, [2, 3], [1.0, 0.5])
    learn(model, 2, [1], [0.25])

    assert pairs(model, 1) == [(2, 1.25), (3, 0.5)]
    assert pairs(model, 2) == [(1, 1.25)]
    assert pairs(model, 3) == [(1, 0.5)]


def test_an_empty_history_adds_nothing() -> None:
    """The first item of a user has no pair, and its slot no row."""
    model = Cooccurrence(10)
    learn(model, 1, [], [])

    assert pairs(model, 1) == []


def test_reading_an_unknown_slot_is_an_empty_row() -> None:
    """A slot far beyond all arrays has no neighbours, and asking for it makes no room."""
    model = Cooccurrence(10)

    assert pairs(model, 1_000_000) == []
    assert len(model.start) < 1_000


def test_a_row_grows_to_twice_n_keep_and_is_cut() -> None:
    """With n_keep = 2: four pairs are one too many, the two heaviest stay, of equals the lower slot."""
    model = Cooccurrence(2)
    for other, amount in ((9, 1.0), (8, 1.0), (7, 2.0)):
        learn(model, 0, [other], [amount])
    assert len(pairs(model, 0)) == 3

    learn(model, 0, [6], [0.5])

    assert pairs(model, 0) == [(8, 1.0), (7, 2.0)]


def test_freed_rows_are_used_again() -> None:
    """Learning and dropping the same rows for ever takes no new memory."""
    model = Cooccurrence(20)
    model.grow(40)
    sizes = []
    for _ in range(50):
        for slot in range(20):
            learn(model, slot, list(range(20, 40)), [1.0] * 20)
        model.drop(list(range(40)), 40)
        sizes.append(len(model.neighbours))

    assert sizes[-1] == sizes[1]


@pytest.mark.parametrize("length", [3, 4, 7, 40])
def test_a_row_longer_than_this_n_keep_allows_leaves_other_rows_alone(length: int) -> None:
    """A row written with a greater n_keep (the setting was lowered) must not run into its neighbour's memory."""
    model = Cooccurrence(2)
    model.set_row(0, np.arange(100, 100 + length, dtype=np.int32), np.ones(length))
    model.set_row(1, np.array([5, 6], np.int32), np.array([0.5, 0.25]))
    model.set_row(0, np.arange(100, 100 + length, dtype=np.int32), np.ones(length))

    assert pairs(model, 1) == [(5, 0.5), (6, 0.25)]
    assert pairs(model, 0) == [(slot, 1.0) for slot in range(100, 100 + length)][: len(pairs(model, 0))]
    learn(model, 0, [7], [3.0])
    assert pairs(model, 1) == [(5, 0.5), (6, 0.25)]
    assert (7, 3.0) in pairs(model, 0)


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan])
def test_an_item_without_weight_counts_for_nothing(weight: float) -> None:
    """As known item and as candidate; a negative power of it would be no number."""
    assert CooccurrenceSettings().norms(weight) == (0.0, 0.0)


def test_norms_are_negative_powers_of_the_weight() -> None:
    """The first by the known item's exponent, the second by the candidate's."""
    settings = CooccurrenceSettings(known_exponent=1.0, candidate_exponent=0.5)

    assert settings.norms(4.0) == (0.25, 0.5)
    assert settings.norms(1.0) == (1.0, 1.0)


def test_the_measured_defaults_stand() -> None:
    """The settings that the published hit rates were measured with."""
    assert CooccurrenceSettings() == CooccurrenceSettings(20, 200, 0.9, 0.7, 0.35)
