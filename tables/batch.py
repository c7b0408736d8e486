"""Events on their way into the compiled fold, and what it says of them."""

import struct
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.cooccurrence import cells_per_event
from models.evaluation import SOURCES
from models.event_types import type_codes
from models.fold_arrays import EVENT, Results
from models.fold_kernel import FoldNumbers, fold_events, freeze, scratch_of
from models.trending import N_BUCKETS, STEPS_MS
from tables.evaluator import Evaluator
from tables.fold_settings import RIVER, FoldSettings
from tables.items import ItemShares
from tables.lessons import encode_lessons
from tables.users import Users

if TYPE_CHECKING:
    from models.factorization_river import RiverRatings

MAX_EVENTS = 256
_EVENT = struct.Struct("8q2d")
assert _EVENT.size == EVENT.itemsize


class Batch:
    """Up to 256 events; `run` folds them into users, items and the evaluation.

    Parameters
    ----------
    users, items, evaluator
        What is changed.

    Attributes
    ----------
    types
        The types of events, in the order of their numbers.
    n_of_type
        Events of each that were run, int64; of this object's lifetime, and no state.
    """

    def __init__(self, users: Users, items: ItemShares, evaluator: Evaluator, settings: FoldSettings) -> None:
        teaches = not items.history.n_factors
        self.users: set[str] = set()
        self._users = users
        self._items = items
        self._evaluator = evaluator
        self._ids: list[tuple[str, str]] = []
        self._buffer = bytearray(MAX_EVENTS * EVENT.itemsize)
        self._river = river_of(settings)
        self._ratings: list[tuple[int, int, float]] = []  # of the events in the batch, for River
        self._numbers = numbers_of(settings, teaches=teaches)
        self._scratch = scratch_of(self._numbers, settings.history.n_factors, 2 * MAX_EVENTS)
        codes = type_codes(settings.rules.types)
        self.types: tuple[str, ...] = tuple(sorted(codes, key=codes.__getitem__))
        self.n_of_type: npt.NDArray[np.int64] = np.zeros(len(codes), np.int64)
        self._codes: npt.NDArray[np.int64] = np.array(sorted(codes.values()), np.int64)
        self._results = Results(
            np.zeros(MAX_EVENTS, np.uint8), np.zeros((MAX_EVENTS, len(SOURCES)), np.int32), np.zeros(3)
        )

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def is_full(self) -> bool:
        """Whether it must be run before another event is added."""
        return len(self._ids) == MAX_EVENTS

    def add(self, user_id: str, item_id: str, *numbers: float) -> None:
        """Add an event; `numbers` are the fields of `EVENT`, in their order."""
        if self._river is not None and numbers[-1] == numbers[-1]:
            self._ratings.append((int(numbers[0]), int(numbers[1]), numbers[-1]))
            numbers = (*numbers[:-1], np.nan)
        _EVENT.pack_into(self._buffer, len(self._ids) * _EVENT.size, *numbers)
        self._ids.append((user_id, item_id))
        self.users.add(user_id)

    def freeze(self, user: int, row: int, time_ms: int, *, fresh: bool) -> None:
        """Keep a user's lists as they stand, unless those of the timestamp wait already; nothing may be pending."""
        assert not self._ids, "run comes first"
        users, lists = self._users.arrays(), self._evaluator.lists
        if fresh or users.waiting_ms[row] != time_ms:
            freeze(self._items.arrays(), users, user, row, time_ms, lists.scratch(), lists.numbers, lists.by_shares)

    def run(self, n_before: int) -> int:
        """Fold all events and forget them; returns how many. `n_before` events were folded before."""
        n, first, events = len(self._ids), 0, np.frombuffer(self._buffer, EVENT)
        evaluator, results = self._evaluator, self._results
        errors = evaluator.ratings
        results.rating_errors[:] = errors.n, errors.absolute, errors.squared
        while first < n:
            first = fold_events(
                events,
                first,
                n,
                n_before,
                self._items.arrays(),
                self._users.arrays(),
                evaluator.lists.scratch(),
                self._scratch,
                self._numbers,
                evaluator.lists.numbers,
                evaluator.lists.by_shares,
                results,
            )
            if first < n:
                self._items.spare(self._numbers.max_recent)
                self._users.spare()
        summed = results.rating_errors.tolist()
        errors.n, errors.absolute, errors.squared = int(summed[0]), summed[1], summed[2]
        if self._river is not None:
            self._learn_by_river(self._river)
        tested = np.flatnonzero(results.tested[:n])
        columns = (tested.tolist(), results.tested[tested].tolist(), results.ranks[tested].tolist())
        for number, how, ranks in zip(*columns, strict=True):
            evaluator.test(*self._ids[number], how, dict(zip(SOURCES, ranks, strict=True)), n_before + number)
        self.n_of_type += np.bincount(np.searchsorted(self._codes, events["kind"][:n]), minlength=len(self._codes))
        self._users.prune()
        self._ids.clear()
        self.users.clear()
        return n

    def take_lessons(self, partition: int, *, least: int = 1) -> bytes:
        """The lessons of the events that have run, for the learner of the factors; empty if there are fewer.

        `run` needs room for those of `MAX_EVENTS` more.
        """
        lessons = self._scratch.lessons
        if lessons.n[0] < least:
            return b""
        encoded = encode_lessons(partition, lessons)
        lessons.n[:] = 0
        return encoded

    def _learn_by_river(self, river: "RiverRatings") -> None:
        """Learn the ratings of the batch, in order. Nothing else of the fold reads or writes what they change."""
        items, users, errors = self._items.arrays(), self._users.arrays(), self._evaluator.ratings
        for user, item, rating in self._ratings:
            error = river.learn_one(items, users, user, item, rating)
            errors.n += 1
            errors.absolute += abs(error)
            errors.squared += error * error
        self._ratings.clear()


def river_of(settings: FoldSettings) -> "RiverRatings | None":
    """River's rating model, if settings ask for it."""
    if settings.rating_model != RIVER:
        return None
    from models.factorization_river import RiverRatings  # half a second of imports, not for those who do without

    return RiverRatings(settings.ratings)


def numbers_of(settings: FoldSettings, *, teaches: bool) -> FoldNumbers:
    """The settings of the fold as its kernel takes them; whether it hands lessons over instead of learning factors."""
    pairs, history, ratings = settings.cooccurrence, settings.history, settings.ratings
    return FoldNumbers(
        max_recent=pairs.n_history,
        max_seen=settings.max_seen,
        n_keep=pairs.n_keep,
        known_exponent=pairs.known_exponent,
        candidate_exponent=pairs.candidate_exponent,
        history_seed=history.seed_key,
        n_negatives=history.n_negatives,
        max_weight=history.max_weight,
        learning_rate=history.learning_rate,
        round_to=history.round_to,
        rating_seed=np.uint64(ratings.seed),
        start_scale=ratings.start_scale,
        lr_bias=ratings.lr_bias,
        lr_factors=ratings.lr_factors,
        max_gradient=ratings.max_gradient,
        max_factor=ratings.max_weight,
        lowest=ratings.lowest,
        highest=ratings.highest,
        trend_steps=STEPS_MS,
        trend_sizes=N_BUCKETS,
        pair_cells=cells_per_event(pairs.n_history, pairs.n_keep),
        follow_back=settings.following.n_back,
        follow_decay=settings.following.decay,
        follow_keep=settings.following.n_keep,
        follow_cells=settings.following.cells_per_event,
        n_lesson=history.n_history if teaches else 0,
    )
