"""The compiled steps: bit for bit their plain twins, on every machine, and bounded."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from unittest.mock import patch

import numpy as np
import pytest

from models import factorization_kernels as kernels
from models.factorization import USERS, FactorizationSettings, start_row
from models.ids import hash64
from tests.ratings import ById, learn, made_ratings

KERNELS = ("splitmix64", "start_row", "predict", "learn_one")


@contextmanager
def plain() -> Iterator[None]:
    """Everything inside runs on the kernels as plain Python."""
    twins = {name: getattr(kernels, name).py_func for name in KERNELS}
    with patch.multiple(kernels, **twins), np.errstate(over="ignore"):
        yield


def test_compiled_and_plain_kernels_agree_bit_for_bit() -> None:
    """The compiler changes no bit: no reordered sums, no fused multiplications."""
    ratings = made_ratings(400)
    compiled = learn(ById(), ratings)
    with plain():
        interpreted = learn(ById(), ratings)
        predictions = [interpreted.predict_one(user, item) for user, item, _ in ratings]

    assert interpreted.encode() == compiled.encode()
    assert predictions == [compiled.predict_one(user, item) for user, item, _ in ratings]


def test_splitmix64_is_the_published_generator() -> None:
    """The first words from seed 1234567 are those that other implementations print."""
    words = (6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821)

    assert tuple(int(kernels.splitmix64(np.uint64(1234567), number)) for number in range(5)) == words


def test_starts_are_a_bell_curve() -> None:
    """Mean 0, standard deviation `start_scale`, and the share within one and two of them that a bell curve has."""
    rows = np.array([start_row(FactorizationSettings(), USERS, hash64(f"u{number}")) for number in range(5_000)])
    factors = rows[:, 1:] / 0.1

    assert not rows[:, 0].any()
    assert abs(factors.mean()) < 0.015
    assert factors.std() == pytest.approx(1, abs=0.01)
    assert (np.abs(factors) < 1).mean() == pytest.approx(0.683, abs=0.01)
    assert (np.abs(factors) < 2).mean() == pytest.approx(0.954, abs=0.005)
    assert np.abs(np.corrcoef(factors.T) - np.eye(10)).max() < 0.06


def test_weights_stop_at_their_bound() -> None:
    """A bound that is reached holds, for biases and for factors."""
    model = ById(FactorizationSettings(lr_bias=1.0, lr_factors=1.0, max_gradient=1.0, max_weight=1.2, highest=1e6))
    for number in range(300):
        model.learn_one("high", f"i{number % 7}", 1e6)
        model.learn_one("low", f"j{number % 7}", 1.0)
    values = np.concatenate([*model.users.values(), *model.items.values()])

    assert np.abs(values).max() == 1.2
    assert (np.abs(values) == 1.2).sum() > 100


def test_golden_bits() -> None:
    """The state after 2,000 ratings has the bytes it had when this was recorded, on every machine."""
    rng = random.Random(5)  # random() is the same in all versions and places, gauss() need not be
    model = ById()
    for _ in range(2_000):
        model.learn_one(f"u{int(rng.random() * 40)}", f"i{int(rng.random() * 90)}", 1.0 + int(rng.random() * 9) / 2)

    assert sha256(b"".join(model.encode())).hexdigest()[:16] == "54347196cff39d73"
