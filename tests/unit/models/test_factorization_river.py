"""River's BiasedMF behind its wrapper, beside the compiled twin: the same numbers, the same promises."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river.optim import SGD
from river.reco import BiasedMF

from models.errors import SettingsError, StateError, UnknownVersion
from models.factorization import ITEMS, USERS, FactorizationSettings, start_row
from models.ids import hash64
from tests.ratings import ById, learn, made_ratings
from tests.river_factorization import RiverFactorization

Create = Callable[..., ById | RiverFactorization]
both = pytest.mark.parametrize("create", [ById, RiverFactorization])


def reloaded_river(river: RiverFactorization) -> RiverFactorization:
    """A model that was stored and read."""
    other = RiverFactorization(river.settings, river.max_users, river.max_items)
    other.load(river.encode())
    return other


def test_predictions_and_rows_are_rivers() -> None:
    """Over thousands of ratings, new ids and repeated pairs among them, no number differs by more than 1e-12."""
    twin, river, off = ById(), RiverFactorization(), []
    for user, item, rating in made_ratings(6_000):
        off.append(abs(twin.predict_one(user, item) - river.predict_one(user, item)))
        twin.learn_one(user, item, rating)
        river.learn_one(user, item, rating)
    off += [float(np.abs(row - river.user_row(user)).max()) for user, row in twin.users.items()]
    off += [float(np.abs(row - river.item_row(item)).max()) for item, row in twin.items.items()]

    assert max(off) < 1e-12
    assert len(off) == 6_000 + len(river.users[0]) + len(river.items[0])
    assert twin.mean.tolist() == [river.model.global_mean.n, river.model.global_mean.get()]


def test_river_alone_has_the_same_numbers() -> None:
    """The wrapper adds nothing: BiasedMF as it comes, with the same starts put in, predicts the same."""
    ratings, wrapper = made_ratings(1_000), RiverFactorization()
    alone = BiasedMF(n_factors=10, bias_optimizer=SGD(0.025), latent_optimizer=SGD(0.05))
    for user, item, _ in ratings:
        alone.u_latents[user] = start_row(wrapper.settings, USERS, hash64(user))[1:]
        alone.i_latents[item] = start_row(wrapper.settings, ITEMS, hash64(item))[1:]
    for user, item, rating in ratings:
        alone.learn_one(user, item, rating)
        wrapper.learn_one(user, item, rating)

    for user, item, _ in ratings:
        expected = min(max(alone.predict_one(user, item), 1.0), 5.0)
        assert wrapper.predict_one(user, item) == expected


def n_numbers(model: ById | RiverFactorization) -> int:
    """Numbers that a model has room for, stored or not."""
    if isinstance(model, ById):
        return sum(row.size for row in (model.mean, *model.users.values(), *model.items.values()))
    river = model.model
    return sum(len(names) for names in (river.u_biases, river.u_latents, river.i_biases, river.i_latents))


@both
def test_reading_changes_nothing(create: Create) -> None:
    """Unknown users and items, and known ones, can be asked for at any time: no byte changes, nothing grows."""
    model, undisturbed, ratings = create(), create(), made_ratings(500)
    for start in range(0, 500, 50):
        learn(model, ratings[start : start + 50])
        before, size = model.encode(), n_numbers(model)
        for number in range(100):
            model.predict_one(f"{number}", f"unknown {number}")
            model.predict_one(f"stranger {number}", f"{number}")
            model.predict_one(f"stranger {number}", f"unknown {number}")
            model.predict_one(f"{number}", f"{number}")
        assert (model.encode(), n_numbers(model)) == (before, size)
    learn(undisturbed, ratings)

    assert model.encode() == undisturbed.encode()


@both
def test_unknown_ids_are_predicted_by_what_is_known(create: Create) -> None:
    """Mean and the known one's bias; the mean for two strangers; the lowest rating while there is none at all."""
    model = create()
    assert model.predict_one("u", "a") == 0.5
    ratings = [("u", "a", 5.0), ("u", "b", 3.0), ("u", "a", 5.0), ("u", "c", 2.0)]
    learn(model, ratings)
    twin = learn(ById(), ratings)
    user_bias, item_bias = twin.users["u"][0], twin.items["a"][0]

    assert 0 != user_bias != item_bias != 0
    assert model.predict_one("stranger", "unknown") == 3.75
    assert model.predict_one("u", "unknown") == pytest.approx(3.75 + user_bias, abs=1e-12)
    assert model.predict_one("stranger", "a") == pytest.approx(3.75 + item_bias, abs=1e-12)


@settings(max_examples=30)
@given(cuts=st.lists(st.integers(1, 299), max_size=6), seed=st.integers(0, 9))
def test_stored_and_read_in_mid_stream_changes_nothing(cuts: list[int], seed: int) -> None:
    """Wherever the log is cut, a model that is encoded and decoded there goes on as if it never was."""
    ratings = made_ratings(300, seed)
    twin, river = ById(), RiverFactorization(max_users=40, max_items=60)
    for first, last in zip([0, *sorted(cuts)], [*sorted(cuts), 300]):
        twin = learn(twin, ratings[first:last]).reloaded()
        river = reloaded_river(learn(river, ratings[first:last]))

    assert twin.encode() == learn(ById(), ratings).encode()
    assert river.encode() == learn(RiverFactorization(max_users=40, max_items=60), ratings).encode()


@both
def test_same_ratings_and_seed_make_the_same_bytes(create: Create) -> None:
    """Two runs agree in every byte; another seed or another log makes others."""

    def bytes_of(seed: int, log: int) -> object:
        model = create(FactorizationSettings(seed=seed))
        for rating in made_ratings(500, log):
            model.learn_one(*rating)
        return model.encode()

    assert bytes_of(1, 1) == bytes_of(1, 1)
    assert len({str(bytes_of(seed, log)) for seed in (0, 1, 2**64 - 1) for log in (1, 2)}) == 6


@pytest.mark.parametrize("rating", [1e9, 1e300, -1e300])
def test_a_rating_out_of_range_counts_as_the_nearest_end(rating: float) -> None:
    """To both models it is the lowest or highest of the scale, in the mean too."""
    nearest = 5.0 if rating > 0 else 0.5
    for create in (ById, RiverFactorization):
        given, clipped = create(), create()
        for _ in range(50):
            given.learn_one("u", "i", rating)
            clipped.learn_one("u", "i", nearest)
        assert given.encode() == clipped.encode()


def test_rivers_memory_is_bounded() -> None:
    """Ten times as many ids take no more room; those learned last are the ones that stay."""
    full = learn(RiverFactorization(max_users=10, max_items=20), made_ratings(2_000, n_users=20, n_items=40))
    crowded, ratings = RiverFactorization(max_users=10, max_items=20), made_ratings(4_000, n_users=200, n_items=400)
    learn(crowded, ratings)

    assert [len(names) for side in (crowded.users, crowded.items) for names in side] == [10, 10, 20, 20]
    assert list(crowded.users[0]) == list(dict.fromkeys(user for user, _, _ in reversed(ratings)))[:10][::-1]
    assert len(crowded.encode()) < 1.2 * len(full.encode())


def test_damaged_river_models_are_refused() -> None:
    """Another version, a missing end."""
    data = learn(RiverFactorization(), made_ratings(5)).encode()
    for damaged in (b"", b"\x09" + data[1:]):
        with pytest.raises(UnknownVersion):
            RiverFactorization().load(damaged)
    for end in (1, 20, 30, 60, len(data) - 1):
        with pytest.raises(StateError):
            RiverFactorization().load(data[:end])
    with pytest.raises(SettingsError, match="1 or more"):
        RiverFactorization(max_users=0)
