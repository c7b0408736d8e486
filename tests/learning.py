"""One event taught to the parts of a share, each by the kernel that the fold teaches it by."""

import numpy as np
import numpy.typing as npt

from models import cooccurrence, trending
from models.cooccurrence import Cooccurrence
from models.trending import Trending
from tables.items import ItemShares


def pair(model: Cooccurrence, slot: int, others: npt.NDArray[np.int32], amounts: npt.NDArray[np.float64]) -> None:
    """Add `amounts[i]` to the pair of `slot` and `others[i]`, with room for them; no item twice in `others`."""
    if len(others):
        model.grow(max(slot, int(others.max())) + 1)
        model.spare(len(others))
        cooccurrence.learn_pairs(model.rows.arrays(), slot, others, amounts, model.n_keep)


def trend(model: Trending, slot: int, weight: float, time_ms: int) -> None:
    """Count one event of a slot, with room for it."""
    model.grow(slot + 1)
    sizes, steps = trending.N_BUCKETS, trending.STEPS_MS
    trending.count(model.value, model.bucket, model.decay, sizes, steps, slot, weight, time_ms, 0)


def met(shares: ItemShares, item_id: str) -> int:
    """The slot of an item that has had an event, a new one (the lowest free) if need be."""
    slot = shares.slots.get(item_id)
    if slot is None:
        slot = shares.prepare(item_id)
        shares.history.live[slot] = shares.offered[slot] = True
        shares.history.n_range[0] = max(int(shares.history.n_range[0]), slot + 1)
    return slot
