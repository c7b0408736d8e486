"""Weighted rank fusion: the formula, the order, and the compiled twin."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.fusion import FusionSettings, fuse, fuse_slots

LISTS = st.lists(st.lists(st.integers(0, 30), max_size=12, unique=True), min_size=1, max_size=4)
WEIGHTS = st.sampled_from((0.0, 0.1, 0.4, 0.6, 1.0))


def test_ranks_are_weighed_and_summed() -> None:
    """With depth 4: the first of a list counts 4 quarters of its source's weight, the next 3; both lists add up."""
    fused = fuse([["a", "b"], ["b", "c"]], [0.4, 0.6], depth=4, k=10)

    assert [item_id for item_id, _ in fused] == ["b", "c", "a"]
    assert [score for _, score in fused] == pytest.approx([0.4 * 0.75 + 0.6, 0.6 * 0.75, 0.4])


def test_ties_are_ordered_by_id() -> None:
    """Two sources of equal weight that agree on nothing alternate, the lower id first."""
    assert [item_id for item_id, _ in fuse([["z", "b"], ["a", "y"]], [1.0, 1.0], 2, 4)] == ["a", "z", "b", "y"]


def test_one_source_keeps_its_order() -> None:
    """Alone, or beside sources without weight or without items, down to its depth and no further."""
    ranked = [f"i{9 - number}" for number in range(9)]

    assert [item_id for item_id, _ in fuse([ranked, ["x"], []], [0.3, 0.0, 1.0], 5, 9)] == ranked[:5]
    assert fuse([], [], 5, 9) == []


def test_each_list_has_its_weight() -> None:
    """A weight too many is an error, not a source that is silently left out."""
    with pytest.raises(ValueError):
        fuse([["a"]], [0.5, 0.5], 5, 9)


@given(lists=LISTS, weights=st.lists(WEIGHTS, min_size=4, max_size=4), depth=st.integers(1, 12), k=st.integers(1, 40))
def test_slots_are_fused_as_ids_are(lists: list[list[int]], weights: list[float], depth: int, k: int) -> None:
    """Ordered by its caller, the compiled one gives the same list, to the bit; its plain twin the same arrays."""
    ranked = np.full((len(lists), depth), -1, np.int32)
    for row, items in zip(ranked, lists, strict=True):
        row[: len(items[:depth])] = items[:depth]
    arguments: tuple[Any, ...] = (ranked, np.array(weights[: len(lists)]), k)
    slots, scores, sources = fuse_slots(*arguments)
    fused = sorted(zip(slots.tolist(), scores.tolist(), strict=True), key=lambda entry: (-entry[1], f"{entry[0]:02}"))

    assert [(f"{slot:02}", score) for slot, score in fused[:k]] == fuse(
        [[f"{item:02}" for item in items] for items in lists], weights[: len(lists)], depth, k
    )
    assert all(score == fused[k - 1][1] for _, score in fused[k:])
    for compiled, plain in zip((slots, scores, sources), fuse_slots.py_func(*arguments), strict=True):
        assert compiled.tobytes() == plain.tobytes()


def test_the_source_that_gave_most_is_named() -> None:
    """Item 1 is second for the heavier source and first for the lighter; of equals the first source is named."""
    ranked = np.array([[1, 2, 3], [4, 1, -1]], np.int32)
    slots, _, sources = fuse_slots(ranked, np.array([0.4, 0.6]), 10)
    named = dict(zip(slots.tolist(), sources.tolist(), strict=True))

    assert named == {1: 0, 2: 0, 3: 0, 4: 1}
    assert dict(zip(*(a.tolist() for a in fuse_slots(ranked, np.array([0.4, 0.9]), 10)[::2]), strict=True))[1] == 1


@pytest.mark.parametrize("change", [{"depth": 0}, {"history_weight": -0.1}, {"cooccurrence_weight": float("nan")}])
def test_settings_out_of_range_are_refused(change: dict[str, Any]) -> None:
    """The message names the setting, its value and what is allowed."""
    (name,) = change
    with pytest.raises(ValueError, match=f"{name} has value .* Use "):
        FusionSettings(**change)


def test_the_measured_defaults_stand() -> None:
    """The settings that the published hit rates were measured with."""
    assert FusionSettings() == FusionSettings(30, 0.4, 0.6)
