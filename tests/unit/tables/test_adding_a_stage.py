"""docs/adding-a-stage.md, followed: its stage keeps the contract and does what it says."""

from itertools import pairwise

import pytest

from tables.list_settings import ListSettings
from tables.recommend import STAGES, Recommender
from tables.stages.stage import Stage
from tables.user_state import UserState
from tests.documents import ROOT, module_of
from tests.lists import categorized, filler_of, partitions, users_of, view_of
from tests.logs import made_log
from tests.unit.tables.test_contract import check_stage

TEXT = (ROOT / "docs" / "adding-a-stage.md").read_text()


@pytest.fixture(name="apart")
def stage_of_the_text() -> Stage:
    """The stage as it is written there."""
    stage: Stage = module_of("docs/adding-a-stage.md").Apart()
    return stage


@pytest.mark.parametrize("n", [0, 1, 7, 60])
@pytest.mark.parametrize("k", [1, 30, 10_000])
def test_it_keeps_the_contract(apart: Stage, n: int, k: int) -> None:
    """What every stage is asked."""
    check_stage(apart, apart, n, k)


def test_it_keeps_items_of_one_category_apart(apart: Stage) -> None:
    """Beside the stages that there are, in lists with the filler behind; without it neighbours are alike."""
    states = partitions(made_log(3, 1500, n_users=12, n_items=150), 2)
    view = categorized(view_of(*states), 3)
    filler = filler_of(view, states[0].clock.now_ms, 500)
    stages = {**STAGES, apart.name: lambda _: apart}
    with_it, without = Recommender(ListSettings(), stages=stages), Recommender(ListSettings())
    n_alike = 0
    for user in [*users_of(states), UserState()]:
        for lists in (with_it, without):
            made = [view.categories.of(item.item_id) for item in lists.recommend(view, 0, user, 20, filler)]
            alike = sum(one == other >= 0 for one, other in pairwise(made))
            assert len(made) == 20 and (alike == 0 or lists is without)
            n_alike += alike
    assert n_alike > 20


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("tables/list_settings.py", ["class ListSettings", "max_per_category: int = 0"]),
        ("app/list_shape.py", ["def lists", "max_per_category: int"]),
        ("tables/list_model.py", ["lists.max_per_category"]),
        ("app/commands/settings.py", ["OF_LISTS", "max_per_category"]),
        ("tables/recommend.py", ["STAGES", "PerCategory"]),
        ("tables/sources/source.py", ["class Asked"]),
        ("tests/unit/tables/test_contract.py", ["ASKED_FOR", "max_per_category"]),
    ],
)
def test_the_text_names_what_there_is(path: str, words: list[str]) -> None:
    """The files that it says to change are those where the shipped stage stands."""
    assert f"`{path}`" in TEXT or f" {path}`" in TEXT
    code = (ROOT / path).read_text()
    assert [word for word in words if word not in code] == []
