"""docs/adding-a-source.md, followed: its source keeps the contract, learns its worth, and changes no state."""

import random
import re
from unittest.mock import patch

import pytest

from tables import adaptive, list_settings
from tables.adaptive import AdaptiveRecommender
from tables.digest import digests
from tables.fold_settings import FoldSettings
from tables.list_settings import AGAIN, START, ListSettings
from tables.partition import PartitionState
from tables.recommend import SOURCES, Recommender
from tables.sources.source import Source
from tests.documents import ROOT, module_of
from tests.lists import view_of
from tests.logs import START_MS, Record, record
from tests.unit.tables.test_sources import test_a_source as check_contract

TEXT = (ROOT / "docs" / "adding-a-source.md").read_text()


@pytest.fixture(name="chance")
def chance_of_the_text() -> Source:
    """The source as it is written there."""
    source: Source = module_of("docs/adding-a-source.md").Chance()
    return source


def chains(n: int) -> list[Record]:
    """A log of people who take one item of a chain after the other, beginning anywhere."""
    rng, at = random.Random(5), dict[str, tuple[int, int]]()
    records = []
    for offset in range(n):
        user_id = f"u{rng.randrange(n // 20)}"
        chain, step = at.get(user_id, (rng.randrange(20), rng.randrange(20)))
        at[user_id] = chain, (step + 1) % 20
        records.append(record(offset, user_id, f"{chain}-{step}", at_ms=START_MS + 1000 * offset))
    return records


def test_the_text_names_what_there_is() -> None:
    """The settings of the text are those at the start, and the new source."""
    (line,) = re.findall(r"source_weights = \{(.*?)\}", TEXT)
    weights = {name: float(value) for name, value in re.findall(r"(\w+) = ([\d.]+)", line)}
    assert weights == {**{name: weight for name, weight in START.items() if name not in AGAIN}, "chance": 0.3}


def test_it_keeps_the_contract(chance: Source) -> None:
    """What every source is asked."""
    check_contract(chance)


def test_it_comes_to_count_little_and_changes_no_state(chance: Source) -> None:
    """Beside the others, over a log that is folded and served; the digest is that of the fold alone."""
    log = chains(4000)
    alone, state = (PartitionState(0, 1, FoldSettings()) for _ in range(2))
    view = view_of(state)
    with (
        patch.object(list_settings, "SOURCE_NAMES", (*START, "chance")),
        patch.object(adaptive, "Recommender", lambda settings: Recommender(settings, (*SOURCES, chance))),
    ):
        lists = AdaptiveRecommender(ListSettings(weights={**START, "chance": 0.3}))
    state.evaluator.on_test = lists.took
    for each in log:
        alone.fold(*each)
        user_id = (each.key or b"").decode()
        user = state.users.get(user_id)
        if user is not None:
            view.sync()
            lists.recommend(view, 0, user, 20, view.popularity(60))
            lists.served(user_id, lists.made(view))
        state.fold(*each)
        lists.learn()
    assert digests([state]) == digests([alone])
    weights = lists.as_json()["weights"]
    learned = [n for n in weights["chance"] if weights["co_occurrence"][n] != START["co_occurrence"]]
    assert lists.as_json()["n"] > 500 and learned
    for n in learned:
        assert weights["chance"][n] < 0.05 * sum(each[n] for each in weights.values()), weights
