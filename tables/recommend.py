"""The published list: the item view's co-occurrence and the partition's factor model, fused, with the filler behind."""

import numpy as np

from models.fusion import FusionSettings
from models.list_fusion import N_REASONS
from models.list_kernel import ListNumbers, make_list
from tables.fold_lists import CO_OCCURRENCE, HISTORY
from tables.list_json import ListItem
from tables.user_state import UserState
from tables.view import Filler, ItemView

_SOURCES = (CO_OCCURRENCE, HISTORY)  # as the kernels number them


def recommend(
    view: ItemView, number: int, fusion: FusionSettings, user: UserState, k: int, filler: Filler
) -> list[ListItem]:
    """The `k` best items for a user of partition `number`, each with its source and up to two reasons.

    With one partition, nothing forbidden and `k` up to the fusion's depth it is the fold's own list, down to where the
    filler begins: that is by trend here, and by popularity there. (Ids that begin with the same 16 bytes and score the
    same go by hash here, and by slot there.)
    """
    share, ids, recent = view.shares[number], view.ids, user.recent
    history = share.history
    pairs, place_of = view.pairs()
    items, scores = np.empty(2 * fusion.depth, np.int32), np.empty(2 * fusion.depth, np.float64)
    sources, reasons = np.empty(2 * fusion.depth, np.int32), np.empty((2 * fusion.depth, N_REASONS), np.int32)
    known = view.index.get
    n = make_list(
        pairs,
        list(view.shares).index(number),
        (view.hashes, view.keys, view.known_norm, view.candidate_norm, view.allowed),
        len(ids),
        (share.hashes, share.keys, history.rows, history.blocks, history.live, history.stale),
        share.n_slots,
        np.array([known(item_id, -1) for item_id, _ in recent], np.int32),
        np.array([weight for _, weight in recent], np.float64),
        user.seen[: user.n_seen],
        ListNumbers(
            fusion.depth,
            fusion.cooccurrence_weight,
            fusion.history_weight,
            view.settings.decay,
            history.settings.decay,
            history.settings.n_history,
            history.settings.n_factors,
        ),
        k,
        place_of,
        items,
        scores,
        sources,
        reasons,
    )
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
            items[:n].tolist(), scores[:n].tolist(), sources[:n].tolist(), reasons[:n].tolist(), strict=True
        )
    ]
    return view.fill(made, user, k, filler)
