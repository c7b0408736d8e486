"""Fields at paths, and arrays whose elements are events: the same of lines of JSON, text in columns, Parquet, Arrow."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from app.replay import Choice, EventLog, open_log, open_source_log
from app.replay.fitting import absent_columns
from app.sources import file_source
from models.errors import LogError, SettingsError
from models.events import EventRules
from tests.command import freshet
from tests.sources import settings

MS = 1_700_000_000_000
ORDER = {
    "who": {"visitor-id": 7, "@name": "Ann"},
    "no": "o1",
    "at": MS // 1000,
    "lines": [{"sku": "a", "n": 2}, {"sku": "b", "n": 0}, {"n": 1}, {"sku": "c", "n": 3}],
}
COLUMNS = {"user_id": 'who."visitor-id"', "item_id": "each.sku", "timestamp": "at", "event_id": "no", "value": "each.n"}
WRITERS = {
    "log.jsonl": lambda rows, path: path.write_bytes(b"\n".join(map(orjson.dumps, rows))),
    "log.parquet": lambda rows, path: parquet.write_table(pa.Table.from_pylist(rows), path),
    "log.feather": lambda rows, path: feather.write_feather(pa.Table.from_pylist(rows), path),
}


def opened(path: Path, columns: dict[str, str], choice: Choice | None = None, unit: str = "s") -> EventLog:
    """A log of views by flags."""
    return open_log(path, dataset=None, columns=columns, event_type="view", timestamp_unit=unit, choice=choice)


def values(log: EventLog) -> list[dict[str, object]]:
    """Events as they are sent, decoded."""
    return [orjson.loads(record.value) for record in log]


def made(tmp_path: Path, name: str, rows: Sequence[object]) -> Path:
    """A file of these rows, in the format of its name."""
    WRITERS[name](rows, tmp_path / name)
    return tmp_path / name


@pytest.mark.parametrize("name", WRITERS)
def test_every_element_is_an_event_in_order(tmp_path: Path, name: str) -> None:
    """With the fields of its row and an id of its own; a bad one lacks what it lacks, by itself."""
    log = opened(made(tmp_path, name, [ORDER, ORDER | {"no": "o2", "lines": []}]), COLUMNS, Choice(each="lines"))
    common = {"user_id": "7", "event_type": "view", "timestamp": MS}
    assert values(log) == [
        {**common, "item_id": "a", "event_id": "o1/0", "value": 2},
        {**common, "item_id": "b", "event_id": "o1/1", "value": 0},
        {**common, "event_id": "o1/2", "value": 1},
        {**common, "item_id": "c", "event_id": "o1/3", "value": 3},
    ]
    assert log.n_skipped == 1 and log.n_records() is None


@pytest.mark.parametrize("name", WRITERS)
def test_elements_are_chosen_by_what_is_in_them(tmp_path: Path, name: str) -> None:
    """`where` of `each` is about elements, another about rows; places in the row stay in the ids."""
    path = made(tmp_path, name, [ORDER, ORDER | {"no": "o2"}])
    choice = Choice(where=["each.sku && each.n > `0`", "no != 'o2'"], each="lines")
    log = opened(path, COLUMNS, choice)
    assert [(event["item_id"], event["event_id"]) for event in values(log)] == [("a", "o1/0"), ("c", "o1/3")]
    assert log.n_skipped == 1


@pytest.mark.parametrize("name", WRITERS)
def test_row_without_the_array_is_one_bad_event(tmp_path: Path, name: str) -> None:
    """It is no event and is not lost: what stands in elements is missing; a filter of elements does not hide it."""
    path = made(tmp_path, name, [ORDER | {"lines": None}, ORDER])
    log = opened(path, COLUMNS, Choice(where=["each.n"], each="lines"))
    first = values(log)[0]
    assert "item_id" not in first and first["user_id"] == "7"
    assert len(values(log)) == 5 and log.n_skipped == 0


@pytest.mark.parametrize("name", WRITERS)
def test_path_takes_one_element_without_each(tmp_path: Path, name: str) -> None:
    """The first of an array, the other where one is missing, and names in quotes."""
    columns = {"user_id": 'who.visitor || who."visitor-id"', "item_id": "lines[0].sku", "timestamp": "at"}
    log = opened(made(tmp_path, name, [ORDER]), {**columns, "context.name": 'who."@name"'})
    (event,) = values(log)
    assert (event["user_id"], event["item_id"], event["context"]) == ("7", "a", {"name": "Ann"})


@pytest.mark.parametrize("name", WRITERS)
def test_name_that_is_a_column_is_no_path(tmp_path: Path, name: str) -> None:
    """Whatever characters it has; the path of the same spelling is not looked at."""
    row = {"user.id": "column", "user": {"id": "path"}, "visitor-id": 1, "a||b": "i", "at": 5}
    columns = {"user_id": "user.id", "item_id": "a||b", "timestamp": "at", "event_id": "visitor-id"}
    (event,) = values(opened(made(tmp_path, name, [row]), columns))
    assert (event["user_id"], event["item_id"], event["event_id"]) == ("column", "i", "1")


def test_cells_of_text_are_cut(tmp_path: Path) -> None:
    """Ids between blanks in one cell; an empty cell is no array."""
    path = tmp_path / "carts.csv"
    path.write_text('who,skus,timestamp\nu,a b,1\nu,,2\n"v",c,3\n')
    log = opened(path, {"user_id": "who", "item_id": "each"}, Choice(each="split(skus, ' ')"))
    assert [(event["user_id"], event.get("item_id"), event["timestamp"]) for event in values(log)] == [
        ("u", "a", 1000),
        ("u", "b", 1000),
        ("u", None, 2000),
        ("v", "c", 3000),
    ]


@pytest.mark.parametrize("each", ["no", "at", "split(no, '')[9]", "length(at)"])
def test_what_is_no_array_gives_no_event(tmp_path: Path, each: str) -> None:
    """Text is not taken apart unless it is cut, and a function that does not fit ends no reading."""
    (event,) = values(opened(made(tmp_path, "log.jsonl", [ORDER]), COLUMNS, Choice(each=each)))
    assert "item_id" not in event


@pytest.mark.parametrize("name", ["log.parquet", "log.feather"])
def test_typed_times_need_no_unit_beside_paths(tmp_path: Path, name: str) -> None:
    """As those of rows without paths."""
    at = datetime(2023, 11, 14, 22, 13, 20, 250_999, tzinfo=UTC)
    path = made(tmp_path, name, [ORDER | {"at": at}])
    assert {event["timestamp"] for event in values(opened(path, COLUMNS, Choice(each="lines")))} == {MS + 250}


def test_field_of_theirs_called_context_is_left_out_beside_paths(tmp_path: Path) -> None:
    """A flat one is the context; one with objects in it would make every event a dead letter."""
    columns = {"user_id": 'who."visitor-id"', "item_id": "lines[0].sku", "timestamp": "at"}
    rows = [ORDER | {"context": {"page": {"url": "/"}}}, ORDER | {"context": {"page": "/"}}]
    log = opened(made(tmp_path, "log.jsonl", rows), columns)
    assert [event.get("context") for event in values(log)] == [None, {"page": "/"}]


@pytest.mark.parametrize(
    ("columns", "each", "said"),
    [
        (COLUMNS, "items", "--each has value 'items': no column 'items'; the header has 'who, no, at, lines'"),
        (COLUMNS | {"user_id": "whom.id"}, "lines", "no column 'whom'; the header has 'who, no, at, lines'"),
        (COLUMNS | {"user_id": "who.visitor-id"}, "lines", 'As a path it is written who."visitor-id"'),
        (COLUMNS, None, "no column 'each'; the header has"),
    ],
)
def test_missing_column_of_a_path_names_those_that_are_there(
    tmp_path: Path, columns: dict[str, str], each: str | None, said: str
) -> None:
    """In tables before any row is read."""
    for name in ("log.parquet", "log.feather"):
        with pytest.raises((LogError, SettingsError), match=said.replace("(", r"\(")):
            values(opened(made(tmp_path, name, [ORDER]), columns, Choice(each=each)))


@pytest.mark.parametrize("name", WRITERS)
def test_path_that_leads_nowhere_names_what_is_there(tmp_path: Path, name: str) -> None:
    """The fields of the rows and of their elements."""
    log = opened(made(tmp_path, name, [ORDER]), COLUMNS | {"item_id": "each.item"}, Choice(each="lines"))
    said = absent_columns(log)
    assert said.startswith("no 'each.item' (for item_id) in the first records; there are ")
    assert "'lines'" in said and "'each.sku'" in said
    wrong = COLUMNS | {"user_id": "who.visitor-id"}
    path = made(tmp_path, "log.jsonl", [ORDER])
    assert 'written who."visitor-id".' in absent_columns(opened(path, wrong, Choice(each="lines")))


@pytest.mark.parametrize(
    ("columns", "each", "said"),
    [
        ({"item_id": "sku"}, "lines", "--each has value 'lines', and no --column asks for its elements"),
        ({"value": "each.n"}, "lines", "no --column asks for its elements"),
        ({"item_id": "each.sku"}, "lines[", "--each has value 'lines[': no JMESPath"),
    ],
)
def test_each_that_cannot_be_used_is_refused(
    tmp_path: Path, columns: dict[str, str], each: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An array that no field stands in, and what is no path; exit code 2."""
    monkeypatch.chdir(tmp_path)
    made(tmp_path, "log.jsonl", [ORDER])
    flags = [f"--column={field}={column}" for field, column in columns.items()]
    outcome = freshet("replay", "log.jsonl", "--inline", "--each", each, *flags)
    assert outcome.code == 2 and said in outcome.err


def test_source_reads_cut_cells_and_refuses_elements_alone(tmp_path: Path) -> None:
    """A list of impressions by the words of a source: the elements around a bad one are events, in order."""
    path = tmp_path / "behaviors.tsv"
    path.write_text("id\tuser\tat\tshown\n1\tu\t11/11/2019 9:05:58 PM\tN1-1 N2 N3-0\n2\tu\tyesterday\tN4-0\n")
    words = {
        "user_id": "user",
        "timestamp": "at",
        "time": "%m/%d/%Y %I:%M:%S %p",
        "event_id": "id",
        "each": "split(shown, ' ')",
        "item_id": "split(each, '-')[0]",
        "event_type": "split(each, '-')[1]",
        "types": {"1": "click", "0": "impression"},
    }
    log = open_source_log(path, source=file_source(settings(**words), EventRules()))
    at = 1_573_506_358_000
    assert values(log) == [
        {"user_id": "u", "item_id": "N1", "event_type": "click", "timestamp": at, "event_id": "1/0"},
        {"user_id": "u", "item_id": "N3", "event_type": "impression", "timestamp": at, "event_id": "1/2"},
    ]
    assert (log.n_rows, log.n_refused, log.n_skipped) == (2, 2, 0)
    assert log.refused.startswith("2 of the elements of 2 rows were refused and left out, the first: row 1: missing")


def test_numbers_beside_read_elements_in_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other process gets the array, the form of the times and what quotes are."""
    monkeypatch.chdir(tmp_path)
    rows = [f'u{n % 5}\t{1 + n // 24}.11.2023 {n % 24}:00\ti{n % 9} i{n % 7} "i{n % 4}' for n in range(100)]
    Path("log.tsv").write_text("\n".join(["user_id\ttimestamp\tshown", *rows]))
    flags = ("--each", "split(shown, ' ')", "--column", "item_id=each", "--event-type", "view", "--no-quotes")
    command = ("replay", "log.tsv", *flags, "--timestamp-unit", "%d.%m.%Y %H:%M", "--inline", "--beside", "1", "--json")
    outcome = freshet(*command)
    result = orjson.loads(outcome.out)
    assert (outcome.code, result["events"]) == (0, 300)
    assert result["beside"]["1"]["hr@10"] == result["prequential"]["hr@10"] > 0
