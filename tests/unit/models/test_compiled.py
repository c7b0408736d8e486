"""Kernels that count no references free what they are given to free, and none of them makes an array."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import pytest
from numba.core.dispatcher import Dispatcher

import models
from tables.adaptive import AdaptiveRecommender
from tables.fold_settings import FoldSettings
from tables.list_settings import ListSettings
from tables.partition import PartitionState
from tables.view import ItemView
from tests.logs import START_MS

N_EVENTS = 600

runtime: Any = import_module("numba.core.runtime._nrt_python")


@pytest.fixture
def counted() -> Iterator[None]:
    """Numba counts what its arrays take and give back."""
    runtime.memsys_enable_stats()
    yield
    runtime.memsys_disable_stats()


def n_living() -> int:
    """Arrays of numba's that were made and not freed, since it counts."""
    return int(runtime.memsys_get_stats_alloc() - runtime.memsys_get_stats_free())


def kernels() -> list[Any]:
    """Every kernel of this project."""
    names = [path.stem for path in Path(models.__file__).parent.glob("*.py") if path.stem != "__init__"]
    found = {id(each): each for name in names for each in vars(import_module(f"models.{name}")).values()}
    return [each for each in found.values() if isinstance(each, Dispatcher)]


def test_every_kernel_says_whether_it_counts_references() -> None:
    """Else the first caller's word would be compiled in, and the next caller leak or crash."""
    assert len(kernels()) > 100
    assert [each.__name__ for each in kernels() if "_nrt" not in each.targetoptions] == []


@pytest.mark.usefixtures("counted")
def test_folds_and_lists_leave_no_array_behind() -> None:
    """As many arrays are freed as are made, while events are folded, evaluated and lists are made."""
    state, view = PartitionState(0, 1, FoldSettings(evaluate_fraction=1.0)), ItemView(FoldSettings().cooccurrence)
    recommender = AdaptiveRecommender(ListSettings())

    def pass_events(first: int) -> int:
        n_before = n_living()
        for number in range(first, first + N_EVENTS):
            user_id, value = f"u{number % 7}", 1 + number % 5
            event = {"user_id": user_id, "item_id": f"i{number * number % 61}", "event_type": "rating", "value": value}
            event["timestamp"] = START_MS + number // 3
            state.fold(number, START_MS, user_id.encode(), orjson.dumps(event))
            user = state.users.get(user_id)
            assert user is not None
            view.set_share(0, state.items)
            recommender.recommend(view, 0, user, 5, view.popularity(5))
        return n_living() - n_before

    pass_events(0)  # compiles, or loads, and makes what lasts

    assert abs(pass_events(N_EVENTS)) < 20
