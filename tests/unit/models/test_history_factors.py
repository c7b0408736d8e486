"""History factors: what one step does, which rows it touches, and that nothing but the events decides the bits."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from models import history_kernels as kernels
from models.errors import StateError
from models.history_factors import HistoryFactors, HistoryFactorsSettings
from models.ids import hash64
from tests import factors
from tests.plain import plain_kernels

SMALL = HistoryFactorsSettings(n_factors=8, n_history=4, n_negatives=6)
EVERYONE = HistoryFactorsSettings(n_factors=8, n_history=4, n_negatives=6, round_to=0.0)
NONE = np.zeros(0, np.uint64)


def slots(*values: int) -> npt.NDArray[np.int32]:
    """Slots of a history, oldest first."""
    return np.array(values, np.int32)


def model_of(n_items: int, settings: HistoryFactorsSettings = SMALL) -> HistoryFactors:
    """A model that knows items and has learned nothing."""
    model = HistoryFactors(settings)
    for slot in range(n_items):
        model.start(slot, hash64(f"i{slot}"))
    return model


def learn(model: HistoryFactors, start: int, end: int, n_items: int = 12) -> HistoryFactors:
    """Events `start` to `end` of a log in which weights vary and some items were seen before."""
    for number in range(start, end):
        history = slots(*((number * step) % n_items for step in (1, 2, 3, 5, 7)))
        weights = np.array([1.0, 0.5, 1.0, 2.0, 1.0])
        seen = np.array([model.hashes[slot] for slot in history.tolist()], np.uint64)
        factors.learn_one(model, (number * 11 + 4) % n_items, history, weights, 0.5 + number % 2, number, seen)
    return model


def reloaded(model: HistoryFactors, order: list[int]) -> HistoryFactors:
    """The same rows in another model, read in any order."""
    other = HistoryFactors(model.settings)
    for slot in order:
        if model.live[slot]:
            other.set_row(slot, int(model.hashes[slot]), model.encode_row(slot))
    return other


def state(model: HistoryFactors, n_slots: int) -> list[bytes]:
    """Every row's bytes."""
    return [model.encode_row(slot) for slot in range(n_slots)]


def scores(model: HistoryFactors, *history: int, n_slots: int = 12) -> npt.NDArray[np.float32]:
    """Scores for a history of equal weights, by the kernels that lists call: the same bits as in plain numpy."""
    settings, n, weights = model.settings, min(n_slots, len(model.rows)), np.ones(len(history))
    last, n_factors = slots(*history)[-settings.n_history :], settings.n_factors
    out, user, shares = np.full(n_slots, -np.inf, np.float32), *np.zeros((2, 64), np.float32)
    user, amounts = user[:n_factors], weights[-settings.n_history :]
    if kernels.represent(model.rows, model.live, last, amounts, n_factors, settings.decay, user, shares):
        kernels.refresh(model.rows, model.blocks, n_factors, model.stale, n)
        kernels.score(model.blocks, model.live, n, n_factors, user, out[:n])
    assert out.tobytes() == factors.scores(model, slots(*history), weights, n_slots).tobytes()
    return out


def test_the_plain_twins_make_the_same_bits() -> None:
    """A whole stream, drawn, rounded and learned, gives the same rows and the same scores."""
    compiled = learn(model_of(12), 0, 40)
    with plain_kernels():
        plain = learn(model_of(12), 0, 40)
        plain_scores = scores(plain, 1, 2, 3)

    assert state(plain, 12) == state(compiled, 12)
    assert plain_scores.tobytes() == scores(compiled, 1, 2, 3).tobytes()


def one_step(model: HistoryFactors, candidates: list[int], shares: dict[int, float]) -> npt.NDArray[np.float64]:
    """The rows after one step of the formula in double precision, written down without regard to speed."""
    k, settings, rows = model.settings.n_factors, model.settings, model.rows.astype(np.float64)
    vectors, bias = rows[:, :k].copy(), rows[:, k].copy()
    user = sum(share * vectors[slot] for slot, share in shares.items())
    odds = np.exp([vectors[slot] @ user + bias[slot] for slot in candidates])
    gradient = np.zeros(k)
    for position, slot in enumerate(candidates):
        error = odds[position] / odds.sum() - (position == 0)
        gradient += error * rows[slot, :k]
        rows[slot, k + 1] += error**2 * np.mean(np.square(user))
        rows[slot, :k] -= settings.learning_rate * error * user / np.sqrt(rows[slot, k + 1])
        rows[slot, k + 3] += error**2
        rows[slot, k] -= settings.learning_rate * error / np.sqrt(rows[slot, k + 3])
    for slot, share in shares.items():
        rows[slot, k + 2] += share**2 * np.mean(np.square(gradient))
        rows[slot, :k] -= settings.learning_rate * share * gradient / np.sqrt(rows[slot, k + 2])
    return rows


def test_one_step_is_the_formula() -> None:
    """Sampled softmax by Adagrad; the history's shares decay by .85 a step back and sum to 1."""
    model = learn(model_of(12, EVERYONE), 0, 30)
    key, draws = np.uint64(kernels.mix(np.uint64(99))), kernels.room_for_draws(6)
    n = kernels.draw(key, 6, 12, model.live, model.hashes, model.hashes[:3], 5, draws)
    drawn = draws.candidates[:n].tolist()
    raw = {0: 0.85**2, 1: 0.85 * 0.5, 2: 1.0}
    expected = one_step(model, drawn, {slot: share / sum(raw.values()) for slot, share in raw.items()})
    changed = factors.learn_one(model, 5, slots(0, 1, 2), np.array([1.0, 0.5, 1.0]), 1.0, 99, model.hashes[:3].copy())

    assert len(drawn) > 3
    np.testing.assert_allclose(model.rows, expected, rtol=1e-4, atol=1e-5)
    assert sorted(changed.tolist()) == sorted({*drawn, 0, 1, 2})


def test_only_the_named_rows_change() -> None:
    """The slots that are returned, each once, are exactly those whose bytes are others than before."""
    model = model_of(60, HistoryFactorsSettings(n_factors=8, n_negatives=20))
    for number in range(50):
        before = state(model, 60)
        history = slots(number % 7, 7 + number % 5)
        changed = factors.learn_one(model, 20 + number % 9, history, np.ones(2), 1.0, number, NONE).tolist()
        after = state(model, 60)
        assert sorted(changed) == [slot for slot in range(60) if before[slot] != after[slot]]


def test_what_goes_together_is_learned() -> None:
    """In a log of three groups that never mix, the best other item is one of the group; no history, no scores."""
    model = model_of(12, HistoryFactorsSettings(n_factors=16, n_history=1, n_negatives=8))
    for number in range(600):
        item = number * 7 % 12
        factors.learn_one(
            model, item // 4 * 4 + (item + 1 + number // 12 % 3) % 4, slots(item), np.ones(1), 1.0, number, NONE
        )
    best = [next(int(other) for other in np.argsort(-scores(model, item)) if other != item) for item in range(12)]
    assert [item // 4 for item in best] == [item // 4 for item in range(12)]

    assert (scores(model) == -np.inf).all()


def test_start_vectors_depend_on_the_item_alone() -> None:
    """Neither the slot nor what else was started shows; they lie within the scale and differ between items."""
    one, other = HistoryFactors(SMALL), model_of(5)
    one.start(100, hash64("i3"))
    factors = one.rows[100, :8]

    assert one.encode_row(100) == other.encode_row(3) != other.encode_row(4)
    assert np.abs(factors).max() <= 0.3
    assert len(set(factors.tolist())) == 8


@pytest.mark.parametrize("every", [1, 7, 33])
def test_storing_and_reading_in_mid_stream_changes_nothing(every: int) -> None:
    """Reloaded in any order every few events, with a free slot at the end, the rows end with the same bytes."""
    straight = learn(model_of(14), 0, 50)
    broken = learn(model_of(14), 0, 50)
    straight.clear(13)
    broken.clear(13)
    order = sorted(range(14), key=lambda slot: slot * 5 % 14)
    for start in range(50, 100, every):
        learn(straight, start, min(100, start + every))
        broken = learn(reloaded(broken, order), start, min(100, start + every))

    assert state(broken, 13) == state(straight, 13)


def test_reading_changes_nothing() -> None:
    """Scores of any history, known or not, leave every byte and every size alone."""
    model = learn(model_of(12), 0, 30)
    before, size = state(model, 12), len(model.rows)
    scored = scores(model, 0, 3, 500, -1, n_slots=300)

    assert (state(model, 12), len(model.rows)) == (before, size)
    assert np.isfinite(scored[:12]).all()
    assert (scored[12:] == -np.inf).all()


def test_slots_are_used_again() -> None:
    """A cleared slot is scored and drawn no more, and its next item starts as it would anywhere."""
    model = learn(model_of(12), 0, 30)
    model.clear(4)
    model.clear(999)
    assert scores(model, 1, 2)[4] == -np.inf
    assert all(4 not in factors.learn_one(model, 5, slots(1, 4), np.ones(2), 1.0, n, NONE).tolist() for n in range(50))

    model.start(4, hash64("i4"))
    assert model.encode_row(4) == model_of(12).encode_row(4)


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan, -math.inf])
def test_weights_that_mean_nothing_teach_nothing(weight: float) -> None:
    """As all of a history's."""
    model = model_of(12)
    before = state(model, 12)

    assert len(factors.learn_one(model, 1, slots(2), np.array([weight]), 1.0, 0, NONE)) == 0
    assert state(model, 12) == before


@pytest.mark.parametrize("weight", [1e-300, 1e-9, 1.0, 1e150, math.inf])
def test_rows_stay_finite(weight: float) -> None:
    """Whatever the weights, a thousand equal events leave bounded factors and finite scores."""
    model = model_of(3, HistoryFactorsSettings(n_factors=8, learning_rate=1.0, n_negatives=4))
    for number in range(1_000):
        factors.learn_one(model, 0, slots(1, 2), np.array([weight, weight]), weight, number, NONE)

    assert np.isfinite(model.rows).all()
    assert np.abs(model.rows[:, :9]).max() <= kernels.MAX_FACTOR
    assert np.isfinite(scores(model, 1, n_slots=3)).all()


def damaged(values: dict[int, float]) -> bytes:
    """A row with some numbers replaced."""
    row = np.frombuffer(model_of(1).encode_row(0), "<f4").copy()
    for column, value in values.items():
        row[column] = value
    return row.tobytes()


@pytest.mark.parametrize("data", [b"", damaged({})[:-4], damaged({0: math.nan}), damaged({3: 17.0}), damaged({9: 0.0})])
def test_rows_that_cannot_be_are_refused(data: bytes) -> None:
    """Another length, a NaN, a factor out of bounds, an empty sum: an error, and the slot stays as it was."""
    model = model_of(3)
    before = state(model, 3)
    with pytest.raises(StateError):
        model.set_row(1, hash64("i1"), data)

    assert state(model, 3) == before


@pytest.mark.parametrize(
    "change", [{"n_factors": 12}, {"decay": 0.0}, {"round_to": 1.0}, {"learning_rate": math.nan}, {"n_negatives": 0}]
)
def test_settings_out_of_range_are_refused(change: dict[str, Any]) -> None:
    """The message names the setting, its value and what is allowed."""
    (name,) = change
    with pytest.raises(ValueError, match=f"{name} has value .* Use "):
        HistoryFactorsSettings(**change)


def test_the_measured_defaults_stand() -> None:
    """The settings that the published hit rates were measured with; a row of them takes 272 bytes."""
    assert HistoryFactorsSettings() == HistoryFactorsSettings(64, 20, 0.85, 0.1, 0.3, 1e-3, 100, 0.1, 4.0, 0)
    assert HistoryFactors().row_bytes == 272
