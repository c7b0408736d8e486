"""The incremental factorization: it learns ratings, starts from ids, and nothing that comes in breaks it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import SettingsError, StateError
from models.factorization import ITEMS, USERS, Factorization, FactorizationSettings, encode_row, start_row
from models.ids import hash64
from tables.fold_settings import FoldSettings
from tests.logs import record
from tests.ratings import ById, made_ratings
from tests.saved import folded


def test_it_learns() -> None:
    """Test, then learn: the factors find what mean and biases cannot say."""
    errors = {}
    for name, settings in (("factors", FactorizationSettings()), ("biases", FactorizationSettings(lr_factors=0.0))):
        model, off = ById(settings), []
        for user, item, rating in made_ratings(20_000):
            off.append(abs(model.predict_one(user, item) - rating))
            model.learn_one(user, item, rating)
        errors[name] = math.fsum(off[10_000:]) / 10_000

    assert errors["biases"] > 0.95
    assert errors["factors"] < 0.7


def test_starts_come_from_the_id_alone() -> None:
    """The order of first sight, other ids and further ratings do not matter to a fold that does not learn."""
    still = FactorizationSettings(lr_bias=0.0, lr_factors=0.0)
    for ratings in (made_ratings(100), made_ratings(100)[::-1]):
        log = [
            record(number, user, item, "rating", value=rating) for number, (user, item, rating) in enumerate(ratings)
        ]
        state = folded(log, FoldSettings(ratings=still))
        for user_id, item_id, _ in ratings:
            user, slot = state.users.get(user_id), state.items.slots[item_id]
            assert user is not None and user.factors is not None
            assert user.factors.tolist() == start_row(still, USERS, hash64(user_id)).tolist()
            assert state.items.ratings.encode_row(slot) == encode_row(start_row(still, ITEMS, hash64(item_id)))

    settings, other = FactorizationSettings(), FactorizationSettings(seed=1)
    starts = [start_row(each, kind, hash64("7")).tobytes() for each in (settings, other) for kind in (USERS, ITEMS)]
    assert len(set(starts)) == 4


def test_memory_goes_by_slots() -> None:
    """A slot that is cleared and used again holds one row; an item without ratings stores nothing."""
    model = Factorization()
    model.grow(64)
    size = model.rows.nbytes
    for number in range(1_000):
        slot = number % 64
        model.clear(slot)
        assert model.encode_row(slot) == b""
        model.set_row(slot, encode_row(start_row(model.settings, ITEMS, hash64(f"i{number}"))))
        assert len(model.encode_row(slot)) == 88
    model.set_row(3, b"")

    assert model.encode_row(3) == b"" == model.encode_row(10_000)
    assert model.rows.nbytes == size


@given(
    ratings=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2), st.floats(-1e308, 1e308) | st.integers(1, 5)), max_size=60
    ),
    rates=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    repeat=st.integers(1, 30),
)
def test_no_rating_breaks_a_number(
    ratings: list[tuple[int, int, float]], rates: tuple[float, float], repeat: int
) -> None:
    """Whatever is rated, however often and at whatever rate: all rows stay finite and within their bound."""
    lr_bias, lr_factors = rates
    model = ById(FactorizationSettings(lr_bias=lr_bias, lr_factors=lr_factors, max_gradient=1.0, start_scale=1.0))
    for user, item, rating in ratings * repeat:
        model.learn_one(f"{user}", f"{item}", float(rating))
    values = np.concatenate([np.zeros(1), *model.users.values(), *model.items.values()])

    assert np.abs(values).max() <= model.settings.max_weight
    assert 0.5 <= model.mean[1] <= 5 or not ratings
    assert all(0.5 <= model.predict_one(f"{user}", f"{item}") <= 5 for user in range(4) for item in range(4))


@pytest.mark.parametrize("data", [b"\0" * 80, b"\0" * 96, np.full(11, math.nan).tobytes(), b"\xff" * 88])
def test_damaged_rows_are_refused(data: bytes) -> None:
    """Another length, NaN or infinity is an error that says what to do; the slot stays as it was."""
    model = Factorization()
    model.set_row(0, encode_row(start_row(model.settings, ITEMS, 1)))
    before = model.encode_row(0)
    with pytest.raises(StateError, match="freshet reset"):
        model.set_row(0, data)

    assert model.encode_row(0) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_factors", 0),
        ("lr_bias", -0.1),
        ("lr_factors", math.nan),
        ("start_scale", 2.0),
        ("lowest", 5.0),
        ("highest", math.inf),
        ("max_gradient", 0.0),
        ("max_gradient", 20.1),
        ("max_weight", 0.5),
        ("seed", -1),
    ],
)
def test_settings_that_cannot_work_are_refused(name: str, value: float) -> None:
    """The message names the setting and its value, and what to use."""
    with pytest.raises(SettingsError, match=rf"factorization: {name} has value {value!r}\. Use "):
        FactorizationSettings(**{name: value})  # type: ignore[arg-type]  # the wrong values are the point
