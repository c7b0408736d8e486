"""Rows of factors as lists read them: by slot, with the item of a view that stands in each."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.arrays import longer
from models.view_kernels import link_items
from tables.factor_rows import FactorRows
from tables.items import ItemShares

if TYPE_CHECKING:
    from tables.numbering import NumberedItems

Ints = npt.NDArray[np.int32]


class Factors(NamedTuple):
    """What the kernels of lists are given.

    Parameters
    ----------
    arrays
        Hashes, keys, rows, blocks, live and stale marks, and whether lists may name it, by slot.
    n_slots
        Slots to look at.
    links
        The slot of each item by its number, and the item of each slot (-1: none).
    n_factors, n_history, decay
        Of the model; 0 factors and no history if there are no rows.
    """

    arrays: Any
    n_slots: int
    links: tuple[Ints, Ints]
    n_factors: int
    n_history: int
    decay: float


def factors_of(share: ItemShares, links: tuple[Ints, Ints]) -> Factors:
    """The rows that a share has itself."""
    history = share.history
    arrays = (share.hashes, share.keys, history.rows, history.blocks, history.live, history.stale, share.offered)
    return Factors(arrays, share.n_slots, links, history.n_factors, history.n_history, history.settings.decay)


class LinkedFactors:
    """The learner's rows, linked to the items of one view.

    Parameters
    ----------
    rows
        As they have been read; several views may read the same.
    """

    def __init__(self, rows: FactorRows) -> None:
        self.rows = rows
        self._slot_in: Ints = np.full(64, -1, np.int32)
        self._to_item: Ints = np.full(64, -1, np.int32)
        self._keys: npt.NDArray[np.uint64] = np.zeros((64, 2), np.uint64)
        self._offered: npt.NDArray[np.bool_] = np.zeros(64, np.bool_)
        self._linked = (-1, -1, -1)  # numberings, turns of items, and moves of slots by then
        self._n_items = 0

    def of(self, view: "NumberedItems") -> Factors:
        """The rows, with the items that the view has by now."""
        rows, n_items = self.rows, len(view.ids)
        linked = (view.numbering, view.n_turned, rows.n_moves)
        if linked != self._linked or n_items != self._n_items:
            self._link(view, 0 if linked != self._linked else self._n_items)
            self._linked, self._n_items = linked, n_items
        factors, settings = rows.factors, rows.factors.settings
        arrays = (
            factors.hashes,
            self._keys,
            factors.rows,
            factors.blocks,
            factors.live,
            factors.stale,
            self._offered,
        )
        links = (self._slot_in, self._to_item)
        return Factors(arrays, rows.n_slots, links, settings.n_factors, settings.n_history, settings.decay)

    def _link(self, view: "NumberedItems", first: int) -> None:
        """Link the items from a number on; from 0 on, what was linked before is forgotten.

        Items that no share has any more count in nobody's history, and stand in no list.
        """
        n_items, n_slots = len(view.ids), len(self.rows.factors.rows)
        if n_items > len(self._slot_in):
            self._slot_in = longer(self._slot_in, len(view.weight))
        if n_slots > len(self._to_item):
            self._to_item, self._offered = np.full(n_slots, -1, np.int32), np.zeros(n_slots, np.bool_)
            self._keys, first = longer(self._keys, n_slots), 0
        if first == 0:
            self._to_item[:], self._offered[:] = -1, False
        unknown = ~view.taken_to
        cells, slots = self.rows.indexed
        link_items(
            first,
            n_items,
            view.hashes,
            view.keys,
            view.unwanted | unknown,
            cells,
            slots,
            self._slot_in,
            self._to_item,
            self._keys,
            self._offered,
        )
        self._slot_in[first:n_items][unknown[first:n_items]] = -1
