"""Made-up ratings, and the compiled factorization by ids, outside the fold."""

import random
from collections.abc import Iterable
from typing import Protocol, TypeVar

import numpy as np

from models import factorization_kernels as kernels
from models.factorization import ITEMS, USERS, FactorizationSettings, Row, decode_row, encode_row, start_row
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
    """Rows by id, learned one rating after the other by the kernels that the fold calls."""

    def __init__(self, settings: FactorizationSettings | None = None) -> None:
        self.settings = settings or FactorizationSettings()
        self.mean: Row = np.zeros(2)
        self.users: dict[str, Row] = {}
        self.items: dict[str, Row] = {}

    def predict_one(self, user_id: str, item_id: str) -> float:
        """The rating to expect, on the scale; of an unknown user or item, what the other one says."""
        user, item = self.users.get(user_id), self.items.get(item_id)
        if user is not None and item is not None:
            prediction = float(kernels.predict(user, item[None], 0, self.mean))
        else:
            prediction = sum((float(row[0]) for row in (user, item) if row is not None), float(self.mean[1]))
        return min(max(prediction, self.settings.lowest), self.settings.highest)

    def learn_one(self, user_id: str, item_id: str, rating: float) -> None:
        """Learn one rating; both get a row if they have none."""
        self.start(user_id, item_id)
        settings = self.settings
        rows = (self.users[user_id], self.items[item_id][None], 0)
        rates = (settings.lr_bias, settings.lr_factors)
        bounds = (settings.max_gradient, settings.max_weight, settings.lowest, settings.highest)
        kernels.learn_one(*rows, rating, self.mean, *rates, *bounds)

    def start(self, user_id: str, item_id: str) -> None:
        """Give both a row if they have none."""
        if user_id not in self.users:
            self.users[user_id] = start_row(self.settings, USERS, hash64(user_id))
        if item_id not in self.items:
            self.items[item_id] = start_row(self.settings, ITEMS, hash64(item_id))

    def encode(self) -> list[bytes]:
        """The mean, the rows of users, the rows of items."""
        return [encode_row(row) for row in (self.mean, *self.users.values(), *self.items.values())]

    def reloaded(self) -> "ById":
        """A model that was stored and read."""
        other, n_factors = ById(self.settings), self.settings.n_factors
        other.mean = decode_row(encode_row(self.mean), 1)
        for rows, mine in ((other.users, self.users), (other.items, self.items)):
            rows.update({name: decode_row(encode_row(row), n_factors) for name, row in mine.items()})
        return other


def learn(model: L, ratings: Iterable[tuple[str, str, float]]) -> L:
    """Learn ratings one by one; returns the model."""
    for rating in ratings:
        model.learn_one(*rating)
    return model
