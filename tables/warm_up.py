"""Compiles the kernels by using each once, so that no partition waits for the compiler after it is assigned."""

from typing import Final

import orjson

from models.blend import BLENDS
from models.event_types import DEFAULT_TYPES, EventType
from models.events import EventRules
from models.fold_arrays import FIRST, TESTED
from models.source_names import SOURCE_NAMES
from tables.adaptive import AdaptiveRecommender
from tables.digest import digests
from tables.factor_rows import FactorRows
from tables.fold_settings import COMPILED, FoldSettings
from tables.learner import LearnerState
from tables.linked_factors import LinkedFactors
from tables.list_settings import ListSettings
from tables.partition import PartitionState
from tables.view import ItemView

AT_MS: Final = 1_000_000_000_000


def warm_up(rating_model: str = COMPILED) -> None:
    """Fold a few made-up events and make their lists; the first time on a machine it takes seconds, later a second.

    A rating model of River's is imported here.
    """
    plays = EventType("play", 1.0, 1, allow_repeats=True)
    rules = EventRules(types={**DEFAULT_TYPES, plays.name: plays})
    state = PartitionState(0, 1, FoldSettings(rules, rating_model=rating_model))
    _fold_some(state, plays)
    view = ItemView(state.settings.cooccurrence)
    view.set_share(0, state.items)
    view.set_share(1, PartitionState(1, 2, FoldSettings()).items)
    weights = dict.fromkeys(SOURCE_NAMES, 1.0)
    every_blend = [AdaptiveRecommender(ListSettings(blend, weights, returning=(plays,))) for blend in BLENDS]
    every_blend.append(AdaptiveRecommender(ListSettings(weights=weights, max_per_category=1)))
    view.categorize("i1", "category")
    for learned in (None, _learned(plays)):
        view.learned = learned
        for user in filter(None, map(state.users.get, state.users)):
            for recommender in every_blend:
                recommender.recommend(view, 0, user, 5, recommender.newcomers.filler(view, AT_MS, 5))
                recommender.served("u0", recommender.made(view))
                recommender.took("u0", "i1", TESTED)
                recommender.took("u0", "i1", FIRST)
                recommender.learn()
    cut, loaded = state.cut(-1), PartitionState(0, 1, FoldSettings())
    for key, value in cut.users:
        loaded.apply_user(key, value)
    for key, value in cut.items:
        loaded.items.apply(key.decode(), value)
    loaded.finish_load()
    for user_id in loaded.users:
        loaded.users.slot(user_id)
    state.items.remove(["i0"])
    digests([state])


def _fold_some(state: PartitionState, plays: EventType) -> None:
    for number in range(8):
        event = {"user_id": f"u{number % 2}", "item_id": f"i{number}", "event_type": "rating", "value": 4}
        event |= {"event_type": plays.name} if number % 4 > 1 else {}
        event["timestamp"] = AT_MS + number
        state.fold(number, AT_MS, str(event["user_id"]).encode(), orjson.dumps(event))


def _learned(plays: EventType) -> LinkedFactors:
    """Rows of the learner, of what two partitions hand over; each refuses the other's users."""
    settings = FoldSettings(EventRules(types={**DEFAULT_TYPES, plays.name: plays}))
    learner, rows = LearnerState(settings), FactorRows(settings.history)
    for number in range(2):
        state = PartitionState(number, 2, settings)
        _fold_some(state, plays)
        for lessons in state.take_lessons():
            learner.take(lessons)
    for key, row in learner.take_changed():
        rows.apply(key.decode(), row)
    return LinkedFactors(rows)


if __name__ == "__main__":
    warm_up()
