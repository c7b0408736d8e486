"""Catalogue entries and profiles, mapped by the words that events are mapped with."""

import orjson
import pytest

from app.sources import SourceEvent, SourceRecord, SourceSettings, make_source
from models.errors import InvalidEvent
from tests.sources import record, settings


def entries(given: SourceSettings, *records: SourceRecord) -> list[tuple[str, object]]:
    """Ids and entries that a source makes of records; None: deleted."""
    made: list[SourceEvent] = [entry for each in records for entry in make_source(given).read(each)]
    return [(entry.key.decode(), None if entry.value is None else orjson.loads(entry.value)) for entry in made]


def test_a_mapped_entry_has_the_fields_that_are_there() -> None:
    """`item_id` is the key, `fields` says what the entry has; what is missing is left out."""
    given = settings(
        kind="items",
        item_id="sku",
        fields={"title": "names.en", "categories": "cats[].name", "hidden": "off"},
        constants={"description": "A lamp"},
    )
    row = {"sku": 7, "names": {"en": "Lamp"}, "cats": [{"name": "Light"}, {"name": "Home"}]}
    assert entries(given, record(row)) == [
        ("7", {"title": "Lamp", "categories": ["Light", "Home"], "description": "A lamp"})
    ]


def test_without_fields_the_record_goes_on_as_it_is() -> None:
    """A catalogue that is in the plain form already needs its id alone, from the record or from its key."""
    row = {"item_id": "a", "title": "Lamp", "tags": ["x"]}
    assert entries(settings(kind="items"), record(row)) == [("a", row)]
    assert entries(settings(kind="items"), record({"title": "Lamp"}, b"b")) == [("b", {"title": "Lamp"})]
    assert entries(settings(kind="users", user_id="uid"), record({"uid": 5, "age": 40})) == [
        ("5", {"uid": 5, "age": 40})
    ]


def test_an_array_holds_an_entry_in_each_element() -> None:
    """A page of a catalogue: each element is an entry of its own, filtered by `where`."""
    given = settings(kind="items", each="products", item_id="each.id", where="each.live")
    page = {"products": [{"id": 1, "live": True}, {"id": 2, "live": False}, {"id": 3, "live": True}]}
    assert [name for name, _ in entries(given, record(page))] == ["1", "3"]
    with pytest.raises(InvalidEvent, match="element 1 of 2: item_id is missing"):
        entries(given, record({"products": [{"id": 1, "live": 1}, {"live": 1}]}))


def test_a_record_without_a_value_deletes() -> None:
    """A tombstone deletes what its key names; with key = json the key may be in quotes."""
    assert entries(settings(kind="items"), record(None, b"a")) == [("a", None)]
    assert entries(settings(kind="items", key="json"), record(None, b'"a"')) == [("a", None)]
    with pytest.raises(InvalidEvent, match="no key"):
        entries(settings(kind="items"), record(None))


def test_changes_of_a_table_insert_update_and_delete() -> None:
    """Debezium's c, u and r write the row, a snapshot among them; d deletes it by the row as it was."""
    row = {"item_id": 5, "title": "Lamp"}
    changes = [{"op": op, "before": None, "after": row, "source": {}} for op in "cur"]
    gone = {"op": "d", "before": row, "after": None, "source": {}}
    given = settings(kind="items", format="debezium")
    assert entries(given, *map(record, changes), record(gone)) == [("5", row)] * 3 + [("5", None)]
    mapped = settings(kind="items", format="debezium", item_id="after.item_id", fields={"title": "after.title"})
    assert entries(mapped, record(changes[0]), record(gone)) == [("5", {"title": "Lamp"}), ("5", None)]


@pytest.mark.parametrize(
    ("value", "reason"),
    [({"title": "x"}, "missing_field"), ({"item_id": 1.5}, "bad_type"), ({"item_id": "x" * 257}, "out_of_range")],
)
def test_an_entry_without_a_usable_id_is_refused(value: object, reason: str) -> None:
    """The id is text or an integer of 1 to 256 bytes."""
    with pytest.raises(InvalidEvent) as caught:
        entries(settings(kind="items"), record(value))
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"hidden": "perhaps"}, "send true or false"),
        ({"title": {"en": "Lamp"}}, "send a string"),
        ({"categories": "a|b"}, "send an array of strings"),
        ({"available_from": "soon"}, "its unit is not declared"),
        ({"item_id": "{x}"}, "no braces"),
        ({"item_id": True}, "a string or an integer"),
    ],
    ids=str,
)
def test_what_workers_would_refuse_is_refused_here(value: dict[str, object], said: str) -> None:
    """An entry is valid here if it is where it is read: the same parser says so."""
    with pytest.raises(InvalidEvent, match=said):
        entries(settings(kind="items"), record({"item_id": "a", **value}))


def test_values_come_into_the_form_of_their_field() -> None:
    """As tables and databases have them: flags as 0 and 1 or text, lists in one text, times in the unit declared."""
    given = settings(kind="items", list_separator="|", time="s")
    row = {"item_id": 1, "title": 1984, "hidden": 1, "categories": "a| b |", "tags": [1, "x"], "attributes": '{"w":2}'}
    times = {"available_from": 1_700_000_000, "available_until": "2024-05-01T00:00:00+02:00"}
    assert entries(given, record({**row, **times})) == [
        ("1", {"item_id": 1, "title": "1984", "hidden": True, "categories": ["a", "b"], "tags": ["1", "x"],
               "attributes": {"w": 2}, "available_from": 1_700_000_000_000, "available_until": 1_714_514_400_000}),
    ]  # fmt: skip
    ages: list[object] = [37, 37.0, "37"]
    assert entries(settings(kind="users"), *[record({"age": age}, b"u") for age in ages]) == [("u", {"age": 37})] * 3


def test_a_field_with_a_dot_lies_within_its_object() -> None:
    """`attributes.NAME` is NAME of the attributes, beside those that came whole; other dots are left alone."""
    given = settings(kind="items", fields={"attributes.brand": "maker", "attributes": "more"})
    assert entries(given, record({"item_id": "a", "maker": "B", "more": {"w": 1}})) == [
        ("a", {"attributes": {"w": 1, "brand": "B"}})
    ]
    assert entries(settings(kind="users"), record({"user_id": "u", "preferences.genre": "x", "other.y": 1})) == [
        ("u", {"user_id": "u", "other.y": 1, "preferences": {"genre": "x"}})
    ]


def test_kept_fields_are_those_that_an_entry_has() -> None:
    """With `keep` the known ones stay under their own names; what nobody asked for does not go along."""
    given = settings(kind="users", keep=True, fields={"gender": "sex"})
    row = {"user_id": "u", "age": 4, "sex": "f", "email": "u@example.org", "attributes.vip": True}
    assert entries(given, record(row)) == [("u", {"age": 4, "gender": "f", "attributes": {"vip": True}})]


@pytest.mark.parametrize(("mark", "is_gone"), [(True, True), ("true", True), (1, True), ("false", False), (0, False)])
def test_a_row_that_is_marked_deletes(mark: object, is_gone: bool) -> None:
    """As Debezium's rewritten deletes are, by text."""
    given = settings(kind="items", deleted="__deleted", fields={"title": "name"})
    assert entries(given, record({"item_id": "a", "name": "x", "__deleted": mark})) == [
        ("a", None if is_gone else {"title": "x"})
    ]


@pytest.mark.parametrize("mark", ["perhaps", "2026-01-01", 2, 1.5])
def test_a_mark_that_is_neither_yes_nor_no_deletes_nothing(mark: object) -> None:
    """The row is refused; an expression says what a time means."""
    row = {"item_id": "a", "name": "x", "gone": mark}
    with pytest.raises(InvalidEvent, match=r"deleted has value .*: send true or false"):
        entries(settings(kind="items", deleted="gone"), record(row))
    assert entries(settings(kind="items", deleted="gone != `null`"), record(row)) == [("a", None)]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kind": "items", "fields": {"titel": "x"}}, "'titel' is no field of items. Use title"),
        ({"kind": "users", "constants": {"title": "x"}}, "'title' is no field of users"),
        ({"kind": "items", "fields": {"attributes.": "x"}}, "no field of items"),
        ({"deleted": "gone"}, "for kind"),
    ],
    ids=str,
)
def test_settings_that_would_do_nothing_are_refused(given: dict[str, object], said: str) -> None:
    """A field that nobody reads is a slip of the pen."""
    with pytest.raises(ValueError, match=said):
        settings(**given)
