"""The catalogue's fields inside lists."""

from typing import Any

import orjson
import pytest

from tables.catalogue import ENTRY_FIELDS, parse_entry
from tables.list_fields import LISTABLE, MAX_FIELD_BYTES, checked_names, listed

ENTRY = {
    "title": 'Läufer "rot"',
    "description": "",
    "categories": ["home", "light"],
    "tags": [],
    "attributes": {"price": 59.9, "n": 2**63, "new": False, "brand": "Lumo", "sizes": [1], "maker": {"a": 1}},
    "available_from": 1_700_000_000_000,
}


def shown(entry: dict[str, Any], *names: str) -> Any:
    """The fields of an entry, as a reader of the list gets them."""
    found = listed(parse_entry(orjson.dumps(entry)), names)
    return found if found is None else orjson.loads(orjson.dumps(found))


def test_values_are_those_of_the_entry() -> None:
    """Text, numbers, truth and arrays of text keep value and type, in the order of the setting."""
    names = (*LISTABLE, *(f"attributes.{name}" for name in ("price", "n", "new", "brand")))

    found = shown(ENTRY, *names)

    assert list(found.items()) == [
        ("title", 'Läufer "rot"'), ("description", ""), ("categories", ["home", "light"]), ("tags", []),
        ("available_from", 1_700_000_000_000), ("attributes.price", 59.9), ("attributes.n", 2**63),
        ("attributes.new", False), ("attributes.brand", "Lumo"),
    ]  # fmt: skip
    assert found["attributes.new"] is False


@pytest.mark.parametrize("name", ["attributes.sizes", "attributes.maker", "attributes.none", "available_until"])
def test_what_is_not_there_or_is_nested_is_left_out(name: str) -> None:
    """An array or an object within the attributes is none of the fields; an entry without any gives nothing."""
    assert shown(ENTRY, name, "title") == {"title": ENTRY["title"]}
    assert shown(ENTRY, name) is None
    assert shown({"tags": ["x"]}, "title", "attributes.price") is None


def test_a_long_value_is_left_out() -> None:
    """Up to the bound as JSON, with its quotes, a value stands; one byte more does not, and harms no other field."""
    fits = "ü" * ((MAX_FIELD_BYTES - 2) // 2)

    assert shown({"title": fits}, "title") == {"title": fits}
    assert shown({"title": f"{fits}x", "description": "d"}, "title", "description") == {"description": "d"}


def test_every_field_of_the_catalogue_has_its_place() -> None:
    """A field that is new in the catalogue is listable, or refused on purpose."""
    assert {*LISTABLE, "attributes", "hidden"} == ENTRY_FIELDS.keys()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["titel"], r"'titel' is no field of the catalogue.*title, description, .*attributes\.NAME"),
        (["id"], "'id' is no field of the catalogue"),
        (["score"], "'score' is no field of the catalogue"),
        (["attributes"], "'attributes' is no field of the catalogue"),
        (["attributes."], "'attributes.' is no field of the catalogue"),
        (["hidden"], "hidden is the same for all"),
        (["title", "tags", "title"], "'title' stands there twice"),
        ([f"attributes.a{n}" for n in range(9)], "9 fields are too many.*at most 8"),
    ],
)
def test_names_that_cannot_be_used(names: list[str], said: str) -> None:
    """Each is told with what is allowed or what to do."""
    with pytest.raises(ValueError, match=said):
        checked_names(tuple(names))


def test_eight_fields_are_taken() -> None:
    """The bound itself is allowed."""
    names = tuple(f"attributes.a{n}" for n in range(8))
    assert checked_names(names) == names
