"""What a source of a list is, and what it is asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from models.event_types import EventType
from models.history import aged
from models.list_candidates import set_of
from models.proposals import Proposals
from models.words import FOR, MAX_KIND, parts_of
from tables.user_state import UserState
from tables.view import Filler, ItemView

DAY_MS: Final = 86_400_000
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
        Item numbers (-1: the view has none) of the user's last items, oldest first, and what each counts at its age.
    seen, n_seen
        The hashes of what is not to be offered, as a set (`models.list_candidates.holds`), and how many there are.
    look
        About how many items a source should score one by one (`tables.list_settings.ListSettings`).
    again
        By kind of what the user last did (`models.words`): whether it may be offered again, bool (16,).
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
    again: npt.NDArray[np.bool_]


class Source(Protocol):
    """Proposes items that a user may take to.

    It offers only what `Asked.view` allows and the user has not seen (but for `Again`), each item once, best first,
    with positive, finite scores in proportion to how likely it holds them to be next; the same for the same view and
    user.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """One for each row that it fills."""

    def propose(self, asked: Asked, rows: Proposals) -> Because | None:
        """Fill rows, shape (number of names, depth), and their counts; returns who explains the items, if anybody."""


@dataclass(frozen=True, slots=True)
class Returns:
    """What settings let return, by kind.

    Parameters
    ----------
    again
        Whether it is offered again at once, bool (16,).
    after_ms
        After how many ms without an event it counts as new, int64 (16,); 0: never.
    at_once, in_time
        Whether anything is offered again; whether anything becomes new.
    """

    again: npt.NDArray[np.bool_]
    after_ms: npt.NDArray[np.int64]
    at_once: bool
    in_time: bool

    @classmethod
    def of(cls, types: Sequence[EventType]) -> "Returns":
        """Of the types of kind 1, 2 and so on."""
        again, after_ms = np.zeros(MAX_KIND + 1, np.bool_), np.zeros(MAX_KIND + 1, np.int64)
        for kind, known in enumerate(types, 1):
            again[kind] = known.allow_repeats
            after_ms[kind] = round(known.returns_after_days * DAY_MS)
        return cls(again, after_ms, bool(again.any()), bool(after_ms.any()))

    def still_seen(self, user: UserState) -> npt.NDArray[np.uint64]:
        """Hashes of what a user has seen and what is not new again by the time of the user's last event."""
        seen, words = user.seen[: user.n_seen], user.words[: user.n_seen]
        if not self.in_time:
            return seen
        times_ms, kinds, stances = parts_of(words)
        after_ms = self.after_ms[kinds]
        kept: npt.NDArray[np.uint64] = seen[(after_ms == 0) | (times_ms + after_ms > user.last_ms) | (stances != FOR)]
        return kept


NOTHING_RETURNS: Final = Returns.of(())


def asked(
    view: ItemView, number: int, user: UserState, filler: Filler, look: int, returns: Returns = NOTHING_RETURNS
) -> Asked:
    """What sources are asked for a user of partition `number`."""
    ids, weights = zip(*user.recent, strict=True) if user.recent else ((), ())
    seen = returns.still_seen(user)
    return Asked(
        view,
        number,
        user,
        np.array(list(map(view.index.get, ids, repeat(-1))), np.int32),
        aged(np.array(weights, np.float64), np.array(user.recent_ms, np.int64)),
        set_of(seen),
        len(seen),
        filler,
        look,
        returns.again,
    )
