"""Files and streams of entries, row by row."""

import gzip
import io
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.entry_files import EntryFile, deletion_maker, entry_maker, flag_settings, needed_columns
from app.replay.rows import any_header
from app.settings import Settings
from app.sources import SourceSettings
from models.errors import InvalidEvent, LogError

JSONL = b'{"item_id": "a", "title": "A"}\n\n{"item_id": 2, "hidden": true}\n{"item_id": "c", "deleted": true}\n'
CSV = 'item_id,title,categories,hidden,attributes.brand\na,"Ä, A",x|y,no,B\nb,,,yes,\nc,broken\n'
MADE: list[tuple[str, Any]] = [("a", {"title": "A"}), ("2", {"hidden": True}), ("c", None)]


def made_of(
    file: EntryFile, columns: dict[str, str] | None = None, kind: str = "items", log_format: str = "auto"
) -> list[tuple[str, Any]]:
    """Ids and entries of a file; of a bad row its number and reason."""
    given = columns or {}
    make = entry_maker(Settings(), flag_settings(kind, given, "ms", "|"))
    found: list[tuple[str, Any]] = []
    for number, row in file.rows(log_format, needed_columns(kind, given)):
        try:
            found += [((key or b"").decode(), value and orjson.loads(value)) for key, value in make(row)]
        except InvalidEvent as invalid:
            found.append((f"row {number}", invalid.reason))
    return found


def on_disk(folder: Path, name: str, content: bytes) -> EntryFile:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content)
    return EntryFile(path, io.BytesIO())


def piped(content: bytes) -> EntryFile:
    """Standard input with this content."""
    return EntryFile(None, io.BytesIO(content))


def zstd(content: bytes) -> bytes:
    """The content in a zstd frame."""
    return bytes(pytest.importorskip("cramjam").zstd.compress(content))


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd], ids=["plain", "gzip", "zstd"])
def test_lines_of_json_from_a_file_and_from_a_pipe(pack: Any, tmp_path: Path) -> None:
    """What it is shows in its first bytes, however it is packed and called."""
    assert made_of(on_disk(tmp_path, "x.jsonl.gz", pack(JSONL))) == MADE
    assert made_of(on_disk(tmp_path, "no-name", pack(JSONL))) == MADE
    assert made_of(piped(pack(JSONL))) == MADE


def test_a_table_has_lists_flags_and_attributes_in_cells(tmp_path: Path) -> None:
    """Empty cells are absent, a row that does not fit the header is bad and has its number."""
    expected = [
        ("a", {"title": "Ä, A", "categories": ["x", "y"], "hidden": False, "attributes": {"brand": "B"}}),
        ("b", {"hidden": True}),
        ("row 3", "bad_type"),
    ]
    assert made_of(on_disk(tmp_path, "items.csv", CSV.encode())) == expected
    assert made_of(piped(CSV.encode())) == expected


@pytest.mark.parametrize("delimiter", ["\t", ";"], ids=["tab", "semicolon"])
def test_tables_are_read_as_those_of_events_are(tmp_path: Path, delimiter: str) -> None:
    """The delimiter is seen from the header, and an id that pandas wrote as a float is that of the events."""
    content = "".join(delimiter.join(row) + "\n" for row in (["item_id:token", "title:token_seq"], ["7.0", "A, B"]))
    assert made_of(on_disk(tmp_path, "made.item", content.encode())) == [("7", {"title": "A, B"})]
    assert made_of(piped(content.encode())) == [("7", {"title": "A, B"})]


def test_columns_by_the_names_that_they_have() -> None:
    """Any name; what is mapped wins over a column of the field's own name, what is no field does not go along."""
    table = b'Art. No,the "name",title,email\n7,Lamp,old,x@y\n'
    columns = {"item_id": "Art. No", "title": 'the "name"'}
    quoted = table.replace(b'the "name"', b'"the ""name"""')
    assert made_of(piped(quoted), columns) == [("7", {"title": "Lamp"})]
    with pytest.raises(LogError, match=r"no column 'sku'.*the header has Art\. No"):
        made_of(piped(quoted), {"item_id": "sku"})
    with pytest.raises(LogError, match=r"no column 'item_id'.*--column FIELD=COLUMN"):
        made_of(piped(quoted))


def test_parquet_has_types_of_its_own(tmp_path: Path) -> None:
    """Lists, maps and times as they are typed; a column of numbers with holes holds ages all the same."""
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    items = {
        "item_id": [1, 2],
        "title": ["A", None],
        "categories": pa.array([["x"], None], pa.list_(pa.string())),
        "available_from": pa.array([1_700_000_000_000, None], pa.timestamp("ms", "UTC")),
        "attributes": pa.array([{"w": "1"}, None], pa.map_(pa.string(), pa.string())),
    }
    parquet.write_table(pa.table(items), tmp_path / "i.parquet")
    parquet.write_table(pa.table({"user_id": ["u", "v"], "age": [37.0, None]}), tmp_path / "u.parquet")
    assert made_of(EntryFile(tmp_path / "i.parquet", io.BytesIO())) == [
        ("1", {"title": "A", "categories": ["x"], "available_from": 1_700_000_000_000, "attributes": {"w": "1"}}),
        ("2", {}),
    ]
    assert made_of(EntryFile(tmp_path / "u.parquet", io.BytesIO()), kind="users") == [("u", {"age": 37}), ("v", {})]
    with pytest.raises(LogError, match="Write it to a file first"):
        made_of(piped((tmp_path / "i.parquet").read_bytes()))


def test_what_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    """An array, a folder, no file, nothing in it."""
    for file in (on_disk(tmp_path, "a.json", b'[{"item_id": "a"}]'), piped(b'[{"item_id": "a"}]')):
        with pytest.raises(LogError, match="one object a line"):
            made_of(file)
    with pytest.raises(LogError, match="a folder"):
        EntryFile(tmp_path, io.BytesIO())
    with pytest.raises(LogError, match="Check the path"):
        EntryFile(tmp_path / "absent", io.BytesIO())
    with pytest.raises(LogError, match="is empty"):
        made_of(on_disk(tmp_path, "b.csv", b""))
    assert made_of(piped(b"")) == made_of(on_disk(tmp_path, "empty", b"")) == []


def test_ids_that_are_to_go(tmp_path: Path) -> None:
    """One a line; an id that no item can have is bad."""
    assert list(on_disk(tmp_path, "gone.txt", b"a\r\n\nb c\n").ids()) == [(1, "a"), (3, "b c")]
    assert list(piped(gzip.compress(b"x")).ids()) == [(1, "x")]
    make = deletion_maker("item_id")
    assert list(make("ü")) == [("ü".encode(), None)]
    with pytest.raises(InvalidEvent, match="no braces"):
        make("{")


def test_a_source_of_the_settings_maps_a_file(tmp_path: Path) -> None:
    """By the words of the topics: envelopes, paths, filters; columns need no names of ours."""
    row = {"sku": 7, "names": {"en": "Lamp"}, "live": True}
    lines = [{"op": "r", "after": row, "before": None}, {"op": "d", "after": None, "before": row}]
    source = SourceSettings(
        kind="items", format="confluent+debezium", item_id="after.sku", fields={"title": "after.names.en"}
    )
    make = entry_maker(Settings(), source)
    file = on_disk(tmp_path, "changes.jsonl", b"\n".join(map(orjson.dumps, lines)))
    made = [entry for _, each in file.rows("auto", any_header) for entry in make(each)]
    assert made == [(b"7", b'{"title":"Lamp"}'), (b"7", None)]

    table = piped(b"sku,name,live\n7,Lamp,yes\n8,Old,no\n")
    make = entry_maker(Settings(), SourceSettings(kind="items", item_id="sku", keep=True, where="live == 'yes'"))
    assert [entry for _, each in table.rows("csv", any_header) for entry in make(each)] == [(b"7", b"{}")]


def test_reading_says_how_far_it_is(tmp_path: Path) -> None:
    """What a progress bar goes by: bytes of a file; of a pipe nobody knows."""
    file = on_disk(tmp_path, "x.jsonl", JSONL * 20_000)
    rows, before = file.rows("auto", any_header), file.bytes_read
    seen = [file.bytes_read for _ in rows]
    assert (before, seen[-1]) == (file.size_bytes, file.size_bytes) and seen == sorted(seen)
    assert 0 < seen[0] < file.size_bytes and not file.is_stream
    assert piped(JSONL).is_stream


def test_arrow_is_read_as_parquet_is(tmp_path: Path) -> None:
    """A Feather file and a stream, seen from their first bytes, with lists as they are."""
    pa = pytest.importorskip("pyarrow")
    feather, ipc = pytest.importorskip("pyarrow.feather"), pytest.importorskip("pyarrow.ipc")
    rows = pa.table({"item_id": [7.0, 8.0], "title": ["A", None], "categories": [["x", "y"], []]})
    feather.write_feather(rows, tmp_path / "items.feather")
    with ipc.new_stream(tmp_path / "items", rows.schema) as writer:
        writer.write_table(rows)
    for name in ("items.feather", "items"):
        entries = dict(made_of(EntryFile(tmp_path / name, io.BytesIO())))
        assert entries == {"7": {"title": "A", "categories": ["x", "y"]}, "8": {"categories": []}}
