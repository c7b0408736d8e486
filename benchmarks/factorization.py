"""The compiled factorization beside River's BiasedMF, in turns, in one run, on MovieLens 100k in time order.

Run as ``python -m benchmarks.factorization [--data FOLDER] [--rounds 3]``. Prints one JSON object. Speed: ratings
learned per second, start vectors ready beforehand, median over the rounds: `river_per_s` by `BiasedMF.learn_one`,
`twin_calls_per_s` by calls of the fold's compiled step from Python, `twin_per_s` by a compiled loop; `ratio` is
`twin_per_s / river_per_s`. Error: test then learn, clipped to the scale. `max_difference` is the greatest between
predictions of the two models, `max_row_difference` between numbers of their rows after the last rating.
"""

import argparse
import json
import math
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from app.replay.datasets import fetch_dataset
from app.replay.movielens import MovieLensLog
from models import factorization_kernels as kernels
from models.compiled import njit
from models.factorization import ITEMS, USERS, FactorizationSettings, start_row
from models.ids import hash64
from tests.ratings import ById
from tests.river_factorization import RiverFactorization

Ratings = list[tuple[str, str, float]]
Rows = npt.NDArray[np.float64]
Array = Any  # numpy arrays

SETTINGS = FactorizationSettings()
RATES = (SETTINGS.lr_bias, SETTINGS.lr_factors)
BOUNDS = (SETTINGS.max_gradient, SETTINGS.max_weight, SETTINGS.lowest, SETTINGS.highest)


class Numbered:
    """The same ratings with users and items as numbers in order of first sight, for arrays."""

    def __init__(self, ratings: Ratings) -> None:
        self.users = {user: number for number, user in enumerate(dict.fromkeys(user for user, _, _ in ratings))}
        self.items = {item: number for number, item in enumerate(dict.fromkeys(item for _, item, _ in ratings))}
        self.numbers = np.array([self.users[user] for user, _, _ in ratings], np.int64)
        self.slots = np.array([self.items[item] for _, item, _ in ratings], np.int64)
        self.ratings = np.array([rating for _, _, rating in ratings], np.float64)

    def start(self) -> tuple[Rows, Rows]:
        """The first rows of all users, and of all items."""
        of_users = [start_row(SETTINGS, USERS, hash64(user)) for user in self.users]
        return np.array(of_users), np.array([start_row(SETTINGS, ITEMS, hash64(item)) for item in self.items])

    def learn(self, users: Rows, items: Rows) -> None:
        """Learn all ratings, in order."""
        learn_all(users, self.numbers, items, self.slots, self.ratings, np.zeros(2), (*RATES, *BOUNDS))


@njit(cache=True)
def learn_all(
    users: Array,
    numbers: Array,
    items: Array,
    slots: Array,
    ratings: Array,
    mean: Array,
    settings: tuple[float, ...],
) -> None:
    """The kernel's step for every rating; rating r is of the user in row `numbers[r]` and the item in `slots[r]`."""
    for each in range(ratings.shape[0]):
        kernels.learn_one(users[numbers[each]], items, slots[each], ratings[each], mean, *settings)


def read(folder: Path) -> Ratings:
    """Users, items and ratings, in the order in which a replay sends them."""
    events = (orjson.loads(record.value) for record in MovieLensLog(folder))
    return [(event["user_id"], event["item_id"], event["value"]) for event in events]


def errors(predictions: list[float], ratings: Ratings) -> tuple[float, float]:
    """MAE and RMSE."""
    off = [prediction - rating for prediction, (_, _, rating) in zip(predictions, ratings, strict=True)]
    return math.fsum(map(abs, off)) / len(off), math.sqrt(math.fsum(error * error for error in off) / len(off))


def predictions_of_river(ratings: Ratings) -> tuple[list[float], RiverFactorization]:
    """Test, then learn; returns the model too."""
    model, predictions = RiverFactorization(), []
    for user, item, rating in ratings:
        predictions.append(model.predict_one(user, item))
        model.learn_one(user, item, rating)
    return predictions, model


def predictions_of_twin(ratings: Ratings) -> list[float]:
    """Test, then learn, each by a call from Python, starts made when needed."""
    model, predictions = ById(), []
    for user, item, rating in ratings:
        predictions.append(model.predict_one(user, item))
        model.learn_one(user, item, rating)
    return predictions


def max_row_difference(numbered: Numbered, river: RiverFactorization) -> float:
    """Learn all ratings in the compiled loop, then compare every user's and item's row with River's."""
    users, items = numbered.start()
    numbered.learn(users, items)
    of_users = [np.abs(users[number] - river.user_row(user)).max() for user, number in numbered.users.items()]
    of_items = [np.abs(items[slot] - river.item_row(item)).max() for item, slot in numbered.items.items()]
    return float(max(of_users + of_items))


def seconds_of_river(ratings: Ratings) -> float:
    """Time of BiasedMF's own `learn_one` over all ratings."""
    wrapper = RiverFactorization()
    for user, item, _ in ratings:
        wrapper.start(user, item)
    learn_one = wrapper.model.learn_one
    start = time.perf_counter()
    for user, item, rating in ratings:
        learn_one(user, item, rating)
    return time.perf_counter() - start


def seconds_of_calls(ratings: Ratings) -> float:
    """Time of calls of the compiled step from Python over all ratings."""
    model = ById()
    for user, item, _ in ratings:
        model.start(user, item)
    start = time.perf_counter()
    for user, item, rating in ratings:
        model.learn_one(user, item, rating)
    return time.perf_counter() - start


def seconds_of_loop(numbered: Numbered) -> float:
    """Time of the compiled loop over all ratings."""
    users, items = numbered.start()
    start = time.perf_counter()
    numbered.learn(users, items)
    return time.perf_counter() - start


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description="The compiled factorization beside River's BiasedMF.")
    parser.add_argument("--data", type=Path, help="folder or zip of MovieLens 100k (default: fetched once)")
    parser.add_argument("--rounds", type=int, default=3, help="passes of each kind (default 3)")
    options = parser.parse_args()
    ratings = read(options.data or fetch_dataset("ml-100k", show_progress=True))
    numbered = Numbered(ratings)
    (river, reference), twin = predictions_of_river(ratings), predictions_of_twin(ratings)
    row_difference = max_row_difference(numbered, reference)  # compiles the loop, too
    rounds = [
        (seconds_of_river(ratings), seconds_of_calls(ratings), seconds_of_loop(numbered)) for _ in range(options.rounds)
    ]
    of_river, of_calls, of_loop = (statistics.median(column) for column in zip(*rounds, strict=True))
    mae, rmse = errors(twin, ratings)
    river_mae, river_rmse = errors(river, ratings)
    result = {
        "ratings": len(ratings),
        "rounds": options.rounds,
        "river_per_s": round(len(ratings) / of_river),
        "twin_calls_per_s": round(len(ratings) / of_calls),
        "twin_per_s": round(len(ratings) / of_loop),
        "calls_ratio": round(of_river / of_calls, 1),
        "ratio": round(of_river / of_loop, 1),
        "mae": round(mae, 5),
        "rmse": round(rmse, 5),
        "river_mae": round(river_mae, 5),
        "river_rmse": round(river_rmse, 5),
        "max_difference": max(abs(ours - theirs) for ours, theirs in zip(twin, river, strict=True)),
        "max_row_difference": row_difference,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
