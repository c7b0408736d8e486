"""What a model that keeps something for every item has to give, so that its rows are stored, moved and forgotten.

Its rows are a tagged section of a stored item: a model that comes later finds none in older items and learns from then
on; nobody has to reset for it.
"""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt


class SlotModel(Protocol):
    """A model with one row per slot.

    Attributes
    ----------
    tag
        1 to 255, its own for ever: what its sections are known by.
    """

    tag: int

    def grow(self, n_slots: int) -> None:
        """Make room for slots up to `n_slots`."""

    def clear(self, slot: int) -> None:
        """Forget a slot's own row."""

    def drop(self, gone: npt.NDArray[np.bool_], n_slots: int) -> npt.NDArray[np.bool_]:
        """Remove every mention of slots that are gone (a mask); returns a mask of the rows that changed."""

    def copied(self, slots: npt.NDArray[np.int64]) -> Any:
        """Copies of some rows, which events no longer change."""

    def section(self, copies: Any, place: int) -> bytes:
        """The bytes of one of the copied rows; empty for an empty one."""

    def set_section(self, slot: int, data: bytes) -> None:
        """Take a stored row.

        Raises
        ------
        StateError
            If it cannot be one.
        """

    def canonical(self, slot: int, ids: list[str | None]) -> list[object]:
        """A row as the digest reads it; empty for an empty one."""
