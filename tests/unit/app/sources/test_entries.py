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
