"""Directed pairs: the sums of the formula, bounds, bytes; compiled and plain."""

from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import StateError
from models.following import Following, FollowingSettings, learn_following

HISTORIES = st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=7, unique=True), max_size=30)


def learned(histories: list[list[int]], settings: FollowingSettings, *, compiled: bool = True) -> Following:
    """Each history's last item follows the others; weights are half the item's number and one."""
    model, learn = Following(settings), (learn_following if compiled else learn_following.py_func)
    model.grow(10)
    for *others, slot in histories:
        model.spare()
        amounts = np.array([1.0 + 0.5 * other for other in others])
        asked = np.array(others, np.int32), amounts, settings.n_back, settings.decay, settings.n_keep
        learn(model.rows.arrays(), slot, *asked)
    return model


def rows_of(model: Following) -> dict[int, dict[int, float]]:
    """Every row."""
    rows = {slot: model.rows.row(slot) for slot in range(10)}
    return {slot: dict(zip(keys.tolist(), values.tolist(), strict=True)) for slot, (keys, values) in rows.items()}


@given(histories=HISTORIES, n_back=st.integers(1, 8), decay=st.sampled_from((1.0, 0.5)))
def test_sums_of_the_formula(histories: list[list[int]], n_back: int, decay: float) -> None:
    """Weight * decay^step from each of the last `n_back` items to the one that came next, and nothing back."""
    expected: dict[int, dict[int, float]] = {slot: defaultdict(float) for slot in range(10)}
    for *others, slot in histories:
        for step, other in enumerate(reversed(others[-n_back:])):
            expected[other][slot] += (1.0 + 0.5 * other) * decay**step
    settings = FollowingSettings(n_back, decay, n_keep=20)

    for compiled in (True, False):
        found = rows_of(learned(histories, settings, compiled=compiled))
        assert found == {slot: pytest.approx(row) for slot, row in expected.items()}


@given(histories=HISTORIES, n_keep=st.integers(1, 4))
def test_rows_are_bounded_and_keep_the_heaviest(histories: list[list[int]], n_keep: int) -> None:
    """Fewer than twice `n_keep`; no row lacks what every cut would have kept."""
    model, whole = learned(histories, FollowingSettings(10, n_keep=n_keep)), learned(histories, FollowingSettings(10))
    for slot, row in rows_of(model).items():
        full = rows_of(whole)[slot]
        assert len(row) < 2 * n_keep
        assert row.keys() <= full.keys()
        if len(full) < 2 * n_keep:
            assert row == full


@given(histories=HISTORIES, slot=st.integers(0, 9))
def test_a_section_is_read_back(histories: list[list[int]], slot: int) -> None:
    """Bit for bit, from a copy that later events do not change."""
    model, again = learned(histories, FollowingSettings(10)), Following()
    copies, before = model.copied(np.arange(10)), rows_of(model)
    learn_following(model.rows.arrays(), slot, np.array([(slot + 1) % 10], np.int32), np.ones(1), 1, 1.0, 50)
    for place in range(10):
        again.set_section(place, model.section(copies, place))
    assert rows_of(again) == before


@pytest.mark.parametrize(
    "data",
    [b"1234567", np.array([-1], "<i4").tobytes() + np.ones(1, "<f4").tobytes()]
    + [np.array([3], "<i4").tobytes() + np.array([bad], "<f4").tobytes() for bad in (0.0, -1.0, np.nan, np.inf)],
)
def test_damaged_sections_are_refused(data: bytes) -> None:
    """A length that is none, a slot below 0, an amount that no event can have made."""
    with pytest.raises(StateError, match="followers of slot 4 are damaged"):
        Following().set_section(4, data)


def test_who_is_gone_is_in_no_row() -> None:
    """Its own row, and every mention of it; the rows that lose one are named."""
    model = learned([[1, 2], [3, 2], [2, 4], [1, 5]], FollowingSettings(10))
    gone = np.zeros(10, np.bool_)
    gone[2] = True
    model.clear(2)

    assert np.flatnonzero(model.drop(gone, 10)).tolist() == [1, 3]
    assert rows_of(model) == {slot: ({5: 1.5} if slot == 1 else {}) for slot in range(10)}


@pytest.mark.parametrize("change", [{"n_back": -1}, {"decay": 0.0}, {"decay": 1.5}, {"n_keep": 0}])
def test_settings_out_of_range_are_refused(change: dict[str, Any]) -> None:
    """The message names the setting, its value and what is allowed."""
    (name,) = change
    with pytest.raises(ValueError, match=f"{name} has value .* Use "):
        FollowingSettings(**change)
