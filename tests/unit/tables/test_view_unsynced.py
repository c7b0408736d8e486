"""A view that is read while the fold has gone on: it may lack what is new, and nothing else may happen."""

from tables.fold_settings import FoldSettings
from tables.partition import PartitionState
from tables.view import ItemView
from tests.logs import record


def test_items_newer_than_the_mapping_are_left_out() -> None:
    """Rows that name slots the view has never heard of give the known neighbours only."""
    state = PartitionState(0, 1, FoldSettings())
    view = ItemView(state.settings.cooccurrence)
    state.fold(*record(0, "u0", "i0"))
    state.fold(*record(1, "u0", "i1"))
    view.set_share(0, state.items)
    assert [item_id for item_id, _ in view.similar("i0", 500)] == ["i1"]
    offset = 2
    for number in range(2, 300):
        for item_id in ("i0", f"i{number}"):
            state.fold(*record(offset, f"u{number}", item_id))
            offset += 1
    assert [item_id for item_id, _ in view.similar("i0", 500)] == ["i1"]
    view.sync()
    assert len(view.similar("i0", 500)) > 100
