"""The published list: the item view's co-occurrence and the partition's factor model, fused, with the filler behind."""

import numpy as np
import numpy.typing as npt

from models.fusion import FusionSettings
from models.list_fusion import N_REASONS, explain, fuse_candidates
from tables.fold_lists import CO_OCCURRENCE, HISTORY
from tables.items import ItemShares
from tables.list_json import ListItem
from tables.user_state import UserState
from tables.view import Filler, ItemView

SPARE = 2  # as many candidates of the factor model as needed, twice over, because some may be forbidden
_SOURCES = (CO_OCCURRENCE, HISTORY)  # as the kernels number them

Ints = npt.NDArray[np.int32]


def recommend(
    view: ItemView, number: int, fusion: FusionSettings, user: UserState, k: int, filler: Filler
) -> list[ListItem]:
    """The `k` best items for a user of partition `number`, each with its source and up to two reasons.

    With one partition, nothing forbidden and `k` up to the fusion's depth it is the fold's own list, down to where the
    filler begins: that is by trend here, and by popularity there.
    """
    share, depth = view.shares[number], fusion.depth
    history = share.history
    seen = view.seen_by(user)
    paired = view.paired(user, seen, depth)
    slots, slot_weights, slots_at = known_slots(share, user)
    logits = np.empty(share.n_slots if len(slots) else 0, np.float32)
    if len(logits) and not history.scores(slots, slot_weights, logits):
        logits = logits[:0]
    weights = np.array((fusion.cooccurrence_weight, fusion.history_weight), np.float64)
    near_slots = np.empty(SPARE * depth, np.int32)
    items, scores = np.empty(2 * depth, np.int32), np.empty(2 * depth, np.float64)
    places, order = np.empty((2 * depth, 2), np.int32), np.empty(2 * depth, np.int64)
    n, is_ordered = fuse_candidates(
        paired.items,
        len(paired.items),
        logits,
        len(logits),
        share.hashes,
        share.keys,
        seen,
        view.to_item[number],
        view.hashes,
        view.keys,
        view.allowed,
        weights,
        depth,
        near_slots,
        items,
        scores,
        places,
        order,
    )
    if not is_ordered:  # equal in score and in the first bytes of their ids
        order[:n] = sorted(range(n), key=lambda at: (-scores[at], view.ids[items[at]]))
    chosen = order[: min(n, k)]
    sources, reasons = np.empty(len(chosen), np.int32), np.empty((len(chosen), N_REASONS), np.int32)
    explain(
        places,
        chosen,
        weights,
        depth,
        view.reasons(paired, items[chosen]),
        paired.known_at,
        history.rows,
        history.settings.n_factors,
        slots,
        slot_weights,
        slots_at,
        history.settings.decay,
        near_slots,
        sources,
        reasons,
    )
    ids, recent = view.ids, user.recent
    new = tuple.__new__  # what the constructor does, without its detour
    made = [
        new(
            ListItem,
            (
                ids[item],
                score,
                _SOURCES[source],
                () if first < 0 else (recent[first][0],) if second < 0 else (recent[first][0], recent[second][0]),
            ),
        )
        for item, score, source, (first, second) in zip(
            items[chosen].tolist(), scores[chosen].tolist(), sources.tolist(), reasons.tolist(), strict=True
        )
    ]
    return view.fill(made, user, k, filler)


def known_slots(share: ItemShares, user: UserState) -> tuple[Ints, npt.NDArray[np.float64], Ints]:
    """Slots and weights of a user's recent items that the share knows, oldest first, and their places among all."""
    slots: list[int] = []
    weights: list[float] = []
    places: list[int] = []
    for place, (item_id, weight) in enumerate(user.recent):
        slot = share.slots.get(item_id)
        if slot is not None:
            slots.append(slot)
            weights.append(weight)
            places.append(place)
    return np.array(slots, np.int32), np.array(weights, np.float64), np.array(places, np.int32)
