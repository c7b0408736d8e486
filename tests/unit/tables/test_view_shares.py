"""Shares that come, go and change places in an item view: each is numbered once, and nothing depends on the order."""

import pytest

from tables.items import ItemShares
from tables.numbering import Numbers
from tables.partition import PartitionState
from tables.user_state import UserState
from tables.view import ItemView
from tests.learning import met
from tests.lists import BOUNDS, PAIRS, by_pairs, partitions, users_of, view_of
from tests.logs import made_log

N = 4


@pytest.fixture
def states() -> list[PartitionState]:
    """Four partitions with items in common, and some of their own."""
    return partitions(made_log(91, 900, n_users=24, n_items=60), N)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The partitions whose items a view takes, in order."""
    log: list[int] = []
    take = ItemView._take_slots

    def noted(view: ItemView, partition: int, slots: Numbers) -> None:
        log.append(partition)
        take(view, partition, slots)

    monkeypatch.setattr(ItemView, "_take_slots", noted)
    return log


def lists(view: ItemView, readers: list[UserState]) -> list[object]:
    """What everybody is offered, and every item's neighbours."""
    similar = {item_id: found for item_id in sorted(view.index) if (found := view.similar(item_id, 20))}
    return [*(by_pairs(view, user, 20, view.popularity(40)) for user in readers), similar]


def test_a_share_that_comes_is_numbered_alone(states: list[PartitionState], taken: list[int]) -> None:
    """The items known before keep their numbers, and the others are not taken again; in whatever order they come."""
    log, view = taken, ItemView(PAIRS)
    for number in (2, 0, 3, 1):
        before = list(view.ids)
        assert view.set_share(number, states[number].items)
        assert view.ids[: len(before)] == before

    assert (log, view.numbering) == ([2, 0, 3, 1], 0)
    assert list(view.shares) == [0, 1, 2, 3]
    readers = users_of(states)
    assert lists(view, readers) == lists(view_of(*states), readers)


def test_changes_at_once_take_each_share_once(states: list[PartitionState], taken: list[int]) -> None:
    """One goes, one is replaced, one comes: items are numbered anew once, and all lists are those of a new view."""
    log, view = taken, view_of(*states[:3])
    other = PartitionState(1, N, BOUNDS)
    for offset, record in enumerate(made_log(92, 200, n_users=24, n_items=90)):
        other.fold(offset, *record[1:])
    log.clear()
    numbering = view.numbering
    assert view.set_shares({0: None, 1: other.items, 3: states[3].items, 7: None})

    assert (log, view.numbering) == ([1, 2, 3], numbering + 1)
    readers = users_of(states)
    assert lists(view, readers) == lists(view_of(other, states[2], states[3]), readers)
    assert set(view.ids) == {item_id for state in (other, *states[2:]) for item_id in state.items.slots}


def test_shares_that_stay_cost_nothing(states: list[PartitionState], taken: list[int]) -> None:
    """The same shares again, and none where there was none: nothing is taken, and what has changed is still told."""
    log, view = taken, view_of(*states)
    log.clear()
    states[0].items.touched[0] = True

    assert not view.set_shares({**{state.number: state.items for state in states}, 9: None})
    assert log == []
    assert view.sync() == [view.index[states[0].items.ids[0] or ""]]


def test_one_share_after_the_other_or_all_at_once(states: list[PartitionState]) -> None:
    """The same lists, bit for bit; also for shares that were empty when they came."""
    at_once, one_by_one = ItemView(PAIRS), ItemView(PAIRS)
    empty = ItemShares(PAIRS)
    at_once.set_shares({8: empty, **{state.number: state.items for state in states}})
    for number, share in [(8, empty), *((state.number, state.items) for state in reversed(states))]:
        one_by_one.set_share(number, share)
    readers = users_of(states)
    assert lists(at_once, readers) == lists(one_by_one, readers)

    met(empty, "late")
    one_by_one.sync()

    assert one_by_one.slots_of(one_by_one.index["late"]) == [(empty, 0)]
    assert lists(one_by_one, readers) == lists(view_of(*states), readers)
