"""The published list: the item view's co-occurrence and the partition's factor model, fused, with the filler behind."""

from models.fusion import FusionSettings, fuse
from tables.fold_lists import CO_OCCURRENCE, HISTORY, FoldLists
from tables.list_json import ListItem
from tables.user_state import UserState
from tables.view import Filler, ItemView

NOTHING = Filler(())
SPARE = 2  # as many candidates of the factor model as needed, twice over, because some may be forbidden


def recommend(
    view: ItemView, lists: FoldLists, fusion: FusionSettings, user: UserState, k: int, filler: Filler
) -> list[ListItem]:
    """The `k` best items for a user, each with its source and up to two reasons.

    With one partition, nothing forbidden and `k` up to the fusion's depth it is the fold's own list, down to where the
    filler begins: that is by trend here, and by popularity there.
    """
    paired = {item.item_id: item for item in view.recommend(user, fusion.depth, NOTHING)}
    ids, slots = lists.items.ids, lists.near(user, SPARE * fusion.depth).tolist()
    near = {ids[slot] or "": slot for slot in slots if view.may_offer(ids[slot] or "")}
    near = dict(list(near.items())[: fusion.depth])
    chosen = []
    weights = (fusion.cooccurrence_weight, fusion.history_weight)
    places = {item_id: place for place, item_id in enumerate(paired)}
    near_places = {item_id: place for place, item_id in enumerate(near)}
    for item_id, score in fuse([list(paired), list(near)], weights, fusion.depth, k):
        by_pairs = weights[0] * (fusion.depth - places.get(item_id, fusion.depth))
        by_factors = weights[1] * (fusion.depth - near_places.get(item_id, fusion.depth))
        known = paired.get(item_id)
        because = known.because if known else lists.because(user, near[item_id])
        chosen.append(ListItem(item_id, score, CO_OCCURRENCE if by_pairs >= by_factors else HISTORY, because))
    return view.fill(chosen, user, k, filler)
