"""The learner's rows in an item view: linked to its items, whatever comes, goes or is renumbered."""

from dataclasses import replace

import pytest

from models.partitioner import partition_of
from models.source_names import HISTORY
from tables.factor_rows import FactorRows
from tables.learner import LearnerState
from tables.linked_factors import LinkedFactors
from tables.list_settings import LOG_SHARES, ListSettings
from tables.partition import PartitionState
from tables.recommend import Recommender
from tables.user_state import UserState
from tables.view import ItemView
from tests.lessons import SETTINGS
from tests.lists import filler_of
from tests.logs import REPLAY_MS, START_MS, made_log, record

N = 2
ALONE = ListSettings(LOG_SHARES, {HISTORY: 1.0})


def check_links(view: ItemView) -> int:
    """Every slot and every item of the view know each other; returns how many do."""
    assert view.learned is not None
    rows, factors = view.learned.rows, view.factors(0)
    slot_in, to_item = factors.links
    offered, keys = factors.arrays[6], factors.arrays[1]
    n = 0
    for number, item_id in enumerate(view.ids):
        slot = rows.slots.get(int(view.hashes[number]), -1) if view.taken_to[number] else -1
        assert slot_in[number] == slot, item_id
        if slot >= 0:
            assert to_item[slot] == number and offered[slot] == (not view.unwanted[number])
            assert keys[slot].tolist() == view.keys[number, :2].tolist()
            n += 1
    assert (to_item[: rows.n_slots] >= 0).sum() >= n >= offered.sum()
    return n


@pytest.mark.parametrize("max_items", [200_000, 24], ids=["all", "evicting"])
def test_links_follow_items_and_rows(max_items: int) -> None:
    """New items, evicted ones, unwanted ones, new rows, rows in other slots, and shares that go and come."""
    settings = replace(SETTINGS, max_items=max_items)
    states = [PartitionState(number, N, settings) for number in range(N)]
    learner, reader, view = LearnerState(settings), FactorRows(settings.history), ItemView(settings.cooccurrence)
    view.learned = LinkedFactors(reader)
    view.set_shares({state.number: state.items for state in states})
    for n, each in enumerate(made_log(9, 1200, 20, 80)):
        state = states[partition_of(each.key or b"", N)]
        state.fold(state.next_offset, REPLAY_MS, each.key, each.value)
        if n % 40 == 0:
            view.sync()
            check_links(view)
        if n % 90 == 0:
            for state in states:
                for value in state.take_lessons():
                    learner.take(value)
            for key, row in learner.take_changed():
                reader.apply(key.decode(), row)
        if n % 400 == 399:
            view.set_shares({1: None})
            check_links(view)
            view.set_shares({1: states[1].items})
    view.sync()
    assert view.unwanted[: len(view.ids)].any() and check_links(view) > 10


def test_a_list_uses_what_was_taught_in_another_partition() -> None:
    """Factors propose to a user of one partition what users of another have taken to after the same item."""
    states = [PartitionState(number, N, SETTINGS) for number in range(N)]
    users = {number: [f"u{n}" for n in range(400) if partition_of(b"u%d" % n, N) == number] for number in range(N)}
    reader, learner = FactorRows(SETTINGS.history), LearnerState(SETTINGS)
    for n, user_id in enumerate(users[1][:100]):
        for step, item_id in enumerate(("a", "b") if n % 2 else ("c", "d")):
            states[1].fold(*record(2 * n + step, user_id, item_id, "view", START_MS + 2 * n + step))
    states[0].fold(*record(0, users[0][0], "a", "view", START_MS + 1000))
    for state in states:
        for value in state.take_lessons():
            learner.take(value)
    view = ItemView(SETTINGS.cooccurrence)
    view.set_shares({state.number: state.items for state in states})
    user, recommender = states[0].users.reader(users[0][0]) or UserState(), Recommender(ALONE)
    filler = filler_of(view, START_MS, 10)

    recommender.recommend(view, 0, user, 3, filler)
    assert int(recommender.proposals.counts[recommender.names.index(HISTORY)]) == 0
    view.learned = LinkedFactors(reader)
    for key, row in learner.take_changed():
        reader.apply(key.decode(), row)
    found = recommender.recommend(view, 0, user, 3, filler)

    assert (found[0].item_id, found[0].source, found[0].because) == ("b", HISTORY, ("a",))
