"""Made-up ratings, and the compiled factorization by ids, as the fold holds it."""

import random
from collections.abc import Iterable
from typing import Protocol, TypeVar

from models.factorization import Factorization, FactorizationSettings, Mean, Row, decode_row, encode_row
from models.ids import hash64

Ratings = list[tuple[str, str, float]]


class Learner(Protocol):
    """What a log of ratings can be given to."""

    def learn_one(self, user_id: str, item_id: str, rating: float) -> None: ...


L = TypeVar("L", bound=Learner)


def made_ratings(n: int, seed: int = 1, n_users: int = 60, n_items: int = 200) -> Ratings:
    """Ratings 1 to 5 by users who like low or high items, are strict or mild; some names are users' and items' both."""
    rng = random.Random(seed)
    ratings = []
    for _ in range(n):
        user, item = rng.randrange(n_users), min(rng.randrange(n_items), rng.randrange(n_items))
        taste = 1.5 if (user % 2 == 0) == (item % 3 == 0) else -1.0
        rating = round(3 + user % 3 * 0.5 + taste + rng.gauss(0, 0.7))
        ratings.append((f"{user}", f"{item}", float(min(5, max(1, rating)))))
    return ratings


class ById:
    """The compiled model by ids, as the fold holds it."""

    def __init__(self, settings: FactorizationSettings | None = None) -> None:
        self.model = Factorization(settings)
        self.users: dict[str, Row] = {}
        self.slots: dict[str, int] = {}

    def predict_one(self, user_id: str, item_id: str) -> float:
        return self.model.predict_one(self.users.get(user_id), self.slots.get(item_id))

    def learn_one(self, user_id: str, item_id: str, rating: float) -> None:
        self.model.start(self.slots.setdefault(item_id, len(self.slots)), hash64(item_id))
        if user_id not in self.users:
            self.users[user_id] = self.model.start_user(hash64(user_id))
        self.model.learn_one(self.users[user_id], self.slots[item_id], rating)

    def encode(self) -> list[bytes]:
        items = [self.model.encode_row(slot) for slot in self.slots.values()]
        return [self.model.mean.encode(), *(encode_row(row) for row in self.users.values()), *items]

    def reloaded(self) -> "ById":
        other = ById(self.model.settings)
        other.model.mean = Mean.decode(self.model.mean.encode())
        n_factors = self.model.settings.n_factors
        other.users = {user_id: decode_row(encode_row(row), n_factors) for user_id, row in self.users.items()}
        for slot in reversed(self.slots.values()):
            other.model.set_row(slot, self.model.encode_row(slot))
        other.slots = dict(self.slots)
        return other


def learn(model: L, ratings: Iterable[tuple[str, str, float]]) -> L:
    """Learn ratings one by one; returns the model."""
    for rating in ratings:
        model.learn_one(*rating)
    return model
