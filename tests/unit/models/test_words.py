"""Words on items: what is packed comes out again, and each event makes the next one."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import words
from models.words import AGAINST, FOR, NEITHER, REPEAT_MS, next_word, parts_of, word_of

MS = 1_700_000_000_000
NOBODY = np.uint64(0)


def parts(word: np.uint64) -> tuple[int, int, int, int, int]:
    """Time, kind, events, repeats and stance."""
    read: tuple[Any, ...] = words.time_of, words.kind_of, words.events_of, words.repeats_of, words.stance_of
    compiled, plain = [[int(part(word)) for part in each] for each in (read, [part.py_func for part in read])]
    assert compiled == plain
    times_ms, kinds, stances = parts_of(np.array([word], np.uint64))
    assert [times_ms[0], kinds[0], stances[0]] == [compiled[0], compiled[1], compiled[4]]
    return compiled[0], compiled[1], compiled[2], compiled[3], compiled[4]


@given(
    st.integers(10**11, 253_402_300_799_999),
    st.integers(0, 15),
    st.integers(0, 63),
    st.integers(0, 15),
    st.sampled_from((NEITHER, FOR, AGAINST)),
)
def test_what_is_packed_comes_out(time_ms: int, kind: int, n_events: int, repeats: int, stance: int) -> None:
    """Every part, up to the last year there is."""
    word = np.uint64(word_of(time_ms, kind, n_events, repeats, stance))
    assert parts(word) == (time_ms, kind, n_events, repeats, stance)


@pytest.mark.parametrize(
    ("before", "event", "expected"),
    [
        (NOBODY, (MS, 2, FOR), (MS, 2, 1, 0, FOR)),
        (NOBODY, (MS, 0, FOR), (MS, 0, 0, 0, FOR)),
        (word_of(MS, 0, 0, 0, FOR), (MS - 5, 3, FOR), (MS, 3, 1, 1, FOR)),
        (word_of(MS, 0, 0, 4, FOR), (MS - 2 * REPEAT_MS, 0, FOR), (MS, 0, 0, 5, FOR)),
        (NOBODY, (MS, 0, AGAINST), (MS, 0, 0, 0, AGAINST)),
        (word_of(MS, 2, 1, 0, FOR), (MS + 1, 0, FOR), (MS + 1, 2, 1, 1, FOR)),
        (word_of(MS, 0, 1, 3, FOR), (MS + REPEAT_MS, 1, FOR), (MS + REPEAT_MS, 1, 2, 0, FOR)),
        (word_of(MS, 0, 63, 15, FOR), (MS, 0, FOR), (MS, 0, 63, 15, FOR)),
        (word_of(MS, 1, 1, 0, FOR), (MS + 5, 0, AGAINST), (MS + 5, 1, 1, 1, AGAINST)),
        (word_of(MS, 1, 1, 0, FOR), (MS - 5, 0, AGAINST), (MS, 1, 1, 1, FOR)),
        (word_of(MS, 0, 0, 0, AGAINST), (MS - 5, 3, FOR), (MS, 3, 1, 1, AGAINST)),
    ],
)
def test_the_next_word(before: np.uint64, event: tuple[int, int, int], expected: tuple[int, ...]) -> None:
    """The latest by event time says stance and kind; events for the item and repeats add up, to a bound."""
    plain: Any = next_word
    before = np.uint64(before)
    assert parts(np.uint64(next_word(before, *event))) == expected
    assert parts(np.uint64(plain.py_func(before, *event))) == expected
