"""Digests: equal for equal states, different for different ones, blind to offsets, and free of side effects."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tables.digest import digests
from tables.fold_settings import FoldSettings
from tables.partition import PartitionState
from tables.user_state import UserState
from tables.view import ItemView
from tables.waiting import WaitingLists
from tests.learning import trend
from tests.logs import HOUR_MS, START_MS, Record, made_log, record
from tests.saved import everything, folded
from tests.users import add_recent, is_duplicate, mark_seen, put
from tests.window_counts import count

LOG = made_log(11, 300)
Change = Callable[[PartitionState], object]


def test_the_parts_are_named() -> None:
    """One digest for all, and one for each part, in hex."""
    found = digests([folded(LOG)])

    assert list(found) == ["all", "users", "items", "metrics", "lists"]
    assert all(len(bytes.fromhex(digest)) == 32 for digest in found.values())
    assert len(set(found.values())) == 5


def test_same_log_same_digest() -> None:
    """And another log another one, in every part."""
    other = digests([folded(LOG[:-30])])

    assert digests([folded(LOG)]) == digests([folded(LOG)])
    assert all(other[name] != digest for name, digest in digests([folded(LOG)]).items())


def test_offsets_do_not_count() -> None:
    """The same events behind a gap of a thousand offsets are the same state."""
    moved = [Record(each.offset + 1_000, *each[1:]) for each in LOG]

    assert digests([folded(moved)]) == digests([folded(LOG)])


def of_user(change: Callable[[UserState], object]) -> Change:
    """A change of one user, who is given out as a copy and put back."""

    def changed(state: PartitionState) -> None:
        user = state.users.get("u1")
        assert user is not None
        change(user)
        put(state.users, "u1", user)

    return changed


CHANGES: dict[str, tuple[str, Change]] = {
    "a user's seen items": ("users", of_user(lambda user: mark_seen(user, 5, 4096))),
    "a user's event ids": ("users", of_user(lambda user: is_duplicate(user, 5))),
    "the weight of a recent item": ("users", of_user(lambda user: add_recent(user, "i1", 0.123, 20))),
    "a user's window": ("users", of_user(lambda user: count(user.windows, 1, START_MS, START_MS))),
    "an item's window": ("items", lambda state: _count(state)),
    "an item's trend": ("items", lambda state: trend(state.items.trending, 0, 1.0, START_MS)),
    "a pair's weight in its last bit": ("items", lambda state: _nudge(state)),
    "a user's rating factor in its last bit": ("users", of_user(lambda user: _nudge_factor(user))),
    "the time of waiting lists": ("users", of_user(lambda user: _wait_longer(user))),
    "no lists waiting": ("users", of_user(lambda user: setattr(user, "waiting", None))),
    "an item's rating factor": ("items", lambda state: _nudge_row(state.items.ratings.rows)),
    "an item's history factor": ("items", lambda state: _nudge_row(state.items.history.rows)),
    "a test": ("metrics", lambda state: state.evaluator.prequential.test(1, {}, 0)),
    "a predicted rating": ("metrics", lambda state: _predict(state)),
    "the mean rating": ("metrics", lambda state: _nudge_row(state.items.ratings.mean[None])),
    "the fold's lists": ("lists", lambda state: _nudge_events(state)),
    "a counter": ("metrics", lambda state: state.metrics.add("events")),
}


def _count(state: PartitionState) -> None:
    counts = state.items.windows_of(0)
    count(counts, 1, START_MS, START_MS)
    state.items.set_windows(0, counts)


def _predict(state: PartitionState) -> None:
    state.evaluator.ratings.n += 1


def _nudge_factor(user: UserState) -> None:
    assert user.factors is not None
    user.factors[3] = np.nextafter(user.factors[3], 9)


def _wait_longer(user: UserState) -> None:
    assert user.waiting is not None
    user.waiting = WaitingLists(user.waiting.timestamp_ms + 1, user.waiting.lists)


def _nudge_row(rows: npt.NDArray[Any]) -> None:
    place = (int(np.flatnonzero(rows.any(axis=1))[0]), 1)
    rows[place] = np.nextafter(rows[place], rows.dtype.type(9))


def _nudge_events(state: PartitionState) -> None:
    state.items.n_for[: len(state.items)] = state.items.n_for[: len(state.items)][::-1].copy()
    state.items._popular_is_old = True  # nothing that folds counts backwards


def _nudge(state: PartitionState) -> None:
    weights = state.items.pairs.row(0)[1]
    weights[0] *= 1 + 2**-52


def test_a_user_put_back_unchanged_is_the_same() -> None:
    """What the changes below do besides changing leaves no trace."""
    state = folded(LOG)
    of_user(lambda user: None)(state)

    assert digests([state]) == digests([folded(LOG)])


@pytest.mark.parametrize(("part", "change"), CHANGES.values(), ids=CHANGES)
def test_the_least_change_is_seen(part: str, change: Change) -> None:
    """In the digest of its part, and in the one for all."""
    state, before = folded(LOG), digests([folded(LOG)])
    change(state)
    after = digests([state])

    assert after[part] != before[part]
    assert after["all"] != before["all"]


def test_partitions_count_with_their_numbers_in_any_order() -> None:
    """Two partitions give one digest, however they are handed over; swapped contents give another."""
    one, two = folded(LOG, number=0, n_partitions=2), folded(LOG, number=1, n_partitions=2)
    both = digests([one, two])

    assert digests([two, one]) == both
    assert digests([one]) != both
    one.number, two.number = 1, 0
    assert digests([one, two]) != both


def test_an_empty_state_has_a_digest() -> None:
    """Nothing is something to agree on, too."""
    assert digests([PartitionState(0, 1, FoldSettings())])["all"] != digests([folded(LOG)])["all"]


def test_taking_a_digest_changes_no_byte() -> None:
    """The state goes on as before."""
    state, undisturbed = folded(LOG[:200]), folded(LOG)
    digests([state])
    for each in LOG[200:]:
        state.fold(*each)

    assert everything(state) == everything(undisturbed)


def test_taking_a_digest_leaves_a_live_view_fresh() -> None:
    """A view that shows the state sees what was folded before the digest, although the digest makes its own view."""
    state = folded([record(0, "u1", "i1"), record(1, "u1", "i2")])
    view = ItemView(state.settings.cooccurrence)
    view.set_share(0, state.items)
    state.fold(*record(2, "u1", "i3", at_ms=START_MS + HOUR_MS))
    digests([state])
    view.sync()

    assert "i3" in view.index
