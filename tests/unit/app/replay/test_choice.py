from pathlib import Path

import orjson
import pyarrow as pa
import pytest
from pyarrow import parquet

from app.replay import Choice, EventLog, open_log, parse_types
from models.errors import LogError, SettingsError

KNOWN = ("view", "click", "purchase", "add_to_cart")
ROWS = [
    {"user_id": "u1", "item_id": "i1", "event_type": "clickout item", "timestamp": "1", "platform": "AT"},
    {"user_id": "u1", "item_id": "Vienna", "event_type": "search for poi", "timestamp": "2", "platform": "AT"},
    {"user_id": "u2", "item_id": "i2", "event_type": "view", "timestamp": "3", "platform": "DE"},
    {"user_id": "u2", "item_id": "i3", "event_type": "clickout item", "timestamp": "4"},
]


def written(folder: Path, log_format: str, rows: list[dict[str, str]] = ROWS) -> Path:
    """The rows as a file of this format."""
    path = folder / f"log.{log_format}"
    names = list(rows[0])
    if log_format == "jsonl":
        path.write_bytes(b"".join(orjson.dumps(row | {"timestamp": int(row["timestamp"])}) + b"\n" for row in rows))
    elif log_format == "parquet":
        columns = {name: [row.get(name) for row in rows] for name in names}
        parquet.write_table(pa.table(columns | {"timestamp": [int(row["timestamp"]) for row in rows]}), path)
    else:
        lines = ["\t".join(names), *("\t".join(row.get(name, "") for name in names) for row in rows)]
        path.write_text("\n".join(lines) + "\n")
    return path


def opened(path: Path, choice: Choice) -> EventLog:
    """The log, of whose rows these are chosen."""
    return open_log(path, dataset=None, columns={}, event_type=None, choice=choice)


def chosen(log: EventLog) -> list[tuple[object, object]]:
    """Time and type of each event."""
    events = [orjson.loads(record.value) for record in log]
    return [(event["timestamp"], event["event_type"]) for event in events]


@pytest.mark.parametrize("log_format", ["tsv", "jsonl", "parquet"])
@pytest.mark.parametrize(
    ("choice", "left"),
    [
        (Choice({"clickout item": "click"}), [(1, "click"), (2, "search for poi"), (3, "view"), (4, "click")]),
        (Choice({"clickout item": "click"}, ["*"]), [(1, "click"), (4, "click")]),
        (Choice({"search for poi": ""}), [(1, "clickout item"), (3, "view"), (4, "clickout item")]),
        (Choice(ignore=["search for poi", "view"]), [(1, "clickout item"), (4, "clickout item")]),
        (Choice(where=["platform == 'AT'"]), [(1, "clickout item"), (2, "search for poi")]),
        (Choice(where=["platform == 'AT'", "event_type == 'clickout item'"]), [(1, "clickout item")]),
        (Choice(where=["platform"]), [(1, "clickout item"), (2, "search for poi"), (3, "view")]),
        (Choice({"view": "click"}, where=["event_type == 'view'"]), [(3, "click")]),
        (Choice(where=["to_number(timestamp) > `3`"]), [(4, "clickout item")]),
        (Choice(where=["starts_with(item_id, 'i')", "!platform"]), [(4, "clickout item")]),
    ],
)
def test_rows_that_are_asked_for_are_events(
    tmp_path: Path, log_format: str, choice: Choice, left: list[tuple[int, str]]
) -> None:
    """Renamed, left out by type or by any column, and counted: the same of every kind of file, at every reading."""
    log = opened(written(tmp_path, log_format), choice)
    for _ in range(2):
        assert chosen(log) == left
        assert log.n_skipped == len(ROWS) - len(left)
    if log_format == "parquet":
        assert log.n_records() == (None if choice.leaves_out else len(ROWS))


def test_lines_that_are_only_chosen_go_out_byte_for_byte(tmp_path: Path) -> None:
    """A filter rewrites nothing, and a line that is no event of anybody's stays a dead letter."""
    path = tmp_path / "log.jsonl"
    lines = [b'{"b": 1,  "event_type": "view"}', b'{"event_type":"login"}', b"no json", b"[1]"]
    path.write_bytes(b"\n".join(lines))
    log = opened(path, Choice(ignore=["login"]))
    assert [record.value for record in log] == [lines[0], *lines[2:]]
    assert log.n_skipped == 1


def test_row_of_another_width_is_no_matter_of_choice(tmp_path: Path) -> None:
    """It is broken, not skipped: the worker refuses it."""
    path = tmp_path / "log.csv"
    path.write_text("user_id,item_id,event_type,timestamp\nu,i\nu,i,view,1\n")
    log = opened(path, Choice(where=["event_type == 'click'"]))
    assert [orjson.loads(record.value) for record in log] == [{"_row": ["u", "i"]}]
    assert log.n_skipped == 1


def test_types_written_as_numbers_have_aliases(tmp_path: Path) -> None:
    """1, 1.0 and "1" are one type."""
    path = tmp_path / "log.parquet"
    table = {"user_id": ["u", "u"], "item_id": ["i", "j"], "event_type": [1.0, None], "timestamp": [1, 2]}
    parquet.write_table(pa.table(table), path)
    log = open_log(
        path, dataset=None, columns={}, event_type="click", choice=Choice({"1": "view", "click": "purchase"})
    )
    assert chosen(log) == [(1, "view"), (2, "click")], "a constant is ours already"


@pytest.mark.parametrize("log_format", ["tsv", "parquet"])
def test_filter_by_a_column_that_is_not_there_is_refused(tmp_path: Path, log_format: str) -> None:
    """It would skip every row; the columns that are there are named, and how text is written."""
    path = written(tmp_path, log_format)
    for where, missing in (("plattform == 'AT'", "plattform"), ("platform == AT", "AT")):
        with pytest.raises(SettingsError, match=rf"no column '{missing}'; the header has 'user_id, .*single quotes"):
            list(opened(path, Choice(where=[where])))


def test_filter_that_does_not_fit_a_row_is_refused(tmp_path: Path) -> None:
    """A function of a field that a row does not have is a mistake, and skips nothing in silence."""
    log = opened(written(tmp_path, "jsonl"), Choice(where=["contains(platform, 'A')"]))
    with pytest.raises(SettingsError, match=r"--where: the path .* does not fit this record.*Ask first whether"):
        list(log)
    assert len(list(opened(log.path, Choice(where=["platform && contains(platform, 'A')"])))) == 2


@pytest.mark.parametrize("where", ["platform=AT", "platform ==", "", "platform == 'AT"])
def test_what_is_no_expression_is_refused(where: str) -> None:
    """The message shows it, and one that is."""
    with pytest.raises(SettingsError, match=r"--where has value .*Use JMESPath, e\.g\. \"action == 'clickout item'\""):
        Choice(where=[where])


def test_types_are_cut_at_the_last_sign() -> None:
    """Ours has no equals sign in it; theirs may."""
    assert parse_types(["a=b=view", "login="], KNOWN) == {"a=b": "view", "login": ""}


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["view"], "write THEIRS=OURS"),
        (["=view"], "write THEIRS=OURS"),
        (["cart=addtocart"], "'addtocart' is no type of event.*e.g. add_to_cart; or declare it"),
        (["a=view", "a=click"], "'a' twice: 'view' and 'click'"),
    ],
)
def test_types_that_cannot_be_used_are_refused(flags: list[str], said: str) -> None:
    """With the flag, and the nearest type."""
    with pytest.raises(SettingsError, match=f"--types .*{said}"):
        parse_types(flags, KNOWN)


def test_choice_of_what_is_known_is_refused(tmp_path: Path) -> None:
    """A MovieLens folder has types of its own."""
    for choice in (Choice({"a": "view"}), Choice(ignore=["a"]), Choice(where=["a"])):
        with pytest.raises(SettingsError, match=r"leave out --column, .*--types, --ignore, --where"):
            opened(tmp_path, choice)


def test_log_of_which_nothing_is_left_is_refused(tmp_path: Path) -> None:
    """A misspelt name in lines of JSON would skip them all."""
    from app.replay.fitting import refuse_what_does_not_fit
    from app.settings import Settings

    log = opened(written(tmp_path, "jsonl"), Choice(where=["plattform == 'AT'"]))
    with pytest.raises(LogError, match=r"all of its 4 rows are skipped\. Check the names in --where"):
        refuse_what_does_not_fit(log, Settings())
