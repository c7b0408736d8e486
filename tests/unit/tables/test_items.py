"""Item shares: slots, their reuse, stored values, and what a load makes of them."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.cooccurrence import CooccurrenceSettings
from models.errors import UnknownVersion
from models.ids import hash64
from models.windows import WINDOWS
from tables.items import ItemShares
from tests.learning import met, pair, trend
from tests.logs import START_MS
from tests.window_counts import count

IDS = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="{}"), min_size=1, max_size=64) | (
    st.sampled_from(("ü" * 128, "語" * 85 + "x", "x" * 256))
)


def shares_of(*item_ids: str, n_keep: int = 10) -> ItemShares:
    """Items in slots 0, 1 ..., each seen at its own offset, each paired with the one before."""
    shares = ItemShares(CooccurrenceSettings(n_keep=n_keep))
    for offset, item_id in enumerate(item_ids):
        slot = met(shares, item_id)
        shares.last_offset[slot], shares.last_ms[slot] = offset, START_MS + offset
        shares.n_events[slot] += 1
        shares.set_weight(slot, 1.0)
        windows = shares.windows_of(slot)
        count(windows, 1, START_MS, START_MS)
        shares.set_windows(slot, windows)
        trend(shares.trending, slot, 1.0, START_MS)
        others = np.array([slot - 1] if slot else [], np.int32)
        pair(shares.pairs, slot, others, np.ones(len(others)))
    return shares


def take_touched(shares: ItemShares) -> list[int]:
    """As a reader does."""
    slots = np.flatnonzero(shares.touched)
    shares.touched[slots] = False
    return slots.tolist()


def only(item_id: str) -> ItemShares:
    """Shares that have just met one item."""
    shares = ItemShares()
    met(shares, item_id)
    return shares


def copied(shares: ItemShares, into: ItemShares | None = None) -> ItemShares:
    """All values applied to other shares."""
    target = into if into is not None else ItemShares(shares.settings)
    for item_id, slot in shares.slots.items():
        target.apply(item_id, shares.encode(slot))
    target.finish_load()
    return target


@given(item_ids=st.lists(IDS, max_size=12, unique=True), order=st.randoms(use_true_random=False))
def test_round_trip(item_ids: list[str], order: random.Random) -> None:
    """Values applied in any order give the same shares, byte for byte."""
    shares = shares_of(*item_ids)
    values = [(item_id, shares.encode(slot)) for item_id, slot in shares.slots.items()]
    order.shuffle(values)
    loaded = ItemShares()
    for item_id, value in values:
        loaded.apply(item_id, value)
    loaded.finish_load()

    assert loaded.slots == shares.slots
    assert loaded.hashes[: len(item_ids)].tolist() == [hash64(item_id) for item_id in item_ids]
    assert (loaded.keys == shares.keys).all()
    assert (loaded.known_norm == shares.known_norm).all() and (loaded.candidate_norm == shares.candidate_norm).all()
    assert [loaded.encode(slot) for slot in range(len(item_ids))] == [
        shares.encode(slot) for slot in range(len(item_ids))
    ]
    assert [loaded.canonical(slot) for slot in range(len(item_ids))] == [
        shares.canonical(slot) for slot in range(len(item_ids))
    ]


def test_an_untouched_item_is_encoded_as_it_was_stored() -> None:
    """Whether its windows were asked for in between or not, the bytes are the same."""
    shares = shares_of("a", "b")
    loaded = copied(shares)
    untouched = loaded.encode(0)
    counts = loaded.windows_of(0)

    assert counts.totals == {1: 1} and len(counts.buckets) == len(WINDOWS)
    assert untouched == loaded.encode(0) == shares.encode(0)


def test_windows_are_handed_out_as_a_copy() -> None:
    """Counting in it changes no byte of the item until it is set."""
    shares = shares_of("a")
    before, counts = shares.encode(0), shares.windows_of(0)
    count(counts, 2, START_MS, START_MS)
    assert shares.encode(0) == before

    shares.set_windows(0, counts)

    assert shares.encode(0) != before
    assert shares.windows_of(0).canonical() == counts.canonical()


@pytest.mark.parametrize("version", [0, 1, 2, 3, 6, 123])
def test_an_unknown_version_is_refused(version: int) -> None:
    """The message names the item, what was found, what is known, and what to do."""
    value = bytes((version,)) + shares_of("a").encode(0)[1:]

    with pytest.raises(UnknownVersion, match=rf"item 'a'.*version {version}.*knows version 5.*freshet reset"):
        ItemShares().apply("a", value)


def test_slots_are_handed_out_from_the_lowest_free_one() -> None:
    """Freed slots come first, in order, then new ones."""
    shares = shares_of(*"abcde")
    shares.remove(["d", "b"])

    assert [met(shares, item_id) for item_id in ("x", "y", "z")] == [1, 3, 5]
    assert met(shares, "a") == 0
    assert (len(shares), shares.n_slots) == (6, 6)


def test_slots_freed_one_after_the_other_are_handed_out_in_order() -> None:
    """The order of removal does not matter: a load, which does not know it, must do the same."""
    shares = shares_of(*"abcdef")
    for item_id in "ebd":
        shares.remove([item_id])

    assert [met(shares, item_id) for item_id in "xyz"] == [1, 3, 4]


def test_a_loaded_share_hands_out_the_same_slots() -> None:
    """Also if the highest slots were free when it was saved, and are unknown to the load."""
    shares = shares_of(*"abcdefg")
    shares.remove(["b", "f", "g"])
    loaded = copied(shares)

    assert [met(loaded, item_id) for item_id in "wxyz"] == [met(shares, item_id) for item_id in "wxyz"]


def test_a_removed_item_leaves_nothing_to_its_successor() -> None:
    """The next item in the slot starts at zero, in every array, and no row mentions the slot."""
    shares = shares_of(*"abc")
    assert shares.remove(["b"]) == [0, 2]
    slot = met(shares, "new")

    assert slot == 1
    assert shares.canonical(slot) == only("new").canonical(0)
    assert [shares.pairs.row(other)[0].tolist() for other in range(3)] == [[], [], []]
    assert shares.hashes[slot] == only("new").hashes[0]


@given(
    counted=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 30)), min_size=1, max_size=60),
    removed=st.sets(st.integers(0, 59)),
    n=st.integers(1, 70),
)
def test_what_goes_first_against_plain_sorting(counted: list[tuple[int, int]], removed: set[int], n: int) -> None:
    """Who is idle longest for the binary digits of its number of events; ties by the last event, then by slot."""
    shares = shares_of(*(f"i{slot}" for slot in range(len(counted))))
    for slot, (n_events, offset) in enumerate(counted):
        shares.n_events[slot], shares.last_offset[slot] = n_events, offset
    shares.remove([f"i{slot}" for slot in removed if slot < len(counted)])
    newest = max((counted[slot][1] for slot in shares.slots.values()), default=0)

    def first(slot: int) -> tuple[float, int, int]:
        n_events, offset = counted[slot]
        return -(newest + 1 - offset) / max(1, n_events.bit_length()), offset, slot

    assert shares.expendable(n) == [f"i{slot}" for slot in sorted(shares.slots.values(), key=first)[:n]]


def test_null_takes_an_item_away() -> None:
    """A tombstone frees the slot at the end of the load; of an unknown item it says nothing new."""
    loaded = copied(shares_of(*"abc"))
    loaded.apply("b", None)
    loaded.apply("b", None)
    loaded.apply("unknown", None)
    loaded.finish_load()

    assert loaded.slots == {"a": 0, "c": 2}
    assert loaded.ids == ["a", None, "c"]
    assert met(loaded, "next") == 1


@pytest.mark.parametrize("tombstone_first", [True, False])
def test_an_item_in_the_slot_of_a_gone_one(tombstone_first: bool) -> None:
    """The tombstone of the item that had the slot before may stand before or behind its successor's value."""
    value = shares_of("x", "new").encode(1)
    loaded = copied(shares_of("x", "old"))
    for item_id, data in [("old", None), ("new", value)] if tombstone_first else [("new", value), ("old", None)]:
        loaded.apply(item_id, data)
    loaded.finish_load()

    assert loaded.slots == {"x": 0, "new": 1}
    assert loaded.ids == ["x", "new"]
    assert loaded.encode(1) == value


def test_an_item_that_moved_to_another_slot() -> None:
    """Evicted and met again: the new slot counts, the old one is empty."""
    loaded = copied(shares_of("a", "b"))
    loaded.apply("a", shares_of("x", "y", "a").encode(2))
    loaded.finish_load()

    assert loaded.slots == {"b": 1, "a": 2}
    assert loaded.ids == [None, "b", "a"]
    assert loaded.canonical(0)[0] == 0


def test_two_items_that_changed_places() -> None:
    """The history of a topic applied in order passes through every stage."""
    loaded = copied(shares_of("a", "b"))
    swapped = shares_of("b", "a")
    copied(swapped, into=loaded)

    assert loaded.slots == swapped.slots
    assert [loaded.encode(slot) for slot in (0, 1)] == [swapped.encode(slot) for slot in (0, 1)]


def test_touched_slots_are_told_once() -> None:
    """What a reader took is not told again; removal and load touch too."""
    shares = shares_of(*"abc")
    assert take_touched(shares) == [0, 1, 2]
    assert take_touched(shares) == []
    shares.remove(["b"])
    assert take_touched(shares) == [0, 1, 2]

    shares.apply("c", None)

    assert take_touched(shares) == [2]


@pytest.mark.parametrize("slot", [0, 63, 64, 65, 1_000, 100_000])
def test_any_slot_can_come_first(slot: int) -> None:
    """A topic's order is not the order of slots; arrays grow as needed."""
    one = ItemShares()
    for number in range(slot + 1 if slot <= 1_000 else 1):
        met(one, f"i{number}")
    value = bytearray(one.encode(one.slots[f"i{slot}"] if slot <= 1_000 else 0))
    value[1:5] = slot.to_bytes(4, "little")
    loaded = ItemShares()
    loaded.apply("late", bytes(value))
    loaded.finish_load()

    assert loaded.slots == {"late": slot}
    assert met(loaded, "next") == (0 if slot else 1)
