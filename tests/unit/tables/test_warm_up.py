"""What is compiled before the group is joined: nothing may be left for the moment when events flow."""

from numba.core.dispatcher import Dispatcher

from models import blend, blend_weights, list_candidates, list_kernel, list_reasons, view_kernels
from tables.items import ItemShares
from tables.partition import PartitionState
from tables.user_state import UserState
from tables.view import ItemView
from tables.warm_up import warm_up
from tests.lists import recommend
from tests.logs import made_log
from tests.rank_fusion import RankFusion
from tests.saved import folded


def signatures() -> dict[str, int]:
    """How many versions of each kernel of the published lists there are."""
    return {
        name: len(kernel.signatures)
        for module in (blend, blend_weights, list_candidates, list_kernel, list_reasons, view_kernels)
        for name, kernel in vars(module).items()
        if isinstance(kernel, Dispatcher)
    }


def loaded(state: PartitionState) -> list[UserState]:
    """Users as they come out of a checkpoint."""
    return [UserState.decode(user.encode()) for user in map(state.users.get, state.users) if user]


def test_lists_compile_nothing_after_the_warm_up() -> None:
    """Users from a checkpoint, a followed share, nobody's history: every list is made by what the warm-up compiled."""
    warm_up()
    before = signatures()
    state = folded(made_log(12, 300))
    followed = ItemShares(state.settings.cooccurrence, state.settings.ratings, state.settings.history)
    for item_id, slot in state.items.slots.items():
        followed.apply(item_id, state.items.encode(slot))
    view = ItemView(state.settings.cooccurrence)
    view.set_share(0, state.items)
    view.set_share(1, followed)
    for user in [*loaded(state), UserState()]:
        recommend(view, 0, RankFusion(), user, 30, view.popularity(30))

    assert signatures() == before
