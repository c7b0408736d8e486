"""What a source of a list is, and what it is asked."""

from collections.abc import Callable
from itertools import repeat
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from models.list_candidates import set_of
from models.proposals import Proposals
from tables.user_state import UserState
from tables.view import Filler, ItemView

Ints = npt.NDArray[np.int32]
Because = Callable[[Ints, Ints, Ints], None]
"""Called with items of the list, shape (n,), their ranks among the source's proposals, (n, number of names), and a
table of reasons, (n, 2), full of -1: writes places in `Asked.recent` there for items that it can speak for."""


class Asked(NamedTuple):
    """One user who is to get a list.

    Parameters
    ----------
    number
        The user's partition.
    recent, weights
        Item numbers (-1: the view has none) and weights of the user's last items, oldest first.
    seen, n_seen
        The hashes of what is not to be offered, as a set (`models.list_candidates.holds`), and how many there are.
    look
        About how many items a source should score one by one (`tables.list_settings.ListSettings`).
    """

    view: ItemView
    number: int
    user: UserState
    recent: Ints
    weights: npt.NDArray[np.float64]
    seen: npt.NDArray[np.uint64]
    n_seen: int
    filler: Filler
    look: int


class Source(Protocol):
    """Proposes items that a user may take to.

    It offers only what `Asked.view` allows and the user has not seen, each item once, best first, with positive, finite
    scores in proportion to how likely it holds them to be next; the same for the same view and user.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """One for each row that it fills."""

    def propose(self, asked: Asked, rows: Proposals) -> Because | None:
        """Fill rows, shape (number of names, depth), and their counts; returns who explains the items, if anybody."""


def asked(view: ItemView, number: int, user: UserState, filler: Filler, look: int) -> Asked:
    """What sources are asked for a user of partition `number`."""
    ids, weights = zip(*user.recent, strict=True) if user.recent else ((), ())
    return Asked(
        view,
        number,
        user,
        np.array(list(map(view.index.get, ids, repeat(-1))), np.int32),
        np.array(weights, np.float64),
        set_of(user.seen[: user.n_seen]),
        user.n_seen,
        filler,
        look,
    )
