"""The incremental factorization: it learns ratings, starts from ids, and nothing that comes in breaks it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import SettingsError, StateError
from models.factorization import ITEMS, USERS, Factorization, FactorizationSettings, Mean, encode_row, start_row
from models.ids import hash64
from tests.ratings import ById, learn, made_ratings
from tests.river_factorization import RiverFactorization


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
    """The order of first sight and other ids do not matter; kind and seed do."""
    there, back = made_ratings(300), made_ratings(300)[::-1]
    for ratings in (there, back):
        model = Factorization()
        for slot, (_, item, _) in enumerate(ratings):
            model.start(slot, hash64(item))
            assert model.encode_row(slot) == encode_row(start_row(model.settings, ITEMS, hash64(item)))

    settings, other = FactorizationSettings(), FactorizationSettings(seed=1)
    starts = [start_row(each, kind, hash64("7")).tobytes() for each in (settings, other) for kind in (USERS, ITEMS)]
    assert len(set(starts)) == 4


def test_a_start_is_kept() -> None:
    """Starting an item that has a row changes nothing."""
    model = learn(ById(), made_ratings(50))
    before = model.encode()
    for item, slot in model.slots.items():
        model.model.start(slot, hash64(item))

    assert model.encode() == before


def test_memory_of_the_twin_goes_by_slots() -> None:
    """A slot that is cleared and used again holds one row; an item without ratings stores nothing."""
    model = Factorization()
    model.grow(64)
    size = model.rows.nbytes
    for number in range(1_000):
        slot = number % 64
        model.clear(slot)
        assert model.encode_row(slot) == b""
        model.start(slot, hash64(f"i{number}"))
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
    values = np.concatenate([np.zeros(1), *model.users.values(), model.model.rows.ravel()])

    assert np.abs(values).max() <= model.model.settings.max_weight
    assert 1 <= model.model.mean.value <= 5 or not ratings
    assert all(1 <= model.predict_one(f"{user}", f"{item}") <= 5 for user in range(4) for item in range(4))


@pytest.mark.parametrize("rating", [math.nan, math.inf, -math.inf])
def test_a_rating_that_is_no_number_is_refused(rating: float) -> None:
    """The error says so, and nothing was learned."""
    model, river = learn(ById(), made_ratings(20)), RiverFactorization()
    before, name = model.encode(), next(iter(model.slots))
    with pytest.raises(ValueError, match="must be finite"):
        model.learn_one("0", name, rating)
    with pytest.raises(ValueError, match="must be finite"):
        river.learn_one("0", "1", rating)
    users = np.array(list(model.users.values()))
    with pytest.raises(ValueError, match="not finite"):
        model.model.learn_many(users, np.zeros(1, np.int64), np.zeros(1, np.int64), np.array([rating]))

    assert (model.encode()[0], model.encode()[-len(model.slots) :]) == (before[0], before[-len(model.slots) :])
    assert not river.users[0]


def test_an_item_without_a_row_cannot_be_learned() -> None:
    """Zeros would never move: such a call is a mistake, in memory or beyond it."""
    model = Factorization()
    user, numbers = model.start_user(1), np.zeros(1, np.int64)
    for slot in (0, 63, 64, 10_000):
        with pytest.raises(ValueError, match="no row"):
            model.learn_one(user, slot, 3.0)
        with pytest.raises(ValueError, match="no row"):
            model.learn_many(user[None], numbers, numbers + slot, np.array([3.0]))

    assert model.mean.n == 0


def test_learn_many_refuses_arrays_that_do_not_fit() -> None:
    """A compiled loop would read beyond the end of its arrays; without events there is nothing to do."""
    model, none = Factorization(), np.zeros(0, np.int64)
    model.start(0, 1)
    users, zero, rating = model.start_user(1)[None], np.zeros(1, np.int64), np.array([3.0])
    for bad in ((users, zero, none, rating), (users, zero + 1, zero, rating), (users[:, :5], zero, zero, rating)):
        with pytest.raises(ValueError, match=r"one per event|outside"):
            model.learn_many(*bad)
    with pytest.raises(ValueError, match="no row"):
        model.learn_many(users, zero, zero - 1, rating)
    model.learn_many(users, none, none, np.zeros(0))

    assert model.mean.n == 0


@pytest.mark.parametrize("data", [b"\0" * 80, b"\0" * 96, np.full(11, math.nan).tobytes(), b"\xff" * 88])
def test_damaged_rows_are_refused(data: bytes) -> None:
    """Another length, NaN or infinity is an error that says what to do; the slot stays as it was."""
    model = Factorization()
    model.start(0, 1)
    before = model.encode_row(0)
    with pytest.raises(StateError, match="freshet reset"):
        model.set_row(0, data)

    assert model.encode_row(0) == before
    with pytest.raises(StateError, match="freshet reset"):
        Mean.decode(data)


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
