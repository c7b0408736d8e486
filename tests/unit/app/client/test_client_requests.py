"""The reader's rules, without a server."""

import pytest

from app.client import requests
from models.errors import SettingsError
from tables.keys import Keys
from tables.list_encoding import encode_list


def some_list(user_id: str | None) -> bytes:
    """A list that names its user."""
    source = ("t", 0, 1)
    return encode_list(
        epoch=0,
        offset=1,
        user_id=user_id,
        namespace="",
        generated_at_ms=1,
        source=source,
        model="m",
        variant="v",
        items=(),
    )


def test_rungs_in_one_pipeline() -> None:
    """The ladder asks for user, segment and default, in this order; without a segment for two."""
    keys = Keys("n")

    assert [key for _, key in requests.recs(keys, "u", "s").commands] == [
        b"n:recs:user:u",
        b"n:recs:segment:s",
        b"n:recs:default",
    ]
    assert len(requests.recs(keys, "u", None).commands) == 2


def test_first_rung_that_exists_is_taken() -> None:
    """A missing list is skipped; lower rungs are not even parsed."""
    answer = requests.recs(Keys(), "u", "s").answer

    found = answer([None, some_list("from the segment"), b"never parsed"])

    assert found is not None
    assert found.user_id == "from the segment"
    assert answer([None, None, None]) is None


def test_best_orders_ties_by_id() -> None:
    """Greater scores come first, equal ones by id, and k cuts after that."""
    request = requests.best("key", 3)

    assert request.answer([[b"d", b"1", b"c", b"2", b"b", b"2", b"a", b"1"]]) == [("b", 2.0), ("c", 2.0), ("a", 1.0)]


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_one_is_refused(k: int) -> None:
    """Asking for nothing is a mistake of the caller, and the message says so."""
    with pytest.raises(SettingsError, match=f"k is {k}"):
        requests.best("key", k)


def test_titles_leave_out_what_has_none() -> None:
    """One HGET per item; an item without title does not appear."""
    request = requests.titles(Keys(), ["a", "b"])

    assert request.commands == [
        ("HGET", b"item_features:a", "title"),
        ("HGET", b"item_features:b", "title"),
    ]
    assert request.answer([None, "Ü".encode()]) == {"b": "Ü"}
