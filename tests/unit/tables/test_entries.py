"""Catalogue entries and profiles, as the workers read them."""

from typing import Any

import orjson
import pytest

from models.errors import InvalidEvent
from tables.catalogue import ENTRY_FIELDS, parse_entry
from tables.entry_fields import MAX_ENTRY_BYTES, WANTED, entry_key
from tables.profiles import PROFILE_FIELDS, Profile, parse_profile


def test_an_entry_becomes_the_fields_of_its_item() -> None:
    """Texts stay, lists and attributes are JSON; null is absent, unknown fields are ignored."""
    entry = parse_entry(
        '{"title": "Lämp", "tags": ["a", "b"], "categories": null, "attributes": {"w": 60}, "stock": 3}'.encode()
    )
    assert entry.fields == {"title": "Lämp", "tags": '["a","b"]', "attributes": '{"w":60}'}
    assert (entry.categories, entry.is_always_offered) == ((), True)


def test_an_item_is_offered_from_until_unless_hidden() -> None:
    """The first instant counts, the last does not; a hidden item never is."""
    entry = parse_entry(b'{"available_from": 5, "available_until": 9}')
    assert [entry.is_offered(now_ms) for now_ms in (4, 5, 8, 9)] == [False, True, True, False]
    assert not parse_entry(b'{"hidden": true, "available_from": 5}').is_offered(7)


@pytest.mark.parametrize("name", ENTRY_FIELDS)
def test_a_field_of_an_entry_has_its_kind_or_the_entry_is_refused(name: str) -> None:
    """Nothing is taken for something else in silence: the message names field, value and what to send."""
    with pytest.raises(InvalidEvent, match=WANTED[ENTRY_FIELDS[name]]) as caught:
        parse_entry(orjson.dumps({name: 1.5}))
    assert (caught.value.reason, f"{name} has value 1.5" in caught.value.message) == ("bad_type", True)


@pytest.mark.parametrize("name", PROFILE_FIELDS)
def test_a_field_of_a_profile_has_its_kind_or_the_profile_is_refused(name: str) -> None:
    """As with entries."""
    with pytest.raises(InvalidEvent, match=WANTED[PROFILE_FIELDS[name]]):
        parse_profile(orjson.dumps({name: [True]}))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "not_json"),
        (b"\xff", "not_json"),
        (b"[]", "not_object"),
        (b'{"hidden": "true"}', "bad_type"),
        (b'{"hidden": 1}', "bad_type"),
        (b'{"title": 1984}', "bad_type"),
        (b'{"tags": "a"}', "bad_type"),
        (b'{"tags": [null]}', "bad_type"),
        (b'{"available_from": true}', "bad_type"),
        (b'{"available_until": 1700000000}', "out_of_range"),
        (b'{"attributes": {"a": ' + b"[" * 300 + b"]" * 300 + b"}}", "bad_type"),
        (b'{"title": "' + b"x" * MAX_ENTRY_BYTES + b'"}', "too_large"),
    ],
    ids=lambda given: given[:40].decode("latin-1") if isinstance(given, bytes) else given,
)
def test_what_is_no_entry_is_refused_with_its_reason(value: bytes, reason: str) -> None:
    """For any bytes whatever the parser gives an entry or `InvalidEvent`."""
    with pytest.raises(InvalidEvent) as caught:
        parse_entry(value)
    assert caught.value.reason == reason


def test_a_profile() -> None:
    """All of it, and nothing of it."""
    given: dict[str, Any] = {
        "age": 31,
        "gender": "f",
        "location": "Graz",
        "preferences": {"genres": ["a"]},
        "attributes": {"vip": True},
    }
    assert parse_profile(orjson.dumps(given)) == Profile(**given)
    assert parse_profile(b"{}") == Profile()


@pytest.mark.parametrize("age", [-1, 151, 1990])
def test_an_age_is_in_years(age: int) -> None:
    """A year of birth is no age."""
    with pytest.raises(InvalidEvent, match="0 to 150"):
        parse_profile(orjson.dumps({"age": age}))


@pytest.mark.parametrize(
    ("key", "reason"),
    [(None, "out_of_range"), (b"", "out_of_range"), (b"x" * 257, "out_of_range"), (b"\xff", "wrong_key"),
     (b"i{1}", "out_of_range"), (b"a\nb", "out_of_range")],
)  # fmt: skip
def test_a_key_is_an_id_as_events_have_it(key: bytes | None, reason: str) -> None:
    """Else the item could never be named by an event."""
    with pytest.raises(InvalidEvent) as caught:
        entry_key("item_id", key)
    assert caught.value.reason == reason
    assert entry_key("item_id", "ü".encode() * 128) == "ü" * 128
