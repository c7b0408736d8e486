"""The fold of one partition: what counts, what is refused, who is forgotten, what a cut holds."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.cooccurrence import CooccurrenceSettings
from models.errors import InvalidEvent, StateError
from models.event_types import DEFAULT_TYPES
from models.events import MAX_TIMESTAMP_MS, REASONS
from models.partitioner import PARTITIONERS, partition_of
from tables.digest import digests
from tables.fold_settings import FoldSettings
from tables.partition import PartitionState
from tables.user_state import MAX_EVENT_IDS, UserState
from tests.logs import DAY_MS, HOUR_MS, MALFORMED, MINUTE_MS, REPLAY_MS, START_MS, Record, record
from tests.saved import Topics, everything, fold_all, folded, keys

WINDOW_NAMES = ("1m", "1h", "1d", "7d", "all")
LIMITS = (1, 2**31, 2**32, 2**40 * 5_000, 2**53, MAX_TIMESTAMP_MS, 2**62, 2**63, 2**64 - 1)
TIMES = st.integers(0, 2**64 - 1) | st.builds(
    lambda limit, by: min(limit + by, 2**64 - 1), st.sampled_from(LIMITS), st.integers(-1, 5)
)


def recent(state: PartitionState, user_id: str) -> list[str]:
    """A user's history, oldest first."""
    user = state.users.get(user_id)
    return [item_id for item_id, _ in user.recent] if user else []


def pairs(state: PartitionState, item_id: str) -> dict[str, float]:
    """An item's neighbours by id."""
    neighbours, weights = state.items.pairs.row(state.items.slots[item_id])
    return {state.items.ids[slot] or "": weight for slot, weight in zip(neighbours, weights.tolist(), strict=True)}


def test_an_event_is_learned_everywhere() -> None:
    """Counts, windows, history, seen set, pairs and trend of the user and the item."""
    state = folded([record(0, "u1", "a"), record(1, "u1", "b", "rating", START_MS + 1, value=3)])
    user = state.users.get("u1")
    assert user is not None
    slot = state.items.slots["b"]

    assert (user.n_events, user.last_offset, user.last_ms, user.n_seen) == (2, 1, START_MS + 1, 2)
    assert user.recent == [("a", 1.0), ("b", 0.5)]
    assert (pairs(state, "a"), pairs(state, "b")) == ({"b": 0.5}, {"a": 0.5})
    assert (state.items.n_events[slot], state.items.weight[slot], state.items.last_ms[slot]) == (1, 0.5, START_MS + 1)
    assert state.items.trending.scores(2, START_MS + 1, 2).tolist() == [1.0, 0.5]
    assert dict(state.items.windows_of(slot).features(dict.fromkeys(range(9), ""), START_MS + 1))["_1m"] == 1
    assert state.metrics.counts == {"events": 2}
    assert (state.next_offset, state.clock.now_ms) == (2, START_MS + 1)


@pytest.mark.parametrize(
    ("event_type", "more", "is_seen", "is_recent"),
    [
        ("view", {}, True, True),
        ("dislike", {}, True, False),
        ("rating", {"value": 1}, True, False),
        ("rating", {"value": 3}, True, True),
        ("impression", {}, False, False),
        ("skip", {}, False, False),
    ],
)
def test_what_each_kind_of_event_means(
    event_type: str, more: dict[str, object], is_seen: bool, is_recent: bool
) -> None:
    """All are counted; impressions and skips make no item seen, and what speaks against it is in no history."""
    state = folded([record(0, "u1", "a", event_type, START_MS, **more)])
    user = state.users.get("u1")
    assert user is not None

    assert (user.n_events, user.n_seen, recent(state, "u1")) == (1, is_seen, ["a"] * is_recent)
    assert int(state.items.n_events[0]) == 1
    assert (float(state.items.weight[0]) > 0) == (is_recent or event_type == "rating"), "low ratings are targets"


def test_dead_letters_are_counted_by_reason() -> None:
    """Each malformed record gives its reason, moves the offset, and leaves users and items alone."""
    state = folded([record(0, "u1", "a")])
    before = everything(state)
    said = fold_all(state, [Record(1 + n, REPLAY_MS, b"u1", value) for n, value in enumerate(MALFORMED)])
    reasons = [invalid.reason for invalid in said if isinstance(invalid, InvalidEvent)]

    assert len(reasons) == len(MALFORMED)
    assert set(reasons) == set(REASONS) - {"wrong_partition"}
    assert {name: n for name, n in state.metrics.counts.items() if name != "events"} == {
        f"dead_letters.{reason}": reasons.count(reason) for reason in reasons
    }
    assert state.next_offset == 1 + len(MALFORMED)
    assert {part: everything(state)[part] for part in ("users", "items")} == {
        part: before[part] for part in ("users", "items")
    }


@pytest.mark.parametrize("partitioner", PARTITIONERS)
def test_a_user_of_another_partition_is_a_dead_letter(partitioner: str) -> None:
    """Only partition_of decides; the message names both partitions and the setting. Nothing is learned."""
    bounds = FoldSettings(partitioner=partitioner)
    state = PartitionState(1, 3, bounds)
    for number in range(30):
        said = state.fold(*record(number, f"u{number}", "a"))
        home = partition_of(b"u%d" % number, 3, partitioner)
        if home == 1:
            assert said == f"u{number}"
        else:
            assert isinstance(said, InvalidEvent)
            assert said.reason == "wrong_partition"
            for part in ("partition 1", f"{home} of 3", partitioner, "FRESHET_PARTITIONER"):
                assert part in said.message
    n_events = state.metrics.counts["events"]
    assert 0 < n_events == len(state.users)
    assert state.metrics.counts["dead_letters.wrong_partition"] == 30 - n_events


def test_records_below_the_next_offset_are_not_folded_again() -> None:
    """Redelivery says None and changes nothing; gaps in the offsets are no matter."""
    state = folded([record(5, "u1", "a"), record(9, "u1", "b")])
    before = everything(state)

    assert fold_all(state, [record(5, "u1", "a"), record(8, "u2", "x"), record(9, "u1", "b")]) == [None] * 3
    assert everything(state) == before
    assert state.fold(*record(10, "u1", "a")) == "u1"


def test_duplicates_are_counted_and_dropped() -> None:
    """The same id twice counts once; another user's, and an event without an id, count each time."""
    log = [record(0, "u1", "a", event_id="e"), record(1, "u1", "b", event_id="e"), record(2, "u2", "a", event_id="e")]
    state = folded([*log, record(3, "u1", "a"), record(4, "u1", "a")])

    assert state.metrics.counts == {"events": 4, "duplicates": 1}
    assert recent(state, "u1") == ["a"]
    assert state.next_offset == 5


def test_a_duplicate_is_known_among_the_last_32_ids() -> None:
    """The id of 32 ids ago is a duplicate, the one of 33 ago is a new event."""
    log = [record(n, "u1", f"i{n}", event_id=f"e{n}") for n in range(MAX_EVENT_IDS)]
    state = folded([*log, record(100, "u1", "x", event_id="e0")])
    assert state.metrics.counts == {"events": 32, "duplicates": 1}

    fold_all(state, [record(101, "u1", "y", event_id="e32"), record(102, "u1", "x", event_id="e0")])

    assert state.metrics.counts == {"events": 34, "duplicates": 1}


def test_late_events_count_in_totals_and_pairs_only() -> None:
    """Later than the grace behind the clock: no window, no trend. At the grace's very end: all of it.

      event late            event in time       clock = third-greatest
    ----x---------------------|x------------------|
        < clock - grace       >= clock - grace
    """
    bounds = FoldSettings(late_grace_ms=HOUR_MS)
    state = folded([record(n, f"u{n}", "a", at_ms=START_MS) for n in range(3)], bounds)
    fold_all(state, [record(3, "u0", "in time", at_ms=START_MS - HOUR_MS)])
    fold_all(state, [record(4, "u0", "late", at_ms=START_MS - HOUR_MS - 1)])
    in_time, late = (state.items.slots[item_id] for item_id in ("in time", "late"))
    scores = state.items.trending.scores(2, START_MS, 3)

    assert state.metrics.counts == {"events": 5, "late": 1}
    assert scores[in_time] > 0 == scores[late]
    assert [sum(state.items.windows_of(slot).buckets.values()) > 0 for slot in (in_time, late)] == [True, False]
    assert pairs(state, "late") == {"a": 1.0, "in time": 1.0}
    user = state.users.get("u0")
    assert user is not None and user.last_ms == START_MS


def test_a_wrong_stamp_makes_nobody_late() -> None:
    """One user a year ahead: the others' events are in time, before and after."""
    log = [record(n, f"u{n}", "a", at_ms=START_MS) for n in range(3)]
    log += [record(3, "u0", "b", at_ms=START_MS + 365 * DAY_MS)]
    log += [record(4 + n, f"u{n % 3}", "c", at_ms=START_MS + n * MINUTE_MS) for n in range(1, 30)]
    state = folded(log)

    assert "late" not in state.metrics.counts
    assert state.clock.now_ms <= START_MS + 30 * MINUTE_MS


def test_the_user_idle_longest_is_evicted() -> None:
    """By the last event folded, not by its stamp; a cut says null; the user may come back as a new one."""
    bounds = FoldSettings(max_users=2)
    state = folded([record(0, "a", "i", at_ms=START_MS + 9), record(1, "b", "i"), record(2, "a", "j")], bounds)
    state.cut(-1)
    state.fold(*record(3, "c", "i"))
    assert list(state.users) == ["a", "c"]
    assert keys(state.cut(-1).users) == {"b": False, "c": True}

    state.fold(*record(4, "b", "k"))

    assert list(state.users) == ["c", "b"]
    assert recent(state, "b") == ["k"]
    assert state.metrics.counts["users_evicted"] == 2
    assert keys(state.cut(-1).users) == {"a": False, "b": True}


def test_idle_users_expire_by_the_partitions_clock() -> None:
    """At most two per event, so that no event pays for a crowd; exactly at the limit a user stays."""
    bounds = FoldSettings(max_idle_ms=DAY_MS)
    old = [record(n, f"old{n}", "i", at_ms=START_MS) for n in range(5)]
    state = folded([*old, *(record(5 + n, f"new{n}", "i", at_ms=START_MS + DAY_MS) for n in range(3))], bounds)
    assert len(state.users) == 8, "idle for the limit, not longer"

    state.fold(*record(8, "new0", "i", at_ms=START_MS + DAY_MS + 1))
    assert len(state.users) == 8, "one user cannot move the clock"
    sizes = []
    for n in range(1, 5):
        state.fold(*record(8 + n, f"new{n % 3}", "i", at_ms=START_MS + DAY_MS + 1))
        sizes.append(len(state.users))

    assert sizes == [8, 6, 4, 3]
    assert state.metrics.counts["users_expired"] == 5


def test_the_last_user_never_expires() -> None:
    """A single user stays, however old; nothing fails."""
    state = folded([record(0, "u1", "a"), record(1, "u1", "b", at_ms=START_MS + DAY_MS)], FoldSettings(max_idle_ms=0))

    assert list(state.users) == ["u1"]


def test_one_off_items_make_room_for_each_other() -> None:
    """A dozen items in use outlive a thousand ids that come once each, two between any two of their events.

    An item comes again after 36 other events, which is more than there is room for: the ids alone would push it out.
    """
    known = [f"i{n % 12}" for n in range(500)]
    mixed = [item_id for n in range(500) for item_id in (known[n], f"junk{n}", f"junk{n + 500}")]
    log = [record(offset, f"u{offset % 5}", item_id) for offset, item_id in enumerate(known[:24] + mixed)]
    state = folded(log, FoldSettings(max_items=32))

    assert set(known) <= state.items.slots.keys()
    assert state.items.n_events[[state.items.slots[item_id] for item_id in known]].min() > 42, "none was ever gone"


def test_items_of_old_give_way_to_what_is_used_now() -> None:
    """However many events they had: in the end they are idle too long for them."""
    old = [f"old{n % 32}" for n in range(3200)]
    new = [f"new{n % 32}" for n in range(640)]
    log = [record(offset, f"u{offset % 5}", item_id) for offset, item_id in enumerate(old + new)]
    state = folded(log, FoldSettings(max_items=34))

    assert set(new) <= state.items.slots.keys()


def test_a_large_crowd_of_items_goes_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 64 a sixteenth is 4; where 3 are the most that may go at once, 3 do."""
    monkeypatch.setattr("tables.fold.MAX_EVICTED", 3)
    state = folded([record(n, "u1", f"i{n}") for n in range(65)], FoldSettings(max_items=64))

    assert (len(state.items), state.metrics.counts["items_evicted"]) == (62, 3)


def test_items_are_evicted_a_sixteenth_at_once() -> None:
    """Two of 32 make room; rows forget them; one that has events again is not among them."""
    bounds = FoldSettings(max_items=32, cooccurrence=CooccurrenceSettings(n_history=40))
    log = [record(n, "u1", f"i{n}") for n in range(32)]
    state = folded([*log, record(32, "u2", "i0")], bounds)
    state.cut(-1)
    state.fold(*record(33, "u3", "new"))

    assert len(state.items) == 31
    assert not {"i1", "i2"} & state.items.slots.keys()
    assert all(not {"i1", "i2"} & pairs(state, item_id).keys() for item_id in state.items.slots)
    assert state.metrics.counts["items_evicted"] == 2
    cut = keys(state.cut(-1).items)
    assert {item_id for item_id, lives in cut.items() if not lives} == {"i1", "i2"}
    assert set(cut) == {"i1", "i2", *state.items.slots}, "every row had named them"


def test_a_damaged_user_is_no_dead_letter() -> None:
    """Stored bytes that cannot be read stop the fold with an error of their own: the event is not to blame."""
    state = PartitionState(0, 1, FoldSettings())
    state.apply_user(b"u1", UserState().encode()[:-1])
    state.finish_load()

    with pytest.raises(StateError):
        state.fold(*record(0, "u1", "a"))
    assert state.metrics.total("dead_letters.") == 0


@given(st.lists(st.tuples(st.sampled_from("abcd"), TIMES, TIMES), max_size=12))
def test_no_time_stops_the_fold(stamps: list[tuple[str, int, int]]) -> None:
    """Whatever times events and records bear, an event counts under its own type or is a dead letter."""
    records = [
        Record(offset, min(record_ms, 2**63 - 1), user.encode(), record(offset, user, "i", at_ms=event_ms).value)
        for offset, (user, event_ms, record_ms) in enumerate(stamps)
    ]
    state = PartitionState(0, 1, FoldSettings(max_idle_ms=2**62))

    said = Counter(type(each) for each in fold_all(state, records))

    assert set(said) <= {str, InvalidEvent}
    cut = state.cut(-1)
    assert len(records) == said[InvalidEvent] + state.metrics.counts.get("events", 0)
    if "i" in state.items.slots:
        slot, names = state.items.slots["i"], dict(enumerate(DEFAULT_TYPES))
        features = dict(state.items.windows_of(slot).features(names, state.clock.now_ms))
        assert {name for name, n in features.items() if n} <= {f"view_{window}" for window in WINDOW_NAMES}
        assert features["view_all"] == said[str]
        assert dict(cut.items)[b"i"] is not None


def test_what_is_stepped_over_is_state() -> None:
    """A batch that cannot be decoded is passed over and counted: digests tell, after a load as well."""
    log = [record(offset, "u1", f"i{offset}") for offset in (0, 1, 2, 13, 14)]
    state, other = folded(log[:3]), folded(log)
    state.step_over(3, 13)
    assert state.next_offset == 13 and state.fold(*record(12, "u1", "late")) is None
    fold_all(state, log[3:])

    assert state.metrics.counts == {"events": 5, "undecodable.batches": 1, "undecodable.offsets": 10}
    assert everything(state)["users"] == everything(other)["users"]
    assert digests([state])["all"] != digests([other])["all"]
    topics = Topics()
    topics.save(state.cut(-1))
    entries = [(topic, key, value) for (topic, key), value in topics.latest.items()]
    assert digests([topics.load(PartitionState(0, 1, FoldSettings()), entries)]) == digests([state])
