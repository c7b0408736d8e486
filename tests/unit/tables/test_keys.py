"""Key names are a public contract: these strings change only with a version."""

import pytest

from models.errors import SettingsError
from tables.keys import Keys


def test_key_names_without_namespace() -> None:
    """Every key is spelled as the contract says."""
    keys = Keys()

    assert keys.user_list("u1") == "recs:user:u1"
    assert keys.segment_list("f-25-34") == "recs:segment:f-25-34"
    assert keys.default_list() == "recs:default"
    assert keys.item_similarity("i1") == "item_similarity:i1"
    assert keys.trending("1h") == "trending:1h"
    assert keys.trending("7d", "books") == "trending:7d:books"
    assert keys.user_features("u1") == "user_features:u1"
    assert keys.item_features("i1") == "item_features:i1"
    assert keys.sentinel() == "freshet:sentinel"
    assert keys.doctor_probe() == "freshet:sentinel:doctor"


def test_namespace_prefixes_every_key() -> None:
    """With a namespace each key is `<namespace>:` and the plain key, and none is missed."""
    plain, spaced = Keys(), Keys("shop-a")
    arguments = {"user_list": "u", "segment_list": "s", "default_list": None, "item_similarity": "i", "trending": "1d"}
    arguments |= {"user_features": "u", "item_features": "i", "sentinel": None, "doctor_probe": None}
    others = {"namespace", "prefix", "own_prefix", "read_patterns", "written_patterns"}

    assert set(arguments) == {name for name in dir(Keys) if not name.startswith("_")} - others
    assert spaced.written_patterns() == tuple(f"shop-a:{pattern}" for pattern in plain.written_patterns())
    for name, argument in arguments.items():
        given = () if argument is None else (argument,)
        assert getattr(spaced, name)(*given) == "shop-a:" + getattr(plain, name)(*given)


@pytest.mark.parametrize("item_id", ["with space", "a:b:c", "ünïcödé-日本", '"quoted"', "x" * 256, "{brace}", "%41"])
def test_ids_stand_as_they_are(item_id: str) -> None:
    """An id is neither escaped nor shortened, and ends the key."""
    assert Keys("n").item_similarity(item_id) == f"n:item_similarity:{item_id}"


@pytest.mark.parametrize("namespace", ["a:b", "{slot}", "a b", "ü", "x" * 65, "a\n"])
def test_bad_namespace_is_refused(namespace: str) -> None:
    """Braces, colons, spaces and controls cannot enter a prefix; the message holds the value and an example."""
    with pytest.raises(SettingsError, match="shop-a") as caught:
        Keys(namespace)
    assert repr(namespace) in str(caught.value)


def test_unknown_window_is_refused() -> None:
    """A window that nobody publishes is an error that names those published, not an empty answer."""
    with pytest.raises(SettingsError, match=r"'2h'.*1h, 1d, 7d"):
        Keys().trending("2h")


def test_prefix_stands_before_the_namespace() -> None:
    """What a server lets an application have begins every key, as it is."""
    assert Keys("shop-a", "team:").user_list("u1") == "team:shop-a:recs:user:u1"
    assert Keys(prefix="team:").default_list() == "team:recs:default"
