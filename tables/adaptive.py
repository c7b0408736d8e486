"""Lists whose blend learns from what became of those that were served. Its weights are view, no state."""

from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Any, Final

from models.blend_weights import BlendWeights, Served
from models.errors import StateError
from models.fold_arrays import FIRST
from models.ids import hash64
from tables.list_json import ListItem
from tables.list_settings import LEARNED, ListSettings
from tables.newcomers import Newcomers
from tables.recommend import Recommender
from tables.user_state import UserState
from tables.view import Filler, ItemView

MAX_SERVED: Final = 1024
NEWCOMERS: Final = "newcomers"
MAX_OUTCOMES: Final = 64  # learned in one call, 10 us each at 50 proposals


class AdaptiveRecommender:
    """A recommender and, if the blend learns, its weights.

    Made lists are told apart from served ones: `recommend`, then `made`, and once the list is where readers find it
    `served`. What a user took comes by `took`, from any thread, and is learned by `learn`, in the thread of the lists.

    Attributes
    ----------
    newcomers
        Who makes what stands behind lists: the list of users of whom nothing is known.
    """

    def __init__(self, settings: ListSettings) -> None:
        self.recommender = Recommender(settings)
        names = self.recommender.names
        start = [settings.weight(name) for name in names]
        self.weights = BlendWeights(names, start) if settings.blend == LEARNED else None
        self.newcomers = Newcomers(learns=settings.blend == LEARNED)
        self._bucket = 0
        self._served: OrderedDict[str, Served] = OrderedDict()
        self._taken: deque[tuple[str, str, int]] = deque(maxlen=MAX_SERVED)

    def recommend(self, view: ItemView, number: int, user: UserState, k: int, filler: Filler) -> list[ListItem]:
        """As `Recommender.recommend`, by the weights learned for users of so many events."""
        if self.weights is None:
            return self.recommender.recommend(view, number, user, k, filler)
        self._bucket = self.weights.bucket(user.n_events)
        weights = self.weights.values[self._bucket]
        return self.recommender.recommend(view, number, user, k, filler, weights)

    def made(self, view: ItemView) -> Served | None:
        """What has to be kept of the last list to learn from it; None if nothing is to be learned."""
        if self.weights is None:
            return None
        return self.weights.served(self.recommender.proposals, view.hashes, self._bucket)

    def served(self, user_id: str, made: Served | None) -> None:
        """A user's list is where readers find it; the last ones are remembered."""
        if made is not None:
            self._served[user_id] = made
            self._served.move_to_end(user_id)
            if len(self._served) > MAX_SERVED:
                self._served.popitem(last=False)

    def forget(self) -> None:
        """Others serve from now on, or have served: nothing is learned from the lists of before."""
        self._served.clear()

    def took(self, user_id: str, item_id: str, how: int) -> None:
        """Take one positive event; `how` it is a test is of `models.fold_arrays`."""
        if self.weights is not None:
            self._taken.append((user_id, item_id, how))

    def learn(self) -> bool:
        """Learn from what users took, each from the list last served, a few at a time; whether anything was.

        A user without a history has had the list of newcomers.
        """
        learned = False
        for _ in range(min(len(self._taken), MAX_OUTCOMES)):
            assert self.weights is not None
            user_id, item_id, how = self._taken.popleft()
            if how == FIRST:
                learned = self.newcomers.learn(hash64(item_id)) or learned
                continue
            served = self._served.get(user_id)
            if served is not None:
                learned = self.weights.learn(served, hash64(item_id)) or learned
        return learned

    def as_json(self) -> dict[str, Any]:
        """The weights, if they are learned; to be stored, and to be looked at."""
        return {} if self.weights is None else self.weights.as_json() | {NEWCOMERS: self.newcomers.as_json()}

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Take over stored weights that more outcomes have been learned into than into these.

        Raises
        ------
        StateError
            If they have another shape.
        """
        if self.weights is None or not stored:
            return
        try:
            if stored["n"] > self.weights.n_learned:
                self.weights.restore(stored)
            self.newcomers.restore(stored.get(NEWCOMERS, {}))
        except (KeyError, TypeError, ValueError) as error:
            raise StateError(f"stored weights of the blend have another shape: {error!r} in {stored!r}") from error
