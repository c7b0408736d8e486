from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from app.replay import EventLog, open_log, parse_layout
from app.replay.delimited import SEEN, Layout, delimiter_of
from models.errors import LogError, SettingsError

Open = Callable[..., EventLog]

ROWS = [["user_id", "item_id", "event_type", "timestamp"], ["u", "a,b", "view", "1700000000000"]]
EVENT = {"user_id": "u", "item_id": "a,b", "event_type": "view", "timestamp": 1_700_000_000_000}


def opened(path: Path, layout: Layout = SEEN, **how: str) -> EventLog:
    """The log with this layout, and a type and a unit if they are said."""
    unit = how.get("timestamp_unit", "ms")
    columns: dict[str, str] = {}
    return open_log(
        path, dataset=None, columns=columns, event_type=how.get("event_type"), timestamp_unit=unit, layout=layout
    )


def values(log: EventLog) -> list[dict[str, object]]:
    """Events as they are sent, decoded."""
    return [orjson.loads(record.value) for record in log]


@pytest.mark.parametrize("delimiter", ["\t", ";", "|"], ids=["tab", "semicolon", "pipe"])
@pytest.mark.parametrize("name", ["log.csv", "log.tsv", "log.inter", "log"])
def test_delimiter_is_seen_from_the_header(open_made: Open, name: str, delimiter: str) -> None:
    """Whatever the file is called, and with commas in its cells."""
    content = "".join(delimiter.join(row) + "\n" for row in ROWS)
    assert values(open_made(name, content.encode())) == [EVENT]


@pytest.mark.parametrize(
    ("line", "n_columns", "delimiter"),
    [
        ("a,b,c", 0, ","),
        ("a;b;c", 0, ";"),
        ('"a;b;c;d",e', 0, ","),
        ("a|b,c|d", 0, "|"),
        ("a,b;c", 0, ","),
        ("a", 0, ","),
        ("", 0, ","),
        ("1\t2\ta,b,c,d", 3, "\t"),
        ("1;2,5;3", 2, ","),
    ],
)
def test_what_stands_most_often_between_cells_is_the_delimiter(line: str, n_columns: int, delimiter: str) -> None:
    """Outside quotes; a comma in doubt; where the columns are counted, what makes so many."""
    assert delimiter_of(line, n_columns) == delimiter


def test_said_delimiter_goes_before_what_is_seen(tmp_path: Path) -> None:
    """A header with more commas than tabs, and one with a character that nobody looks for."""
    path = tmp_path / "log.csv"
    header = ["a,b,c,d,e,f,g", *ROWS[0]]
    for flag, character in (("tab", "\t"), ("\\t", "\t"), ("^", "^"), ("\x01", "\x01"), (" ", " ")):
        path.write_text("".join(character.join(row) + "\n" for row in (header, ["x", *ROWS[1]])))
        assert values(opened(path, parse_layout(flag, None))) == [EVENT]


@pytest.mark.parametrize("flag", ["", "::", '"', "\n", "tabs"])
def test_delimiter_that_cannot_be_one_is_refused(flag: str) -> None:
    """More than one character, a quote, a line end."""
    with pytest.raises(SettingsError, match=r"--delimiter has value .*use comma, tab, semicolon, pipe or one"):
        parse_layout(flag, None)


def test_names_stand_for_a_header_that_is_not_there(tmp_path: Path) -> None:
    """The first row is an event; columns without a name are not read."""
    path = tmp_path / "clicks.dat"
    path.write_text("1,2014-04-07T10:51:09.277Z,214536502,0\n1,2014-04-07T10:54:09.868Z,214536500,0\n")
    for names in ("user_id,timestamp,item_id,-", "user_id, timestamp ,item_id,"):
        log = opened(path, parse_layout(None, names), event_type="view", timestamp_unit="iso")
        assert values(log) == [
            {"user_id": "1", "item_id": "214536502", "event_type": "view", "timestamp": 1_396_867_869_277},
            {"user_id": "1", "item_id": "214536500", "event_type": "view", "timestamp": 1_396_868_049_868},
        ]


def test_ratings_without_a_header(tmp_path: Path) -> None:
    """A column `rating` is the value of a log of ratings, also in a file that is known by its name otherwise."""
    path = tmp_path / "u.data"
    path.write_text("196\t242\t3\t881250949\n")
    log = opened(path, parse_layout(None, "user_id,item_id,rating,timestamp"), event_type="rating", timestamp_unit="s")
    event = {"user_id": "196", "item_id": "242", "event_type": "rating", "timestamp": 881_250_949_000, "value": 3}
    assert values(log) == [event]


def test_rating_is_the_value_only_where_nothing_else_is(open_made: Open) -> None:
    """Not beside a column `value`, not of other types; and of lines of JSON too."""
    both = b"user_id,item_id,timestamp,rating,value\nu,i,1,5,2\n"
    assert values(open_made("a.csv", both, event_type="rating"))[0]["value"] == 2
    one = b"user_id,item_id,timestamp,rating\nu,i,1,5\n"
    assert values(open_made("b.csv", one, event_type="rating"))[0]["value"] == 5
    assert "value" not in values(open_made("b.csv", one, event_type="view"))[0]
    line = b'{"user_id":"u","item_id":"i","timestamp":1,"rating":5}\n'
    assert values(open_made("c.jsonl", line, event_type="rating"))[0]["value"] == 5


def test_types_in_a_header_are_dropped(tmp_path: Path) -> None:
    """RecBole's header says them; a header of which one cell has none is left alone."""
    path = tmp_path / "made.inter"
    path.write_text("user_id:token\titem_id:token\tcontext.tags:token_seq\ttimestamp:float\nu\ti\ta b\t1.0\n")
    (event,) = values(opened(path, event_type="view", timestamp_unit="s"))
    assert event["context"] == {"tags": "a b"} and event["timestamp"] == 1000
    path.write_text("user_id:token\titem_id\ttimestamp\nu\ti\t1\n")
    with pytest.raises(LogError, match="no column 'user_id'; the header has 'user_id:token, item_id, timestamp'"):
        values(opened(path, event_type="view"))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("user_id,item_id", r"line 1: the row has 3 cells with comma between them, --columns 2 names"),
        ("user_id,item_id,timestamp,-", r"line 1: the row has 3 cells with comma between them, --columns 4 names"),
        ("user_id,item_id,timestamp", r"line 1: this is a header, and has the names of --columns: leave out"),
        ("user_id,item_id,at", r"line 1: no column 'timestamp'; the header has 'user_id, item_id, at'"),
    ],
)
def test_names_that_do_not_fit_the_first_row_are_refused(tmp_path: Path, names: str, said: str) -> None:
    """Another number of cells, a header that is there all the same, and a field that is not among them."""
    path = tmp_path / "log.csv"
    path.write_text("user_id,item_id,timestamp\nu,i,1\n")
    with pytest.raises(LogError, match=said):
        values(opened(path, parse_layout(None, names), event_type="view"))


@pytest.mark.parametrize("names", ["", "-,-", "user_id,item_id,user_id"])
def test_names_that_cannot_be_used_are_refused(names: str) -> None:
    """Nothing named, or a name twice."""
    with pytest.raises(SettingsError, match="--columns"):
        parse_layout(None, names)


@pytest.mark.parametrize(
    ("between", "flag", "said"),
    [
        (";", "comma", r"the header is one cell with semicolon in it: say --delimiter semicolon"),
        (",", "tab", r"the header is one cell with comma in it: say --delimiter comma"),
        ("^", None, r"the header is one cell with \^ in it: say --delimiter '\^'"),
        (" ", None, r"the header is one cell with space in it: say --delimiter ' '"),
        ("::", None, r"the header is one cell with '::' in it, which is no single character: replace it by a tab"),
    ],
)
def test_header_of_one_cell_names_what_is_in_it(tmp_path: Path, between: str, flag: str | None, said: str) -> None:
    """The columns that are there, and the delimiter that would cut them."""
    path = tmp_path / "log.csv"
    path.write_text("".join(between.join(row) + "\n" for row in ROWS))
    with pytest.raises(LogError, match=rf"no column .*; the header has 'user_id.*': {said}"):
        values(opened(path, parse_layout(flag, None)))


@pytest.mark.parametrize("name", ["log.jsonl", "ratings", "sessions.jsonl"])
def test_layout_of_what_is_no_text_in_columns_is_refused(tmp_path: Path, name: str) -> None:
    """Lines of JSON, a folder and sessions have neither delimiter nor header."""
    path = tmp_path / name
    if name == "ratings":
        path.mkdir()
    else:
        path.write_text('{"session":1,"events":[]}\n' if name == "sessions.jsonl" else "{}\n")
    for layout in (parse_layout("tab", None), parse_layout(None, "user_id,item_id")):
        with pytest.raises(SettingsError, match="leave out --delimiter, --columns and --no-quotes"):
            opened(path, layout)


@pytest.mark.parametrize(
    ("first", "n_names", "example"),
    [
        ("1\tU1\t11/11/2019 9:05:58 AM\tN1\tN2-1", 5, "user_id,item_id,event_type,timestamp,-"),
        ("u1,2009-05-04T23:08:57Z,i1", 3, "user_id,item_id,event_type"),
        ("u;i;4.5;x", 4, "user_id,item_id,event_type,timestamp"),
    ],
)
def test_file_without_a_header_names_the_flag_for_it(tmp_path: Path, first: str, n_names: int, example: str) -> None:
    """A number or a time where names should be says so; how many names there have to be, and what they look like."""
    path = tmp_path / "log.dat"
    path.write_text(f"{first}\n{first}\n")
    said = f"like a row, not like a header: .* --columns with {n_names} names in order, .*--columns {example}"
    with pytest.raises(LogError, match=said):
        values(opened(path))


def test_header_without_the_columns_still_names_the_flag_for_files_without_one(tmp_path: Path) -> None:
    """Words alone may be a header or a row: both flags are named."""
    path = tmp_path / "log.dat"
    path.write_text("who,what\nu,i\n")
    with pytest.raises(LogError, match=r"name the columns with --column FIELD=COLUMN.*without a header with --columns"):
        values(opened(path))


def test_quotes_may_be_text(tmp_path: Path) -> None:
    """A title in quotes, one that begins with a quote, and a cell that only holds one are read as they stand."""
    path = tmp_path / "log.tsv"
    rows = ['u\t"Heroes" (live)\t1700000000000', 'u\t"Weird\t1700000000001', 'u\t"\t1700000000002']
    path.write_text("\n".join(["user_id\titem_id\ttimestamp", *rows[:2], "u\ti\t1700000000003"]))
    with pytest.raises(LogError, match="say --no-quotes if it is text"):
        values(opened(path, event_type="view"))
    path.write_text("\n".join(["user_id\titem_id\ttimestamp", *rows, ""]))
    events = values(opened(path, parse_layout(None, None, has_quotes=False), event_type="view"))
    assert [event["item_id"] for event in events] == ['"Heroes" (live)', '"Weird', '"']
