"""A cut holds what changed, and says so to the bytes; a load makes a state of it again."""

from models.partitioner import partition_of
from tables.fold_settings import FoldSettings
from tables.marker import MARKER_KEY, METRICS_KEY, Marker, Metrics, encode_metrics
from tables.partition import PartitionState
from tests.logs import REPLAY_MS, START_MS, Record, made_log, record
from tests.saved import Topics, everything, fold_all, folded, keys


def test_an_item_evicted_and_met_again_within_one_cut() -> None:
    """It is no tombstone, but a value that starts anew."""
    state = folded([record(n, f"u{n}", item_id) for n, item_id in enumerate("ab")], FoldSettings(max_items=2))
    state.cut(-1)
    fold_all(state, [record(2, "u2", "c"), record(3, "u3", "a")])

    cut = state.cut(-1)
    assert keys(cut.items) == {"b": False, "c": True, "a": True}
    assert len(cut.items) == 3, "each key once"
    assert int(state.items.n_events[state.items.slots["a"]]) == 1


def test_an_item_evicted_and_met_again_across_cuts() -> None:
    """Null in the one cut, a value in the next; a load of both knows it."""
    bounds, topics = FoldSettings(max_items=2), Topics()
    state = folded([record(n, f"u{n}", item_id) for n, item_id in enumerate("ab")], bounds)
    topics.save(state.cut(-1))
    state.fold(*record(2, "u2", "c"))
    cut = state.cut(-1)
    assert keys(cut.items) == {"a": False, "c": True}
    topics.save(cut)
    state.fold(*record(3, "u3", "a"))
    cut = state.cut(-1)
    assert keys(cut.items) == {"b": False, "a": True}
    topics.save(cut)

    assert everything(Topics.load(PartitionState(0, 1, bounds), topics.history)) == everything(state)


def test_a_cut_holds_what_changed_since_the_last_one() -> None:
    """Users, items, partners, drawn items that moved; then only the counters and the marker, which is last."""
    state = folded([*(record(n, f"v{n}", f"i{n}") for n in range(40)), record(40, "u1", "a"), record(41, "u1", "b")])
    first, before = state.cut(2), everything(state)["items"]
    state.fold(*record(42, "u1", "d"))
    after = everything(state)["items"]
    second, third = state.cut(3), state.cut(3)

    assert keys(first.users) == {"u1": True, **{f"v{n}": True for n in range(40)}}
    assert keys(first.items) == {"a": True, "b": True, **{f"i{n}": True for n in range(40)}}
    assert keys(second.users) == {"u1": True}
    assert isinstance(before, dict) and isinstance(after, dict)
    changed = {item_id: True for item_id, value in after.items() if before.get(item_id) != value}
    assert keys(second.items) == changed
    assert {"a", "b", "d"} < changed.keys() and len(changed) < 30, "rows that did not move are not written"
    assert [key for key, _ in third.users] == [METRICS_KEY, MARKER_KEY]
    assert (third.items, third.n_bytes) == ([], 0)
    assert second.n_bytes == sum(len(key) + len(value or b"") for key, value in (*second.users[:-2], *second.items))


def test_the_marker_says_where_the_state_stands() -> None:
    """Everything a successor needs before it reads on."""
    state = PartitionState(2, 8, FoldSettings(), epoch=7)
    user_id = next(f"u{n}" for n in range(99) if partition_of(b"u%d" % n, 8) == 2)
    fold_all(state, [record(40, user_id, "a"), Record(41, REPLAY_MS, b"x", None)])
    cut = state.cut(39)

    assert cut.marker == Marker(
        7, 42, 39, 1, ((START_MS, user_id),), 8, FoldSettings().fingerprint(), FoldSettings().described()
    )
    assert dict(cut.users)[MARKER_KEY] == cut.marker.encode()
    assert dict(cut.users)[METRICS_KEY] == encode_metrics(
        Metrics({"events": 1, "dead_letters.not_json": 1}), state.evaluator.stored()
    )


def test_a_loaded_state_knows_its_marker() -> None:
    """Epoch, offset and clock come from it; `loaded` keeps it as it was; null takes it back."""
    topics, state = Topics(), folded(made_log(5, 100))
    state.epoch = 9
    topics.save(state.cut(77))
    loaded = Topics.load(PartitionState(0, 1, FoldSettings()), topics.history)

    assert loaded.loaded is not None
    assert (loaded.epoch, loaded.next_offset, loaded.loaded.published_offset) == (9, 100, 77)
    assert loaded.clock.latest == state.clock.latest
    assert loaded.metrics == state.metrics
    assert loaded.evaluator.stored() == state.evaluator.stored()
    assert loaded.evaluator.prequential.n > 5 and loaded.evaluator.ratings.n > 5
    assert keys(loaded.cut(77).users) == {}, "what was loaded is clean"

    fresh = PartitionState(0, 1, FoldSettings())
    for key in (MARKER_KEY, METRICS_KEY):
        fresh.apply_user(key, dict(topics.latest)["users", key])
        fresh.apply_user(key, None)
    assert (fresh.loaded, fresh.metrics) == (None, Metrics())


def test_users_above_an_offset() -> None:
    """Those whose last event lies above it, oldest first, also right after a load."""
    topics = Topics()
    state = folded([record(n, user_id, "a") for n, user_id in enumerate(("a", "b", "c", "b"))])
    topics.save(state.cut(-1))
    loaded = Topics.load(PartitionState(0, 1, FoldSettings()), topics.history)

    for each in (state, loaded):
        assert each.users_above(-1) == [("a", 0), ("c", 2), ("b", 3)]
        assert each.users_above(2) == [("b", 3)]
        assert each.users_above(3) == []


def test_dirty_bytes_foretell_the_next_cut() -> None:
    """Within a factor of a few once a cut was taken; nothing when nothing changed."""
    state = folded(made_log(6, 500))
    state.cut(-1)
    assert state.dirty_bytes == 0
    fold_all(state, made_log(7, 1_000)[500:])
    foretold = state.dirty_bytes

    assert foretold / 4 < state.cut(-1).n_bytes < foretold * 4


def test_an_empty_cut_does_not_blind_dirty_bytes() -> None:
    """After a second without events the bound on dirty bytes must still work."""
    state = folded([record(n, f"u{n}", f"i{n}") for n in range(50)])
    n_bytes = state.cut(-1).n_bytes
    state.cut(-1)
    fold_all(state, [record(100 + n, f"u{n}", f"i{n}") for n in range(50)])

    assert state.dirty_bytes > n_bytes / 4


def test_a_cut_that_was_not_saved_is_dirty_again() -> None:
    """All it held stands in the next one as it is then, tombstones too; what came back is a value."""
    bounds = FoldSettings(max_items=2, max_users=2)
    state = folded([record(n, f"u{n}", item_id) for n, item_id in enumerate("abc")], bounds)
    lost = state.cut(-1)
    assert (keys(lost.users), keys(lost.items)) == (
        {"u0": False, "u1": True, "u2": True},
        {"a": False, "b": True, "c": True},
    )
    state.fold(*record(3, "u0", "a"))
    state.restore(lost)
    cut = state.cut(-1)

    assert keys(cut.users) == {"u0": True, "u1": False, "u2": True}
    assert keys(cut.items) == {"a": True, "b": False, "c": True}
