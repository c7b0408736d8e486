"""Where the intake stands: bytes that are stored."""

import pytest

from models.errors import StateError, UnknownVersion
from tables.intake import Place, place_key
from tables.names import Names


def test_a_place_comes_back_as_it_was() -> None:
    """What is stored is what is read."""
    for place in (Place(0, 0, is_live=False), Place(2**53, 7, is_live=True)):
        assert Place.decode(place.encode()) == place


@pytest.mark.parametrize("stored", [b"", b"[]", b"{}", b'{"v":1,"position":1}'])
def test_a_damaged_place_is_refused(stored: bytes) -> None:
    """No place is guessed."""
    with pytest.raises(StateError, match="damaged"):
        Place.decode(stored)


def test_a_newer_place_is_refused() -> None:
    """It says which version is there."""
    with pytest.raises(UnknownVersion, match="version 2"):
        Place.decode(b'{"v":2}')


def test_names_of_inputs_differ() -> None:
    """No two inputs share a key or a transactional id; the prefix holds."""
    names = Names("shop")

    assert len({place_key("a", 11), place_key("a", 1), place_key("a/1", 1)}) == 3
    assert names.intake_id("clicks", 3) == "shop.freshet-intake-clicks-3"
    assert [spec.name for spec in names.intake_topics()] == ["shop.freshet.intake", "shop.freshet.redriven"]
