"""The bytes of a list are a public contract, the first 50 of them most of all."""

import json
from typing import Any

import orjson
import pytest

from models.errors import StateError, UnknownVersion
from tables.list_encoding import encode_list
from tables.list_json import REVISION_END, VERSION_END, VERSION_START, ListItem, decode_list, version_of
from tests.lists import VERSIONS

LIST_ID = "fff3d1bfdf8b8498"  # as recorded of `encoded()`
ITEMS = (ListItem("i1", 0.123456789, "cooccurrence", ("i7", "i9")), ListItem('ü "2"', -3.0, "trending", ()))


def encoded(**changes: Any) -> bytes:
    """A list with everything at an ordinary value but for `changes`."""
    values: dict[str, Any] = {
        "epoch": 1,
        "offset": 42,
        "user_id": "u1",
        "namespace": "",
        "generated_at_ms": 1_700_000_000_123,
        "source": ("user_events", 3, 42),
        "model": "blend",
        "variant": "control",
        "items": ITEMS,
    }
    return encode_list(**(values | changes))


def test_every_field_of_the_contract() -> None:
    """The JSON has exactly the contract's fields, in its order, with scores to 6 significant digits."""
    value = json.loads(encoded())

    list_id = value.pop("list_id")
    assert len(list_id) == 16
    assert value == {
        "v": 1,
        "version": "000001-0000000000000042",
        "user_id": "u1",
        "generated_at_ms": 1_700_000_000_123,
        "source": {"topic": "user_events", "partition": 3, "offset": 42},
        "model": "blend",
        "variant": "control",
        "n_own": 1,
        "items": [
            {"id": "i1", "score": 0.123457, "source": "cooccurrence", "because": ["i7", "i9"]},
            {"id": 'ü "2"', "score": -3.0, "source": "trending", "because": []},
        ],
    }


def test_version_stands_at_fixed_bytes() -> None:
    """Bytes 18 to 41 are the version, whatever else the list holds: the fence reads them there."""
    payload = encoded(epoch=7, offset=2**53 + 1, user_id=None, items=())

    assert (VERSION_START, VERSION_END) == (18, 41)
    assert payload.startswith(b'{"v":1,"version":"000007-9007199254740993",')
    assert payload[VERSION_START:VERSION_END] == version_of(payload) == b"000007-9007199254740993"


def test_a_revision_follows_the_version() -> None:
    """Bytes 41 to 50 are the revision where there is one; at 0 there is none, and all bytes are as without it."""
    payload = encoded(revision=7)

    assert REVISION_END == 50
    assert payload.startswith(b'{"v":1,"version":"000001-0000000000000042-00000007",')
    assert payload[VERSION_START:REVISION_END] == version_of(payload) == b"000001-0000000000000042-00000007"
    assert encoded(revision=0) == encoded()


def test_versions_of_the_conformance_file_ascend() -> None:
    """Each is read and written as it stands, and is greater than those before, as text and as bytes."""
    payloads = [
        encode_list(
            epoch=int(text[:6]), offset=int(text[7:23]), revision=int(text[24:] or 0), user_id="u", namespace="",
            generated_at_ms=1, source=("user_events", 0, 0), model="m", variant="v", items=(),
        )
        for text in VERSIONS
    ]  # fmt: skip

    assert [decode_list(payload).version for payload in payloads] == VERSIONS
    assert [version_of(payload).decode() for payload in payloads] == VERSIONS == sorted(set(VERSIONS))


def test_versions_order_by_epoch_then_offset() -> None:
    """As bytes, a greater epoch beats any offset, and offsets order as numbers, above 2^53 as well."""
    order = [(0, 9), (0, 10), (0, 2**53), (0, 2**53 + 1), (0, 10**16 - 1), (1, 0), (999_999, 0)]
    versions = [version_of(encoded(epoch=epoch, offset=offset)) for epoch, offset in order]

    assert versions == sorted(set(versions))


@pytest.mark.parametrize("user_id", ["u1", None, "日本 'x' \\ {y}"])
def test_round_trip(user_id: str | None) -> None:
    """Decoding gives what was encoded, scores rounded."""
    found = decode_list(encoded(user_id=user_id))

    assert (found.epoch, found.offset, found.version) == (1, 42, "000001-0000000000000042")
    assert found.user_id == user_id
    assert found.source == ("user_events", 3, 42)
    assert (found.model, found.variant, found.generated_at_ms) == ("blend", "control", 1_700_000_000_123)
    assert found.items == (ITEMS[0]._replace(score=0.123457), ITEMS[1])


def test_default_list_has_null_for_its_user() -> None:
    """A list for all has the same shape, and null where a user's id would stand."""
    assert json.loads(encoded(user_id=None))["user_id"] is None


def test_list_id_tells_lists_apart() -> None:
    """Namespace, user, version and segment each give another id; the content alone does not."""
    lists = [
        encoded(),
        encoded(namespace="n"),
        encoded(user_id="u2"),
        encoded(offset=43),
        encoded(epoch=2),
        encoded(revision=1),
        encoded(revision=2),
        encoded(user_id=None),
        encoded(user_id=None, segment="s1"),
        encoded(user_id=""),
    ]
    ids = [decode_list(payload).list_id for payload in lists]

    assert len(set(ids)) == len(ids)
    assert decode_list(encoded(items=(), model="other")).list_id == ids[0]


def test_list_id_without_a_revision_is_what_it_was() -> None:
    """Ids of lists that were recorded before there were revisions are made again."""
    assert decode_list(encoded()).list_id == LIST_ID


@pytest.mark.parametrize(
    ("epoch", "offset", "revision"),
    [(-1, 0, 0), (10**6, 0, 0), (0, -1, 0), (0, 10**16, 0), (0, 0, -1), (0, 0, 10**8)],
)
def test_version_that_does_not_fit_is_refused(epoch: int, offset: int, revision: int) -> None:
    """A number too wide would shift the version's bytes, so it is an error and not a list."""
    with pytest.raises(StateError, match="version cannot hold"):
        encoded(epoch=epoch, offset=offset, revision=revision)


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -float("inf")])
def test_score_that_is_no_number_is_refused(score: float) -> None:
    """JSON would turn it into null; the error names the item and the score instead."""
    with pytest.raises(StateError, match="'bad' has score"):
        encoded(items=[ITEMS[0], ListItem("bad", score, "blend", ())])


def test_unknown_format_is_named() -> None:
    """A list of another format is an error that says which, and what to do."""
    with pytest.raises(UnknownVersion, match=r'"v": 2.*reads 1'):
        decode_list(encoded().replace(b'"v":1', b'"v":2', 1))


def test_unknown_fields_are_ignored() -> None:
    """Fields added later, such as a propensity, do not disturb this reader."""
    value = json.loads(encoded())
    value["items"][0]["propensity"] = 0.5
    value["later"] = True

    assert decode_list(json.dumps(value).encode()) == decode_list(encoded())


@pytest.mark.parametrize(("reasons", "n"), [([], 0), ([(), ()], 0), ([(), ("a",), (), ("a", "b")], 2)])
def test_n_own_counts_the_items_that_the_users_own_led_to(reasons: list[tuple[str, ...]], n: int) -> None:
    """Wherever they stand and whoever proposed them: those with a reason."""
    items = [ListItem(f"i{place}", 1.0, "popularity", because) for place, because in enumerate(reasons)]

    assert decode_list(encoded(items=items)).n_own == n


def test_n_own_comes_after_the_head_and_may_be_missing() -> None:
    """It stands between the fields that were there before and the items; a list that does not say it gives None."""
    value = json.loads(encoded())
    older = {name: each for name, each in value.items() if name != "n_own"}

    assert list(value)[-3:] == ["variant", "n_own", "items"]
    assert decode_list(encoded()).n_own == value["n_own"] == 1
    assert decode_list(json.dumps(older).encode()).n_own is None


def test_fields_stand_in_the_items_that_have_some() -> None:
    """Each item gets what is given for it as its last field; with none the bytes are as without the setting."""
    fields = {
        "i1": orjson.Fragment(b'{"title":"Lamp","attributes.price":59.9}'),
        "i3": orjson.Fragment(b'{"title":"?"}'),
    }
    payload = encoded(fields=fields)

    items = json.loads(payload)["items"]
    assert items[0].pop("fields") == {"title": "Lamp", "attributes.price": 59.9}
    assert items == json.loads(encoded())["items"]
    assert list(json.loads(payload)["items"][0])[-1] == "fields"
    assert decode_list(payload).fields == {"i1": {"title": "Lamp", "attributes.price": 59.9}}
    assert (encoded(fields={}), decode_list(encoded()).fields) == (encoded(), {})


@pytest.mark.parametrize("payload", [b"", b"null", b"[]", b"{", b"7", b'{"v":1}', b'{"v":1,"version":"x"}', b"\xff"])
def test_what_is_no_list_is_a_clear_error(payload: bytes) -> None:
    """Foreign bytes under a list's key are named, not passed on as a crash of the parser."""
    with pytest.raises(StateError, match="No recommendation list"):
        decode_list(payload)


@pytest.mark.parametrize("payload", [b"", b'{"version":"000001-0000000000000042","v":1}', b'{"v": 1, "version": "x"}'])
def test_version_is_not_looked_for_elsewhere(payload: bytes) -> None:
    """Bytes without a version at its place are refused before they reach the fence."""
    with pytest.raises(StateError, match="Build lists with encode_list"):
        version_of(payload)
