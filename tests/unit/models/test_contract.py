"""What every model promises, in one place. A new model is one line in `MODELS`, with an adapter if need be."""

import math
import random
from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pytest

from models.cooccurrence import CooccurrenceSettings
from models.factorization import Mean
from models.history_factors import HistoryFactorsSettings
from models.ids import hash64
from models.source_names import HISTORY as BY_HISTORY
from tables.fold_lists import FoldLists
from tables.items import ItemShares
from tables.user_state import UserState
from tables.view import ItemView
from tests.lists import NOTHING, by_pairs
from tests.logs import DAY_MS, START_MS

MAX_ITEMS, MAX_USERS, N_KEEP, N_HISTORY = 64, 16, 8, 5
PAIRS = CooccurrenceSettings(n_history=N_HISTORY, n_keep=N_KEEP)
HISTORY = HistoryFactorsSettings(n_factors=8, n_history=N_HISTORY, n_negatives=10)
Known = tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]


class Model(Protocol):
    """The verbs that the contract needs."""

    def learn_one(self, user_id: str, item_id: str, weight: float, time_ms: int) -> None: ...
    def rank(self, user_id: str, item_ids: list[str], as_of_ms: int, k: int) -> list[tuple[str, float]]: ...
    def encode(self) -> list[tuple[str, bytes]]: ...
    def reloaded(self) -> "Model": ...
    def n_bytes(self) -> int: ...
    def make_alike(self) -> None: ...


class OfItems:
    """A model that lives in item shares, with the bounds that the partition state gives it."""

    def __init__(self, shares: ItemShares | None = None, users: dict[str, UserState] | None = None) -> None:
        self.shares = shares or ItemShares(PAIRS, history=HISTORY)
        self.users = users or {}
        self.n_learned = max([0, *self.shares.last_offset.tolist()])

    def learn_one(self, user_id: str, item_id: str, weight: float, time_ms: int) -> None:
        self.n_learned += 1
        if item_id not in self.shares.slots and len(self.shares) == MAX_ITEMS:
            self.shares.remove(self.shares.expendable(4))
        slot = self.shares.intern(item_id)
        self.shares.last_offset[slot] = self.n_learned
        self.shares.set_weight(slot, float(self.shares.weight[slot]) + weight)
        self.shares.touch([slot])
        self._learn(user_id, item_id, slot, weight, time_ms)

    def _learn(self, user_id: str, item_id: str, slot: int, weight: float, time_ms: int) -> None:
        raise NotImplementedError

    def view(self) -> ItemView:
        view = ItemView(PAIRS)
        view.set_share(0, self.shares)
        return view

    def encode(self) -> list[tuple[str, bytes]]:
        users = [(user_id, user.encode()) for user_id, user in self.users.items()]
        return users + [(item_id, self.shares.encode(slot)) for item_id, slot in sorted(self.shares.slots.items())]

    def reloaded(self) -> Model:
        shares = ItemShares(PAIRS, history=HISTORY)
        for item_id, slot in self.shares.slots.items():
            shares.apply(item_id, self.shares.encode(slot))
        shares.finish_load()
        users = {user_id: UserState.decode(user.encode()) for user_id, user in self.users.items()}
        return type(self)(shares, users)  # type: ignore[return-value]  # the subclass has all verbs

    def n_bytes(self) -> int:
        shares = self.shares
        shares.arrays()  # an index that items were removed from is made anew by the first who needs it
        owners = [shares, shares.pairs.rows, *(each for each in vars(shares).values() if hasattr(each, "__dict__"))]
        parts = [part for owner in owners for part in vars(owner).values() if isinstance(part, np.ndarray)]
        return sum(part.nbytes for part in parts) + sum(len(value) for _, value in self.encode())

    def make_alike(self) -> None:
        """Let every item but i0 be worth the same, if equal events have not done so."""

    def user(self, user_id: str) -> UserState:
        """A user to learn from; the one idle longest makes room."""
        user = self.users.pop(user_id, None) or UserState()
        self.users[user_id] = user
        if len(self.users) > MAX_USERS:
            del self.users[next(iter(self.users))]
        return user

    def history(self, user: UserState, item_id: str, weight: float) -> Known:
        """What the user knew before this item, by slot, oldest first."""
        return self.known(user.add_recent(item_id, weight, N_HISTORY))

    def known(self, recent: list[tuple[str, float]]) -> Known:
        """Slots and weights of those items that are there."""
        known = [(self.shares.slots[other], amount) for other, amount in recent if other in self.shares.slots]
        return np.array([other for other, _ in known], np.int32), np.array([amount for _, amount in known], np.float64)

    def reader(self, user_id: str, item_ids: list[str]) -> UserState:
        """The user, or a stranger who has just come by the given items."""
        user = self.users.get(user_id)
        if user is None:
            user = UserState()
            for item_id in item_ids:
                user.add_recent(item_id, 1.0, N_HISTORY)
        return user


class Pairs(OfItems):
    """Co-occurrence."""

    def _learn(self, user_id: str, item_id: str, slot: int, weight: float, time_ms: int) -> None:
        user = self.user(user_id)
        user.mark_seen(hash64(item_id), N_HISTORY)
        others, amounts = self.history(user, item_id, weight)
        self.shares.pairs.learn_one(slot, others, weight * amounts)
        self.shares.touch(others.tolist())

    def rank(self, user_id: str, item_ids: list[str], as_of_ms: int, k: int) -> list[tuple[str, float]]:
        user = self.reader(user_id, item_ids)
        return [(item.item_id, item.score) for item in by_pairs(self.view(), user, k, NOTHING)]


class Trends(OfItems):
    """Trending, over the week."""

    def _learn(self, user_id: str, item_id: str, slot: int, weight: float, time_ms: int) -> None:
        self.shares.trending.learn_one(slot, weight, time_ms)

    def rank(self, user_id: str, item_ids: list[str], as_of_ms: int, k: int) -> list[tuple[str, float]]:
        view = self.view()
        return [(view.ids[item], score) for item, score in view.trending(2, as_of_ms, k)]


class Ratings(OfItems):
    """Factorization: weights are ratings, items are ranked by the rating to expect."""

    def _learn(self, user_id: str, item_id: str, slot: int, weight: float, time_ms: int) -> None:
        user, ratings = self.user(user_id), self.shares.ratings
        if user.factors is None:
            user.factors = ratings.start_user(hash64(user_id))
        ratings.start(slot, hash64(item_id))
        ratings.learn_one(user.factors, slot, weight)

    def rank(self, user_id: str, item_ids: list[str], as_of_ms: int, k: int) -> list[tuple[str, float]]:
        user, ratings, slots = self.users.get(user_id), self.shares.ratings, self.shares.slots
        row = user.factors if user else None
        unknown = [ratings.predict_one(row, slots.get(item_id)) for item_id in item_ids]
        assert all(map(math.isfinite, [*unknown, ratings.predict_one(row, 10**9)]))
        predicted = [(item_id, ratings.predict_one(row, slot)) for item_id, slot in slots.items()]
        return sorted(predicted, key=lambda entry: (-entry[1], entry[0]))[:k]

    def encode(self) -> list[tuple[str, bytes]]:
        return [("mean", self.shares.ratings.mean.encode()), *super().encode()]

    def reloaded(self) -> Model:
        loaded = super().reloaded()
        assert isinstance(loaded, Ratings)
        loaded.shares.ratings.mean = Mean.decode(self.shares.ratings.mean.encode())
        return loaded

    def make_alike(self) -> None:
        self.shares.ratings.rows[:] = self.shares.ratings.rows[0]


class Histories(OfItems):
    """History factors."""

    def _learn(self, user_id: str, item_id: str, slot: int, weight: float, time_ms: int) -> None:
        user = self.user(user_id)
        user.mark_seen(hash64(item_id), N_HISTORY)
        others, amounts = self.history(user, item_id, weight)
        seen = user.seen[: user.n_seen]
        changed = self.shares.history.learn_one(slot, others, amounts, weight, self.n_learned, seen)
        self.shares.touch(changed.tolist())

    def rank(self, user_id: str, item_ids: list[str], as_of_ms: int, k: int) -> list[tuple[str, float]]:
        user, scores = self.reader(user_id, item_ids), np.zeros(self.shares.n_slots, np.float32)
        slots = FoldLists(self.shares).sources(user, k)[BY_HISTORY].tolist()
        self.shares.history.scores(*self.known(user.recent), scores)
        return [(self.shares.ids[slot] or "", float(scores[slot])) for slot in slots]

    def make_alike(self) -> None:
        self.shares.history.rows[:] = self.shares.history.rows[0]
        self.shares.history.stale[:] = True


MODELS: dict[str, Callable[[], Model]] = {
    "co-occurrence": Pairs,
    "trending": Trends,
    "factorization": Ratings,
    "history factors": Histories,
}
every_model = pytest.mark.parametrize("create", MODELS.values(), ids=MODELS)


def learn(model: Model, n: int, n_items: int, seed: int = 1, start: int = 0) -> Model:
    """Events `start` to `n` of a seeded log; the time runs on, with some events out of order."""
    rng = random.Random(seed)
    for number in range(n):
        user_id, item = f"u{rng.randrange(30)}", int(n_items * rng.random() * rng.random())
        weight, late_ms = rng.choice((0.5, 1.0, 2.0)), rng.choice((0, 0, 60_000, DAY_MS))
        if number >= start:
            model.learn_one(user_id, f"i{item}", weight, START_MS + number * 1_000 - late_ms)
    return model


@every_model
def test_unseen_ids_leave_the_state_alone(create: Callable[[], Model]) -> None:
    """Asking for users and items nobody has seen makes nothing larger and changes no byte."""
    model = learn(create(), 500, 100)
    before, size = model.encode(), model.n_bytes()
    for number in range(200):
        model.rank(f"stranger {number}", [f"unknown {number}"], START_MS, 10)

    assert (model.encode(), model.n_bytes()) == (before, size)


@every_model
def test_reading_changes_no_byte(create: Callable[[], Model]) -> None:
    """Known users and items can be asked for at any time."""
    model, undisturbed = create(), learn(create(), 300, 100)
    for start in range(0, 300, 50):
        learn(model, start + 50, 100, start=start)
        for number in range(30):
            model.rank(f"u{number}", [f"i{number}"], START_MS + start * DAY_MS, 10)

    assert model.encode() == undisturbed.encode()


@every_model
def test_same_seed_and_events_make_the_same_bytes(create: Callable[[], Model]) -> None:
    """Two runs agree in every byte; another log makes others."""
    assert learn(create(), 1_000, 100).encode() == learn(create(), 1_000, 100).encode()
    assert learn(create(), 1_000, 100).encode() != learn(create(), 1_000, 100, seed=2).encode()


@every_model
def test_encode_and_decode_in_mid_stream_change_nothing(create: Callable[[], Model]) -> None:
    """A model that is stored and read every 37 events goes on as if it never was."""
    model = create()
    for start in range(0, 1_000, 37):
        model = learn(model, min(1_000, start + 37), 100, start=start).reloaded()

    assert model.encode() == learn(create(), 1_000, 100).encode()
    assert model.rank("u1", ["i1"], START_MS, 20) == learn(create(), 1_000, 100).rank("u1", ["i1"], START_MS, 20)


@every_model
def test_memory_is_bounded(create: Callable[[], Model]) -> None:
    """Ten times as many ids take no more memory than a full model has."""
    full = learn(create(), 3_000, 2 * MAX_ITEMS).n_bytes()

    assert learn(create(), 30_000, 20 * MAX_ITEMS).n_bytes() < 1.5 * full


@every_model
def test_k_larger_than_the_catalogue(create: Callable[[], Model]) -> None:
    """All there is, each item once; nothing at all from an empty model."""
    model = learn(create(), 1_000, 20)
    ranked = model.rank("stranger", ["i0", "i1"], START_MS + 1_000_000, 10_000)

    assert 10 < len(ranked) == len({item_id for item_id, _ in ranked}) <= 20
    assert create().rank("stranger", ["i0"], START_MS, 10) == []


@every_model
@pytest.mark.parametrize("weight", [1e-300, 1e-160, 1.0, 1e150])
def test_no_score_is_nan_or_infinite(create: Callable[[], Model], weight: float) -> None:
    """Weights whose products reach the ends of what a float holds lead to finite scores, or to no place in the list."""
    model = create()
    for number in range(200):
        model.learn_one(f"u{number % 7}", f"i{number % 11}", weight, START_MS)
    ranked = [entry for number in range(9) for entry in model.rank(f"u{number}", ["i1", "i2"], START_MS, 5)]

    assert all(math.isfinite(score) for _, score in ranked)


@every_model
def test_lists_are_ordered_by_score_and_then_by_id(create: Callable[[], Model]) -> None:
    """Among equal scores, many here, the lower item_id comes first; a shorter list is a beginning."""
    model = create()
    for number in (5, 3, 9, 1, 7, 2, 8):
        for item in (f"i{number}", "i0"):
            model.learn_one(f"u{number}", item, 1.0, START_MS)
    model.make_alike()
    ranked = model.rank("stranger", ["i0"], START_MS, 20)

    assert [item_id for item_id, _ in ranked if item_id != "i0"] == ["i1", "i2", "i3", "i5", "i7", "i8", "i9"]
    assert ranked == sorted(ranked, key=lambda entry: (-entry[1], entry[0]))
    for k in range(1, 8):
        assert model.rank("stranger", ["i0"], START_MS, k) == ranked[:k]
