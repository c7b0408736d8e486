"""What the oracle makes of small logs, worked out by hand."""

import ast
import json
import sys
from pathlib import Path

import pytest

from app.bench import oracle as oracle_module
from app.bench.oracle import Oracle

NOW = 1_700_000_000_000
HOUR = 3_600_000


Fields = dict[str, object]


def told(*events: Fields) -> Oracle:
    """The oracle after events; what an event does not say is user u, item i, a view, at NOW."""
    oracle = Oracle()
    for event in events:
        fields = {"user_id": "u", "item_id": "i", "event_type": "view", "timestamp": NOW} | event
        oracle.add(NOW, str(fields["user_id"]).encode(), json.dumps(fields).encode())
    return oracle


def test_it_imports_nothing_but_the_standard_library() -> None:
    """Nothing of ours, and nothing that ours computes with."""
    tree = ast.parse(Path(oracle_module.__file__).read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]

    assert names
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def test_clock_is_the_third_greatest_of_the_users_last_times() -> None:
    """Three users: the lowest; a fourth one leaves the third-greatest; a user going back in time changes nothing."""
    first: list[Fields] = [{"user_id": "a", "timestamp": NOW + 500}, {"user_id": "b", "timestamp": NOW + 900}]
    clocks = [
        told(*first).clock_ms,
        told(*first, {"user_id": "c", "timestamp": NOW + 700}).clock_ms,
        told(*first, {"user_id": "c", "timestamp": NOW + 700}, {"user_id": "d", "timestamp": NOW + 800}).clock_ms,
        told(*first, {"user_id": "c", "timestamp": NOW + 700}, {"user_id": "c", "timestamp": NOW + 100}).clock_ms,
    ]

    assert [clock - NOW for clock in clocks] == [500, 500, 700, 500]


def test_an_event_lands_in_its_bucket_of_every_window() -> None:
    """One bucket per window, by event time."""
    counts = told({}).users["u"].counts

    assert counts.totals == {"view": 1}
    assert counts.alive(NOW) == {
        ("view", "1m", NOW // 5_000): 1,
        ("view", "1h", NOW // 60_000): 1,
        ("view", "1d", NOW // 1_800_000): 1,
        ("view", "7d", NOW // 10_800_000): 1,
    }


def test_late_events_count_in_totals_only() -> None:
    """On the grace an event is in time, a millisecond beyond it is late; both are learned."""
    in_time = told({}, {"timestamp": NOW - HOUR, "user_id": "v", "item_id": "j"})
    assert in_time.n_late == 0  # with two users the clock is the lower of the two, this event's own

    three: list[Fields] = [{"user_id": user_id} for user_id in "abc"]
    in_time = told(*three, {"timestamp": NOW - HOUR, "item_id": "j"})
    late = told(*three, {"timestamp": NOW - HOUR - 1, "item_id": "j"})

    assert (in_time.n_late, late.n_late) == (0, 1)
    assert {window for _, window, _ in in_time.items["j"].counts.alive(NOW)} == {"1d", "7d"}
    assert late.items["j"].counts.alive(NOW) == {}
    assert late.items["j"].counts.totals == {"view": 1}
    assert late.items["j"].weight == 1


def test_buckets_die_when_their_entry_is_touched() -> None:
    """As of max(clock, event time): the 12th bucket of 5 s back is dead, the 11th alive."""
    start = NOW // 5_000 * 5_000
    touched = [told({"timestamp": start}, {"timestamp": start + 5_000 * n}).users["u"].counts for n in (11, 12)]

    assert [sorted(counts.buckets["1m"]) for counts in touched] == [
        [start // 5_000, start // 5_000 + 11],
        [start // 5_000 + 12],
    ]


def test_duplicates_are_dropped_among_the_last_32_ids_of_the_user() -> None:
    """The same id again is dropped; after 32 others it is not known any more; another user has ids of its own."""
    others: list[Fields] = [{"event_id": f"e{n}"} for n in range(32)]

    assert told({"event_id": "x"}, *others[:31], {"event_id": "x"}).n_duplicates == 1
    assert told({"event_id": "x"}, *others, {"event_id": "x"}).n_duplicates == 0
    assert told({"event_id": "x"}, {"event_id": "x", "user_id": "v"}).users["v"].n_events == 1
    assert told({"event_id": "x"}, {"event_id": "x"}).users["u"].n_events == 1
    assert told({}, {}).users["u"].n_events == 2


def test_pairs_multiply_weights_both_ways() -> None:
    """A view weighs 1, a low rating .5, all else nothing; soon again it teaches half; no item pairs with itself."""
    oracle = told(
        {"item_id": "a"},
        {"item_id": "b", "event_type": "rating", "value": 3.5},
        {"item_id": "x", "event_type": "impression"},
        {"item_id": "c", "event_type": "dislike"},
        {"item_id": "a", "event_type": "rating", "value": 4},
        {"item_id": "x", "event_type": "skip"},
    )

    assert {pair: weight for pair, weight in oracle.pairs.items() if pair < pair[::-1]} == {
        ("a", "b"): 0.5 + 0.25,
    }
    assert all(oracle.pairs[b, a] == weight for (a, b), weight in list(oracle.pairs.items()))
    assert {item_id: item.weight for item_id, item in oracle.items.items()} == {"a": 1.5, "b": 0.5, "c": 0, "x": 0}
    assert [item_id for _, item_id, _ in oracle.users["u"].history] == ["b", "a"]
    assert [(item.n_for, item.n_against) for item in map(oracle.items.__getitem__, "abc")] == [(1, 0), (0, 0), (0, 1)]


def test_history_holds_the_last_20_different_items() -> None:
    """The 22nd item meets the 2nd to the 21st, not the 1st."""
    items: list[Fields] = [{"item_id": f"i{n}"} for n in range(22)]
    oracle = told(*items)

    assert sorted(other for item, other in oracle.pairs if item == "i21") == sorted(f"i{n}" for n in range(1, 21))
    assert [item_id for _, item_id, _ in oracle.users["u"].history] == [f"i{n}" for n in range(2, 22)]


def test_the_latest_word_counts() -> None:
    """By event time: what comes late changes neither history nor people, and teaches nothing."""
    events: list[Fields] = [{"item_id": "a"}, {"item_id": "b", "timestamp": NOW - 5}]
    late = told(*events, {"item_id": "a", "event_type": "dislike", "timestamp": NOW - 9})
    assert [item_id for _, item_id, _ in late.users["u"].history] == ["b", "a"]
    assert (late.items["a"].n_for, late.items["a"].n_against, late.items["a"].weight) == (1, 0, 1)
    latest = told(*events, {"item_id": "a", "event_type": "dislike", "timestamp": NOW + 1})
    assert [item_id for _, item_id, _ in latest.users["u"].history] == ["b"]
    assert (latest.items["a"].n_for, latest.items["a"].n_against) == (0, 1)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"u", None),
        (b"u", b"{"),
        (b"u", b"[1]"),
        (b"u", b"\xff"),
        (b"u", b"[" * 100_000),
        (b"v", b'{"user_id":"u","item_id":"i","event_type":"view","timestamp":1700000000000}'),
        (None, b'{"user_id":"u","item_id":"i","event_type":"view","timestamp":1700000000000}'),
        (b"u", b'{"user_id":"u","event_type":"view","timestamp":1700000000000}'),
        (b"u", b'{"user_id":"u","item_id":"","event_type":"view","timestamp":1700000000000}'),
        (b"u", b'{"user_id":"u","item_id":"{i}","event_type":"view","timestamp":1700000000000}'),
        (b"u", b'{"user_id":"u","item_id":"a\\nb","event_type":"view","timestamp":1700000000000}'),
        (b"u", b'{"user_id":"u","item_id":"i","event_type":"look","timestamp":1700000000000}'),
        (b"u", b'{"user_id":"u","item_id":"i","event_type":"view","timestamp":"1700000000000"}'),
        (b"u", b'{"user_id":"u","item_id":"i","event_type":"view","timestamp":true}'),
        (b"u", b'{"user_id":"u","item_id":"i","event_type":"view","timestamp":0}'),
        (b"u", b'{"user_id":"u","item_id":"i","event_type":"view","timestamp":1700000300001}'),
        (b"u", b'{"user_id":"u","item_id":"i","event_type":"rating","timestamp":1700000000000}'),
        (b"u", b'{"user_id":"u","item_id":"i","event_type":"view","timestamp":1700000000000,"value":NaN}'),
        (b"u", b'{"user_id":"u","item_id":"i","event_type":"view","timestamp":1700000000000,"value":"4"}'),
        (b"u", b'{"user_id":"u","item_id":"i","event_type":"view","timestamp":1700000000000,"context":{"a":[]}}'),
        (
            b"u",
            b'{"user_id":"u","item_id":"i","event_type":"view","timestamp":1700000000000,"event_id":"'
            + b"e" * 65
            + b'"}',
        ),
    ],
)
def test_what_is_no_event_is_a_dead_letter_and_changes_nothing(key: bytes | None, value: bytes | None) -> None:
    """It is counted, and that is all."""
    oracle = Oracle()
    oracle.add(NOW, key, value)

    assert (oracle.n_dead_letters, oracle.n_records, oracle.n_events) == (1, 1, 0)
    assert not oracle.users and not oracle.items and not oracle.pairs
