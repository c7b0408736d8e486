"""Prequential evaluation inside the fold: freeze lists before an event is learned, score the event on them."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from models.errors import SettingsError
from models.evaluation import Prequential, RatingErrors
from models.fold_arrays import REPEATED
from models.ids import hash64
from tables.fold_lists import FoldLists
from tables.items import ItemShares
from tables.users import Users

MAX_WAITING = 1024
_PARTS = 1_000_000


class Sample:
    """A part of the users, by a hash of the id: always the same ones.

    Parameters
    ----------
    fraction
        0 none, 1 all.
    """

    def __init__(self, fraction: float) -> None:
        self._threshold = round(fraction * _PARTS)

    def includes(self, user_id: str) -> bool:
        """Whether a user is among them."""
        if self._threshold in (0, _PARTS):
            return self._threshold == _PARTS
        return hash64(f"evaluate\0{user_id}") % _PARTS < self._threshold


class Evaluator:
    """The evaluation of one partition; its counters, and the users' waiting lists, are state.

    Parameters
    ----------
    fraction
        Of the users, by a hash of the id: 0 none, 1 all.
    """

    def __init__(self, items: ItemShares, lists: FoldLists, fraction: float) -> None:
        if not 0 <= fraction <= 1:
            raise SettingsError(f"evaluate_fraction has value {fraction!r}: use 0 to 1, e.g. 0.05.")
        self.prequential = Prequential()
        self.ratings = RatingErrors()
        self.lists = lists
        self._items = items
        self.includes = Sample(fraction).includes  # whether a user is among those evaluated
        self.on_test: Callable[[str, str, int], None] | None = None  # a listener; no state
        self._waiting: OrderedDict[str, None] = OrderedDict()

    @property
    def n_waiting(self) -> int:
        """Users whose lists wait, at most `MAX_WAITING`."""
        return len(self._waiting)

    def hold(self, user_id: str) -> str | None:
        """Let a user's lists wait from now on.

        Returns
        -------
        str | None
            The user whose waiting lists have to make room, if any.
        """
        waiting = self._waiting
        waiting[user_id] = None
        waiting.move_to_end(user_id)
        return waiting.popitem(last=False)[0] if len(waiting) > MAX_WAITING else None

    def test(self, user_id: str, item_id: str, how: int, ranks: Mapping[str, int], n_events: int) -> None:
        """Count a positive event, by the item's rank in each list that waited; `how` is of `models.fold_arrays`.

        One on an item that the user has had is told of, and not counted: none of the lists offers it.
        """
        if self.on_test is not None:
            self.on_test(user_id, item_id, how)
        if how != REPEATED:
            self.prequential.add(ranks, n_events)

    def forget(self, user_id: str) -> None:
        """A user is gone."""
        self._waiting.pop(user_id, None)

    def stored(self) -> dict[str, Any]:
        """The sums, as JSON has them; floats come back bit for bit."""
        return {
            "prequential": asdict(self.prequential),
            "ratings": asdict(self.ratings),
            "rating_mean": self._items.ratings.mean.tolist(),
        }

    def restore(self, stored: Mapping[str, Any] | None) -> None:
        """Take over what `stored` gave; None: nothing has been summed up.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it has another shape.
        """
        if stored is None:
            self.prequential, self.ratings = Prequential(), RatingErrors()
            self._items.ratings.mean[:] = 0.0
            return
        if len(stored["rating_mean"]) != len(self._items.ratings.mean):
            raise ValueError(f"rating_mean has {len(stored['rating_mean'])} numbers")
        self.prequential = Prequential(**stored["prequential"])
        self.ratings = RatingErrors(**stored["ratings"])
        self._items.ratings.mean[:] = stored["rating_mean"]

    def load(self, users: Users) -> None:
        """Find out after a load whose lists wait."""
        self._waiting = OrderedDict.fromkeys(users.waiting())
