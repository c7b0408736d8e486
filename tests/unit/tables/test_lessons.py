"""Lessons as bytes, and what is handed over at all."""

import numpy as np
import pytest

from models.errors import StateError, UnknownVersion
from models.ids import hash64
from tables.fold_settings import FoldSettings
from tables.lessons import decode_lessons, end_of
from tables.partition import PartitionState
from tests.lessons import SETTINGS, handed_over
from tests.logs import START_MS, record
from tests.saved import folded


def test_a_lesson_says_what_was_taken_to_after_what() -> None:
    """The target first, then the history from the oldest on, each with what it counts; and the event's offset."""
    state = _of_two(
        [
            record(0, "u1", "a", "view", START_MS),
            record(1, "u1", "b", "purchase", START_MS + 1),
            record(2, "u1", "c", "view", START_MS + 2),
        ]
    )
    (value,) = state.take_lessons()
    taught = decode_lessons(value)

    assert taught.partition == state.number
    assert taught.offsets.tolist() == [1, 2]
    assert end_of(value) == 3
    assert taught.lengths.tolist() == [2, 3]
    assert taught.items.tolist() == [hash64(item_id) for item_id in ("b", "a", "c", "a", "b")]
    types = SETTINGS.rules.types
    assert taught.amounts.tolist() == [0, types["view"].weight, 0, types["view"].weight, types["purchase"].weight]
    assert taught.weights.tolist() == [types["purchase"].weight, types["view"].weight]
    assert state.take_lessons() == []


def _of_two(records: list[object]) -> PartitionState:
    """The one of two partitions that takes the user of these records, with them folded."""
    states = [folded(records, SETTINGS, number, 2) for number in range(2)]  # type: ignore[arg-type]
    return max(states, key=lambda state: len(state.users))


def test_what_is_taken_back_or_turned_against_is_in_no_history() -> None:
    """A low rating is a target once more, and then in nobody's history."""
    state = _of_two(
        [
            record(0, "u1", "a", "view", START_MS),
            record(1, "u1", "b", "view", START_MS + 1),
            record(2, "u1", "b", "rating", START_MS + 2, value=1),
            record(3, "u1", "c", "view", START_MS + 3),
        ]
    )
    taught = decode_lessons(*state.take_lessons())

    ends = np.cumsum(taught.lengths).tolist()
    lessons = [taught.items[first:end].tolist() for first, end in zip([0, *ends], ends, strict=False)]
    a, b, c = map(hash64, "abc")
    assert lessons == [[b, a], [b, a], [c, a]]


def test_a_single_partition_hands_nothing_over_and_keeps_its_factors() -> None:
    """And one of several keeps none."""
    log = [record(number, "u1", f"i{number}", "view", START_MS + number) for number in range(5)]
    single, one_of_two = folded(log, SETTINGS), _of_two(list(log))

    assert single.cut(-1).lessons == [] and single.items.history.row_bytes == 48
    assert len(one_of_two.cut(-1).lessons) == 1 and one_of_two.items.history.row_bytes == 0
    slot = one_of_two.items.slots["i1"]
    assert len(single.items.encode(single.items.slots["i1"])) == len(one_of_two.items.encode(slot)) + 48


def test_a_cut_that_could_not_be_saved_gives_its_lessons_back() -> None:
    """In their order, before those of later events."""
    log = [record(number, "u1", f"i{number}", "view", START_MS + number) for number in range(6)]
    whole = _of_two(list(log)).take_lessons()
    state = _of_two(list(log[:3]))
    cut = state.cut(-1)
    for each in log[3:]:
        state.fold(*each)
    state.restore(cut)

    offsets = [decode_lessons(value).offsets.tolist() for value in state.take_lessons()]
    assert offsets == [[1, 2], [3, 4, 5]]
    assert [decode_lessons(value).offsets.tolist() for value in whole] == [[1, 2, 3, 4, 5]]


def test_lessons_count_for_when_a_checkpoint_is_due() -> None:
    """They are bytes that the next transaction has to hold."""
    log = [record(number, "u1", f"i{number}", "view", START_MS + number) for number in range(600)]
    state = _of_two(list(log))

    assert state.dirty_bytes > 1000 * (1 + 600) + 50_000


@pytest.mark.parametrize("cut", [0, 1, 12, 13, 40, -1, -4])
def test_damaged_lessons_are_refused(cut: int) -> None:
    """Cut short anywhere, or with something behind, they teach nothing."""
    value = handed_over(2, 200)[0]
    with pytest.raises(StateError):
        decode_lessons(value[:cut])
    with pytest.raises(StateError, match="damaged"):
        decode_lessons(value + b"\0")


def test_a_newer_version_is_refused() -> None:
    """By its number, with the command to run."""
    with pytest.raises(UnknownVersion, match="version 2, this Freshet knows version 1"):
        decode_lessons(b"\2" + handed_over(2, 200)[0][1:])


def test_the_log_may_be_cut_in_any_way() -> None:
    """What is handed over between two cuts depends on the events between them alone."""
    log = [record(number, f"u{number % 3}", f"i{number % 50}", "view", START_MS + number) for number in range(700)]
    one, other = (PartitionState(0, 2, FoldSettings()) for _ in range(2))
    for each in log:
        one.fold(*each)
    for first in range(0, len(log), 97):
        other.fold_many(log[first : first + 97])

    def lessons(state: PartitionState) -> list[list[object]]:
        taught = [decode_lessons(value) for value in state.take_lessons()]
        names = ("offsets", "items", "amounts")
        return [[number for each in taught for number in getattr(each, name).tolist()] for name in names]

    assert lessons(one) == lessons(other)
