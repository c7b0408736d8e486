"""The live view at a rebalance: what it takes over, and what is to be published anew."""

from typing import Any

import pytest

from app.broker import Broker
from app.settings import Settings
from app.worker.checkpoints import CheckpointWriter
from app.worker.live_view import LiveView
from app.worker.owned import OwnedPartition
from tables.names import Names
from tables.partition import PartitionState
from tables.view import ItemView
from tests.lists import partitions
from tests.logs import made_log

SETTINGS = Settings()
N = 4


def owned_by(states: list[PartitionState]) -> dict[int, OwnedPartition]:
    """Partitions as a worker holds them."""
    return {
        state.number: OwnedPartition(state, CheckpointWriter(state.number, Names(), Broker("nowhere"), {}))
        for state in states
    }


def test_an_assignment_takes_every_share_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four partitions cost four shares, two given back a new numbering of the two that stay, the same again nothing."""
    owned = owned_by(partitions(made_log(93, 400, n_users=24, n_items=40), N, SETTINGS.fold))
    view, taken, take = LiveView(SETTINGS.fold), [], ItemView._take_slots

    def noted(items: ItemView, partition: int, slots: Any) -> None:
        taken.append(partition)
        take(items, partition, slots)

    monkeypatch.setattr(ItemView, "_take_slots", noted)
    view.own(owned)
    assert taken == [0, 1, 2, 3]
    view.stale.clear()
    view.own(dict(owned))
    assert (taken, view.stale) == ([0, 1, 2, 3], {})
    view.own({number: owned[number] for number in (0, 2)})
    assert taken == [0, 1, 2, 3, 0, 2]
    view.follow(3, owned[3].state.items)

    assert taken == [0, 1, 2, 3, 0, 2, 3]
    assert (
        view.stale.keys()
        == set(view.items.ids)
        == {item_id for number in (0, 2, 3) for item_id in owned[number].state.items.slots}
    )
