"""Only changed fields of a hash go out, and the memory of what went out is bounded."""

import pytest

from app.store.functions import HashChange, replace_sorted_sets, write_hashes
from app.store.hashes import WrittenHashes
from models.errors import StateError


def test_first_write_is_whole() -> None:
    """Nothing is known about the hash, so all of it is sent and no stamp is expected."""
    fields = {"clicks": 1, "updated_at_ms": 10}

    assert WrittenHashes(8).change("h", fields) == HashChange("h", "", fields, ())


def test_later_write_holds_what_changed() -> None:
    """Changed and new fields are set, vanished ones removed, equal ones left out; the old stamp is expected."""
    hashes = WrittenHashes(8)
    hashes.wrote("h", {"same": 1, "changed": 1, "gone": 1, "updated_at_ms": 10})

    change = hashes.change("h", {"same": 1, "changed": 2, "new": 3, "updated_at_ms": 11})

    assert change == HashChange("h", "10", {"changed": 2, "new": 3, "updated_at_ms": 11}, ["gone"])


def test_memory_is_a_copy() -> None:
    """A caller who goes on changing its own dict does not change what was written."""
    hashes = WrittenHashes(8)
    fields = {"clicks": 1, "updated_at_ms": 10}
    hashes.wrote("h", fields)
    fields["clicks"] = 2

    assert hashes.change("h", fields).changed == {"clicks": 2}


def test_memory_is_bounded_and_drops_the_least_recently_written() -> None:
    """Beyond its bound the memory forgets the hash that was not written for longest."""
    hashes = WrittenHashes(2)
    for key in ("a", "b", "a", "c"):
        hashes.wrote(key, {"updated_at_ms": 10})

    assert len(hashes) == 2
    assert [hashes.change(key, {"updated_at_ms": 11}).expected for key in "abc"] == ["10", "", "10"]


def test_forgetting() -> None:
    """After a failed write that hash is sent whole, after an emptied server all of them."""
    hashes = WrittenHashes(8)
    for key in ("a", "b", "c"):
        hashes.wrote(key, {"updated_at_ms": 10})
    hashes.forget(["a", "unknown"])
    assert [hashes.change(key, {"updated_at_ms": 11}).expected for key in "abc"] == ["", "10", "10"]

    hashes.forget_all()
    assert len(hashes) == 0


def test_hash_without_stamp_is_refused() -> None:
    """The stamp tells versions of a hash apart; without it the change could build on the wrong one."""
    with pytest.raises(StateError, match="'h' has no field 'updated_at_ms'"):
        WrittenHashes(8).change("h", {"clicks": 1})


def test_arguments_of_a_hash_change() -> None:
    """Per key: expected stamp, two counts, the pairs to set, the fields to remove."""
    change = HashChange("h", "10", {"a": 1, "b": "x"}, ["c"])

    assert write_hashes([change], 60)[2:] == (1, "h", 60, "10", 2, 1, "a", 1, "b", "x", "c")


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_sorted_set_with_a_score_that_is_no_number(score: float) -> None:
    """It is refused before anything is sent, because the server would stop in the middle of a set."""
    with pytest.raises(StateError, match="Member 'i2' of 'k' has score"):
        replace_sorted_sets([("k", {"i1": 1.0, "i2": score})], 60)
