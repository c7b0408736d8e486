import gzip
import zipfile
from collections.abc import Mapping
from pathlib import Path

import orjson
import pytest

from app.replay import EventLog, OrderedLog, open_log
from models.errors import LogError, SettingsError

FLAGS = "|".join("1" if place in (3, 5) else "0" for place in range(19))
SET_100K = {
    "u.data": b"1\t10\t3\t1000000200\n2\t10\t5\t1000000100\n1\t11\t4\t1000000100\n1\t12\t1\t1000000050\n",
    "u.item": f"10|Misérables, Les (1995)|31-Jan-1995||http://x|{FLAGS}\n11|unknown||||1{'|0' * 18}\n".encode(
        "latin-1"
    ),
}
SET_1M = {
    "ratings.dat": b"1::10::3::1000000200\n2::10::5::1000000100\n",
    "movies.dat": "10::Misérables: Les, A (1995)::Drama|Children's\n11::Nil::\n".encode("latin-1"),
}
SET_LATEST = {
    "ratings.csv": b"userId,movieId,rating,timestamp\r\n1,10,4.0,1000000200\r\n2,10,0.5,1000000100\r\n",
    "movies.csv": 'movieId,title,genres\n10,"Amélie, La (2001)",Comedy|Romance\n11,Nil,(no genres listed)\n'.encode(),
    "tags.csv": b"userId,movieId,tag,timestamp\n1,10,Paris,1\n2,10, paris ,2\n2,10,cute,2\n2,10,big  Fun,2\n",
}


def folder_of(place: Path, files: Mapping[str, bytes]) -> Path:
    """Write the files of a set into a new folder."""
    place.mkdir(parents=True)
    for name, content in files.items():
        (place / name).write_bytes(content)
    return place


def zip_of(path: Path, files: Mapping[str, bytes], inner: str = "set/") -> Path:
    """Pack the files of a set as a Mac does, with junk that has the same names."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"__MACOSX/{name}", b"junk")
            archive.writestr(f"{inner}{name}", content)
    return path


def open_set(path: Path, dataset: str | None = None) -> EventLog:
    """Open without flags, in the order of time."""
    return OrderedLog(open_log(path, dataset=dataset, columns={}, event_type=None))


def told(log: EventLog) -> tuple[list[bytes], list[tuple[str, bytes]]]:
    """Everything that a log gives."""
    records = [record.value for record in log]
    return records, [(entry.item_id, entry.value) for entry in log.catalogue()]


def test_ratings_come_in_the_order_of_time_then_row(tmp_path: Path) -> None:
    """Equal times keep their rows' order; seconds become milliseconds, whole ratings integers."""
    log = open_set(folder_of(tmp_path / "ml-100k", SET_100K))
    assert [record.value for record in log] == [
        b'{"user_id":"1","item_id":"12","event_type":"rating","timestamp":1000000050000,"value":1}',
        b'{"user_id":"2","item_id":"10","event_type":"rating","timestamp":1000000100000,"value":5}',
        b'{"user_id":"1","item_id":"11","event_type":"rating","timestamp":1000000100000,"value":4}',
        b'{"user_id":"1","item_id":"10","event_type":"rating","timestamp":1000000200000,"value":3}',
    ]
    assert [record.key for record in log] == [b"1", b"2", b"1", b"1"]
    assert [record.timestamp_ms for record in log] == [
        1_000_000_050_000,
        1_000_000_100_000,
        1_000_000_100_000,
        1_000_000_200_000,
    ]
    assert (log.name, log.n_records()) == ("ml-100k", 4)


def test_movies_of_100k_are_the_catalogue(tmp_path: Path) -> None:
    """Latin-1 titles, genres by flag, ISO dates; the genre `unknown` is none."""
    first, second = open_set(folder_of(tmp_path / "set", SET_100K)).catalogue()
    assert first.item_id == "10"
    assert orjson.loads(first.value) == {
        "title": "Misérables, Les (1995)",
        "categories": ["Animation", "Comedy"],
        "tags": [],
        "attributes": {"year": 1995, "release_date": "1995-01-31", "imdb_url": "http://x"},
    }
    assert orjson.loads(second.value) == {"title": "unknown", "categories": [], "tags": [], "attributes": {}}


def test_the_latest_format_is_read(tmp_path: Path) -> None:
    """Ratings with halves, titles with commas, tags by how many gave them and then by name."""
    log = open_set(folder_of(tmp_path / "set", SET_LATEST))
    assert [orjson.loads(record.value)["value"] for record in log] == [0.5, 4.0]
    first, second = log.catalogue()
    assert orjson.loads(first.value) == {
        "title": "Amélie, La (2001)",
        "categories": ["Comedy", "Romance"],
        "tags": ["paris", "big fun", "cute"],
        "attributes": {"year": 2001},
    }
    assert orjson.loads(second.value) == {"title": "Nil", "categories": [], "tags": [], "attributes": {}}


def test_the_1m_format_is_read(tmp_path: Path) -> None:
    """Cells between two colons, titles in Latin-1 with colons of their own, genres between bars."""
    log = open_set(folder_of(tmp_path / "set", SET_1M))
    assert [record.value for record in log] == [
        b'{"user_id":"2","item_id":"10","event_type":"rating","timestamp":1000000100000,"value":5}',
        b'{"user_id":"1","item_id":"10","event_type":"rating","timestamp":1000000200000,"value":3}',
    ]
    first, second = log.catalogue()
    assert orjson.loads(first.value) == {
        "title": "Misérables: Les, A (1995)",
        "categories": ["Drama", "Children's"],
        "tags": [],
        "attributes": {"year": 1995},
    }
    assert (second.item_id, orjson.loads(second.value)["categories"]) == ("11", [])


@pytest.mark.parametrize("files", [SET_100K, SET_1M, SET_LATEST])
def test_folder_zip_gzip_and_file_give_the_same(tmp_path: Path, files: dict[str, bytes]) -> None:
    """However a set is packed, it reads the same."""
    folder = folder_of(tmp_path / "a", files)
    packed = folder_of(tmp_path / "b", {f"{name}.gz": gzip.compress(content) for name, content in files.items()})
    folder_of(tmp_path / "c" / "inner", files)
    expected = told(open_set(folder))
    assert len(expected[0]) > 1
    assert told(open_set(zip_of(tmp_path / "set.zip", files))) == expected
    assert told(open_set(zip_of(tmp_path / "flat.zip", files, inner=""))) == expected
    assert told(open_set(packed)) == expected
    assert told(open_set(tmp_path / "c")) == expected
    assert told(open_set(folder / next(iter(files)))) == expected


@pytest.mark.parametrize("order", ["time", "file"])
def test_a_ratings_file_with_a_mapping_gives_the_same_records(tmp_path: Path, order: str) -> None:
    """The same bytes are the same log: as the set's own file, and as plain CSV under another name, mapped by flags."""
    folder = folder_of(tmp_path / "set", SET_LATEST)
    flags = {"user_id": "userId", "item_id": "movieId", "value": "rating"}
    path = (folder / "ratings.csv").rename(tmp_path / "mine.csv")
    mapped = open_log(path, dataset=None, columns=flags, event_type="rating", timestamp_unit="s")
    by_flags = list(OrderedLog(mapped, order))
    path.rename(folder / "ratings.csv")
    assert list(OrderedLog(open_log(folder, dataset=None, columns={}, event_type=None), order)) == by_flags
    times = [1_000_000_200_000, 1_000_000_100_000]
    assert [record.timestamp_ms for record in by_flags] == (sorted(times) if order == "time" else times)


def test_malformed_ratings_are_sent_in_their_place(tmp_path: Path) -> None:
    """A row whose time cannot be read stays behind the row before it; nothing is dropped."""
    data = b"1\t1\t3\t1000000300\n1\t2\t3\tnoon\n1\t3\n\n1\t4\tgood\t1000000100\n1\t5\t3\t200\n"
    log = open_set(folder_of(tmp_path / "set", {"u.data": data}))
    assert [orjson.loads(record.value) for record in log] == [
        {"user_id": "1", "item_id": "4", "event_type": "rating", "timestamp": 1_000_000_100_000, "value": "good"},
        {"user_id": "1", "item_id": "5", "event_type": "rating", "timestamp": 200_000, "value": 3},
        {"user_id": "1", "item_id": "1", "event_type": "rating", "timestamp": 1_000_000_300_000, "value": 3},
        {"user_id": "1", "item_id": "2", "event_type": "rating", "timestamp": "noon", "value": 3},
        {"_row": ["1", "3"]},
    ]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"readme": b""}, r"no u\.data or ratings\.dat or ratings\.csv in it"),
        ({"ratings.csv": b"user,movie\n"}, r"ratings\.csv, line 1: the header is 'user,movie', not 'userId,movieId"),
        ({"ratings.csv": b""}, r"ratings\.csv, line 1: the header is ''"),
        ({"u.data": b"1\t2\t3\t4\n\xff\n"}, r"u\.data, line 2: byte 0xff at column 1 is not UTF-8"),
        (
            {"u.data": gzip.compress(b"1\t2\t3\t4\n" * 999)[:-9]},
            r"u\.data, line \d+: the compressed data end too early",
        ),
        ({"u.data": b""}, r"u\.item is missing"),
        ({"u.data": b"", "u.item": b"1|x\n"}, r"u\.item, line 1: 2 cells between \| where a movie has 24"),
        ({"ratings.dat": b"", "movies.dat": b"1::x\n"}, r"movies\.dat, line 1: 2 cells between :: where a movie has 3"),
        ({**SET_LATEST, "movies.csv": b"a,b\n"}, r"movies\.csv, line 1: the header is 'a,b'"),
        ({**SET_LATEST, "movies.csv": b"movieId,title,genres\n1,x\n"}, r"movies\.csv, line 2: 2 cells where"),
        ({**SET_LATEST, "movies.csv": b'movieId,title,genres\n1,"x\n'}, r"movies\.csv, line 2: not a row of CSV"),
    ],
)
def test_a_broken_set_is_an_error_with_file_and_line(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    """What is missing or unreadable is named."""
    with pytest.raises(LogError, match=message):
        told(open_set(folder_of(tmp_path / "set", files)))


def test_a_damaged_zip_is_an_error(tmp_path: Path) -> None:
    """Cut short, the zip cannot be opened; with a flipped byte, its member cannot be read."""
    path = zip_of(tmp_path / "set.zip", {"u.data": b"".join(b"%d\t2\t3\t4\n" % n for n in range(9999))})
    content = path.read_bytes()
    path.write_bytes(content[:500])
    with pytest.raises(LogError, match=r"set\.zip: not a zip that can be read"):
        open_set(path)
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :])
    with pytest.raises(LogError, match=r"u\.data, line \d+: damaged compressed data"):
        list(open_set(path))


def test_a_named_set_must_have_its_format(tmp_path: Path) -> None:
    """Another set's folder under this name is refused, and so is no folder at all."""
    folder = folder_of(tmp_path / "set", SET_LATEST)
    assert open_set(folder, "ml-latest-small").name == "ml-latest-small"
    with pytest.raises(LogError, match=r"no u\.data in it"):
        open_set(folder, "ml-100k")
    with pytest.raises(LogError, match="no such folder or zip"):
        open_set(tmp_path / "absent", "ml-100k")


def test_a_mapping_does_not_go_with_a_set(tmp_path: Path) -> None:
    """Flags that would do nothing are refused."""
    folder = folder_of(tmp_path / "set", SET_100K)
    for dataset in (None, "ml-100k"):
        with pytest.raises(SettingsError, match="leave out --column, --each, --event-type"):
            open_log(folder, dataset=dataset, columns={}, event_type="view")
