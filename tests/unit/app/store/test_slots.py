"""Which node holds which keys."""

import pytest

from app.doctor.redis_cluster import check_slots
from app.store import functions
from app.store.slots import key_of, slot_of, slots_of, tag_in

REPLY = [
    [0, 8000, [b"10.0.0.1", 7000, b"id1", []], [b"10.0.0.4", 7003, b"id4", []]],
    [8001, 9000, [b"", 7001, b"id2", []]],
    [9001, 16382, [None, 7001, b"id2", []]],
]


def test_shape_is_read_from_what_a_node_answers() -> None:
    """Ranges, replicas, nodes that do not know their own name, and a slot that nobody holds."""
    slots = slots_of(REPLY, ("seed", 1))

    assert slots.first_slots == {("10.0.0.1", 7000): 0, ("seed", 7001): 8001}
    assert slots.replicas == {("10.0.0.1", 7000): (("10.0.0.4", 7003),), ("seed", 7001): ()}
    assert slots.primary_of[8000] == ("10.0.0.1", 7000)
    assert slots.primary_of[8001] == slots.primary_of[16382] == ("seed", 7001)
    assert slots.n_uncovered == 1


def test_slots_are_those_of_the_specification() -> None:
    """CRC16 of the key, or of what stands in its first braces, modulo 16384 (values of the cluster's documentation)."""
    assert slot_of("123456789") == 0x31C3 % 16384
    assert slot_of("foo{hash_tag}") == slot_of("hash_tag") == 2515
    assert slot_of("recs:user:{}") != slot_of("")


@pytest.mark.parametrize("slot", [0, 1, 5461, 10922, 16383])
def test_a_tag_for_every_slot(slot: int) -> None:
    """In braces it takes any key to that slot, so each node can have a mark of its own."""
    assert slot_of(f"shop:freshet:sentinel:{{{tag_in(slot)}}}") == slot


def test_the_key_of_a_command() -> None:
    """The one that decides where it goes; a call of several keys is a mistake here."""
    one = functions.publish_lists([("recs:user:u", b"x" * 60)], 60)
    two = functions.publish_lists([("recs:user:u", b"x" * 60), ("recs:user:v", b"x" * 60)], 60)

    assert key_of(one) == "recs:user:u"
    assert key_of(("HGET", b"item_features:i", "title")) == b"item_features:i"
    with pytest.raises(ValueError, match="has 2 keys: on a cluster a call takes one"):
        key_of(two)


@pytest.mark.parametrize(
    ("coverage", "said"),
    [
        ("no", "its users' lists wait; the others' go on"),
        ("yes", "no list is written anywhere"),
        ("", "this user may not ask"),
    ],
)
def test_doctor_tells_what_a_failure_would_stop(coverage: str, said: str) -> None:
    """Slots of nobody are wrong; primaries without a replica are noted with what their failure stops."""
    shape, uncovered, bare = check_slots(slots_of(REPLY, ("seed", 1)), coverage)

    assert shape.found == "2 primaries, 1 of them with replicas"
    assert (uncovered.status, uncovered.found) == ("wrong", "1 of 16384 slots belong to no node")
    assert bare.status == "note"
    assert "without a replica: seed:7001" in bare.found
    assert said in f"{bare.found} {bare.advice}"
