"""What each partition sees of the others, and when."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.evaluate.lists import PublishedLists
from app.evaluate.shares import PartitionViews
from models.partitioner import partition_of
from tables.fold_settings import FoldSettings
from tables.learner import LearnerState
from tables.linked_factors import LinkedFactors
from tables.list_json import ListItem
from tables.list_settings import ListSettings
from tables.partition import PartitionState
from tables.user_state import UserState
from tables.view import ItemView
from tests.lists import view_of
from tests.logs import REPLAY_MS, Record, made_log

N = 3
Lists = dict[str, list[ListItem]]


def folding(states: list[PartitionState], records: list[Record]) -> None:
    """Each record in its partition, in the order of the log."""
    for each in records:
        state = states[partition_of(each.key or b"", N)]
        state.fold(state.next_offset, REPLAY_MS, each.key, each.value)


def lists_of(states: list[PartitionState], view_of_number: Callable[[int], ItemView]) -> Lists:
    """Every user's list, by id."""
    lists = PublishedLists(ListSettings(), 30)
    found: Lists = {}
    for state in states:
        view = view_of_number(state.number)
        filler = lists.filler(view, REPLAY_MS)
        for user_id in state.users:
            found[user_id] = lists.served(view, state.number, state.users.reader(user_id) or UserState(), filler)
    return found


@pytest.mark.parametrize("max_items", [200_000, 48], ids=["all", "evicting"])
def test_after_an_exchange_every_view_sees_all_there_is(max_items: int) -> None:
    """The lists are those of a view over the states themselves, and of the learner's rows at the exchange before.

    To the score; also when items were evicted, and their slots taken by others.
    """
    settings = replace(FoldSettings(), evaluate_fraction=0.0, max_items=max_items)
    states, others = ([PartitionState(number, N, settings) for number in range(N)] for _ in range(2))
    views, learner = PartitionViews(states, settings, every=10**9), LearnerState(settings)
    log = made_log(5, 1200, 40, 150)
    for first in range(0, len(log), 200):
        folding(states, log[first : first + 200])
        lists_of(states, views.view)
        views.exchange()
        folding(others, log[first : first + 200])
        for lessons in (each for state in others for each in state.take_lessons()):
            learner.take(lessons)
    rows_then = lists_of(states, views.view)
    views.exchange()
    assert (max_items > 48) == (sum(state.metrics.counts.get("items_evicted", 0) for state in states) == 0)

    found = lists_of(states, views.view)

    direct = view_of(*states)
    direct.learned = LinkedFactors(learner.rows)
    expected = lists_of(states, lambda number: direct)
    assert found == expected
    assert len(found) > 20 and all(found.values())
    assert rows_then != found


def test_what_others_do_is_seen_at_the_next_exchange_and_not_before() -> None:
    """A view follows its own share event by event, and the others every so many."""
    settings = replace(FoldSettings(), evaluate_fraction=0.0)
    states = [PartitionState(number, N, settings) for number in range(N)]
    views = PartitionViews(states, settings, every=100)
    seen: list[tuple[int, int]] = []
    for n, each in enumerate(made_log(6, 250, 40, 150), 1):
        folding(states, [each])
        views.advance(n)
        view = views.view(0)
        others = sum(int(share.n_events[: share.n_slots].sum()) for number, share in view.shares.items() if number)
        assert view.shares[0] is states[0].items
        seen.append((n, others))

    changed = [n for (n, now), (_, before) in zip(seen, [(0, 0), *seen], strict=False) if now != before]
    assert changed == [100, 200]
    assert view.n_events(0) > 0


def test_one_partition_needs_no_copy() -> None:
    """Its view is of its own share alone."""
    settings = FoldSettings()
    state = PartitionState(0, 1, settings)
    view = PartitionViews([state], settings, every=1).view(0)

    assert view.shares == {0: state.items}
