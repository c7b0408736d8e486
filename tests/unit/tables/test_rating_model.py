"""Ratings learned by River's BiasedMF: the state is bit for bit that of the compiled steps."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.settings import Settings
from models.errors import SettingsError
from models.factorization import FactorizationSettings
from tables.fold_settings import COMPILED, RIVER, FoldSettings
from tables.list_model import ListModels
from tables.list_settings import ListSettings
from tables.partition import PartitionState
from tests.logs import log_of, made_log
from tests.saved import Topics, everything, fold_all, folded
from tests.strategies import numbers

BOUNDED = FoldSettings(max_users=5, max_items=32)
TIGHT = FactorizationSettings(
    n_factors=3, start_scale=0.05, max_weight=0.31, max_gradient=1.5, lr_bias=0.3, lowest=0.0, highest=4.0, seed=9
)


def by_river(of: FoldSettings) -> FoldSettings:
    """The same settings, with River."""
    return replace(of, rating_model=RIVER)


@settings(max_examples=25)
@given(
    numbers=numbers(0, 150),
    bounds=st.sampled_from((BOUNDED, replace(BOUNDED, max_items=1), replace(BOUNDED, ratings=TIGHT))),
    n=st.integers(1, 60),
)
def test_one_state_whoever_learns(numbers: list[int], bounds: FoldSettings, n: int) -> None:
    """Every byte of users, items, mean, errors and digests, where users and items are evicted and bounds are met."""
    log = log_of(numbers)
    compiled, river = folded(log, bounds), PartitionState(0, 1, by_river(bounds))
    for first in range(0, len(log), n):
        fold_all(river, log[first : first + n])
    assert everything(river) == everything(compiled)


def test_the_numbers_are_of_rated_items() -> None:
    """A long log has ratings of known and unknown users and items, and rows near their bounds."""
    log = made_log(2, 3000, n_users=30, n_items=80)
    tight = replace(BOUNDED, max_users=30, max_items=100, ratings=TIGHT)
    compiled, river = folded(log, tight), folded(log, by_river(tight))
    assert everything(river) == everything(compiled)
    rows = river.items.ratings.rows[river.items.ratings.has_row]
    assert river.evaluator.ratings.n > 100 and len(rows) > 20
    assert abs(rows).max() == TIGHT.max_weight


@pytest.mark.parametrize("order", [(COMPILED, RIVER), (RIVER, COMPILED)])
def test_one_goes_on_with_what_the_other_has_made(order: tuple[str, str]) -> None:
    """A state that is saved, and loaded under the other setting, ends as if nothing had changed."""
    log, whole = made_log(4, 2000, n_users=20, n_items=60), FoldSettings()
    first, second = (replace(whole, rating_model=name) for name in order)
    begun, topics = folded(log[:900], first), Topics()
    topics.save(begun.cut(-1))
    loaded = Topics.load(PartitionState(0, 1, second), topics.history)
    fold_all(loaded, log[900:])
    assert everything(loaded)["digests"] == everything(folded(log, whole))["digests"]
    assert loaded.evaluator.ratings.n > 50


def test_the_choice_shapes_nothing() -> None:
    """Neither fingerprint nor description nor the names of lists know of it."""
    compiled, river = FoldSettings(), by_river(FoldSettings())
    assert river.fingerprint() == compiled.fingerprint()
    assert river.described() == compiled.described()
    names = [
        (models.blend, models.filler) for models in (ListModels(each, ListSettings(), 30) for each in (compiled, river))
    ]
    assert names[0] == names[1]


def test_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """`FRESHET_RATING_MODEL` chooses; by default it is compiled; another name is refused."""
    assert Settings().fold.rating_model == COMPILED
    monkeypatch.setenv("FRESHET_RATING_MODEL", "river")
    assert Settings().fold == by_river(FoldSettings(evaluate_fraction=Settings().evaluate_fraction))
    with pytest.raises(SettingsError, match=r"rating_model has value 'svd'\. Use compiled or river\."):
        FoldSettings(rating_model="svd")
