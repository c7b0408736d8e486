"""How a log is to be read: the same flags for `freshet replay` and `freshet evaluate`, with the same events."""

from pathlib import Path

import orjson
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.command import freshet, told

COMMANDS = (("replay", "--inline"), ("evaluate",))
MS = 1_700_000_000_000


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without settings."""
    monkeypatch.chdir(tmp_path)


def counted(command: tuple[str, ...], *flags: str) -> dict[str, int]:
    """What a command says of its records."""
    return told(freshet(*command[:1], *flags, *command[1:], "--json"))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_text_in_columns_of_every_kind(command: tuple[str, ...]) -> None:
    """RecBole's file, one without a header, and one with a delimiter that has to be said: all rows are events."""
    rows = [[f"u{n % 4}", f"i{n % 7}", "4", str(MS // 1000 + n)] for n in range(28)]
    as_rating = ("--event-type", "rating", "--timestamp-unit", "s")
    for name, between, header, flags in (
        ("made.inter", "\t", ["user_id:token", "item_id:token", "rating:float", "timestamp:float"], ()),
        ("made.dat", ";", None, ("--columns", "user_id,item_id,rating,timestamp")),
        ("made.txt", "^", ["user_id", "item_id", "rating", "timestamp"], ("--delimiter", "^")),
    ):
        Path(name).write_text("".join(between.join(row) + "\n" for row in ([header] if header else []) + rows))
        assert counted(command, name, *flags, *as_rating) == {"events": 28, "dead": 0, "skipped": 0}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_missing_column_names_those_that_are_there(command: tuple[str, ...]) -> None:
    """And the delimiter that would cut a header of one cell; exit code 1."""
    Path("log.txt").write_text("user_id^item_id^timestamp\nu^i^1\n")
    outcome = freshet(*command, "log.txt", "--event-type", "view")
    assert (outcome.code, outcome.out) == (1, "")
    assert "the header has 'user_id^item_id^timestamp': the header is one cell with ^ in it" in outcome.err


def test_source_reads_text_in_columns_without_a_header() -> None:
    """`--columns` gives the rows the names that the paths of a source ask for."""
    Path("freshet.toml").write_text(
        '[sources.web]\nuser_id = "who"\nitem_id = "what"\ntimestamp = "at"\ntime = "ms"\n'
        'constants = { event_type = "view" }\n'
    )
    Path("log.dat").write_text(f"u1|x|i1|{MS}\nu2|x|i1|{MS}\n")
    assert counted(COMMANDS[0], "log.dat", "--source", "web", "--columns", "who,-,what,at")["events"] == 2


def test_numbers_beside_read_the_log_in_the_same_way() -> None:
    """The other process gets every flag: it has as many tests as this one."""
    Path("log.dat").write_text("".join(f"u{n % 5}|{n % 11}|{MS + n}\n" for n in range(200)))
    flags = ("--columns", "user_id,item_id,timestamp", "--delimiter", "pipe", "--event-type", "view")
    choice = ("--where", "user_id != 'u0'", "--types", "no=view", "--ignore", "none")
    outcome = freshet("replay", "log.dat", *flags, *choice, "--inline", "--beside", "1", "--json")
    result = orjson.loads(outcome.out)
    assert outcome.code == 0 and result["beside"]["1"]["hr@10"] == result["prequential"]["hr@10"] > 0


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_float_ids_are_one_user(command: tuple[str, ...]) -> None:
    """Ids with and without `.0` are the same, in text and in Parquet; one with a fraction says why it is none."""
    users: list[float | None] = [17850.0, 17851.0, None, 17850.5]
    items = [float(n) for n in range(4)]
    times = [MS, MS + 1, MS + 2, MS + 3]
    parquet.write_table(pa.table({"user_id": users, "item_id": items, "timestamp": times}), "log.parquet")
    assert counted(command, "log.parquet", "--event-type", "view") == {"events": 2, "dead": 2, "skipped": 0}
    parquet.write_table(pa.table({"user_id": [17850.5], "item_id": [1.0], "timestamp": [MS]}), "bad.parquet")
    outcome = freshet(*command, "bad.parquet", "--event-type", "view")
    assert outcome.code == 1 and "user_id has value 17850.5: has a fraction" in outcome.err
    made: list[dict[str, object]] = []
    for users_of, items_of in ((("17850.0", "17850"), ("1.0", "1", "2.00")), (("17850", "17850"), ("1", "1", "2"))):
        rows = [f"{users_of[n % 2]},{items_of[n % 3]},{MS + n}" for n in range(12)]
        Path("log.csv").write_text("\n".join(["user_id,item_id,timestamp", *rows]) + "\n")
        made.append(orjson.loads(freshet(*command, "log.csv", "--event-type", "view", "--json").out))
    for result in made:
        result.pop("seconds", None)
        result.pop("log_sha256", None)
    assert made[0] == made[1]


def test_source_reads_float_ids_of_files() -> None:
    """Events by a source have the ids that those by flags have."""
    Path("freshet.toml").write_text('[sources.web]\ntime = "ms"\nconstants = { event_type = "view" }\n')
    Path("log.csv").write_text(f"user_id,item_id,timestamp\n7.0,1.0,{MS}\n7,1,{MS + 1}\n")
    parquet.write_table(
        pa.table({"user_id": [7.0, 7.0], "item_id": [1.0, 1.0], "timestamp": [MS, MS + 1]}), "log.parquet"
    )
    by_flags = freshet("replay", "log.csv", "--event-type", "view", "--inline", "--json")
    for name in ("log.csv", "log.parquet"):
        by_source = freshet("replay", name, "--source", "web", "--inline", "--json")
        assert by_source.code == 0, by_source.err
        assert orjson.loads(by_source.out)["digests"] == orjson.loads(by_flags.out)["digests"]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_rows_that_are_not_asked_for_are_skipped_not_dead(command: tuple[str, ...]) -> None:
    """Searches are no events, `clickout item` is a click: counted apart, and said to people too."""
    rows = [f"u{n % 5},{('clickout item', 'search for poi')[n % 2]},i{n % 7},{MS + n},x" for n in range(40)]
    Path("log.csv").write_text("\n".join(["user_id,action,item_id,timestamp,platform", *rows, "u1,clickout item,,7,"]))
    flags = ("--column", "event_type=action", "--types", "clickout item=click")
    assert counted(command, "log.csv", *flags) == {"events": 20, "dead": 21, "skipped": 0}
    for more in (
        ("--where", "action != 'search for poi'"),
        ("--ignore", "search for poi"),
        ("--ignore", "*"),
        ("--types", "search for poi="),
        ("--where", "action == 'clickout item'", "--where", "item_id || timestamp"),
    ):
        assert counted(command, "log.csv", *flags, *more) == {"events": 20, "dead": 1, "skipped": 20}
    seen = freshet(*command[:1], "log.csv", *flags, "--ignore", "*", *command[1:]).out
    assert ("rows_skipped: 20" if command[0] == "replay" else "skipped: 20 rows of the log") in seen


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (("--types", "view=vew"), 2, "'vew' is no type of event. Use one of"),
        (("--where", "item_id=i1"), 2, "--where has value 'item_id=i1': no JMESPath"),
        (("--where", "itemid == 'i1'"), 2, "no column 'itemid'; the header has 'user_id, item_id"),
        (("--where", "item_id == 'none'"), 1, "all of its 2 rows are skipped"),
        (("--source", "web", "--types", "a=view"), 2, "leave out --types"),
        (("--source", "web", "--where", "a"), 2, "leave out --where"),
        (("--source", "web", "--ignore", "a"), 2, "leave out --ignore"),
    ],
)
def test_choice_that_cannot_be_made_is_refused(
    command: tuple[str, ...], flags: tuple[str, ...], code: int, said: str
) -> None:
    """With the flag, what is wrong with it and what there is; nothing is folded."""
    Path("log.csv").write_text(f"user_id,item_id,event_type,timestamp\nu,i1,view,{MS}\nu,i2,view,{MS}\n")
    outcome = freshet(*command, "log.csv", *flags)
    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err


def test_rows_that_a_source_leaves_out_are_counted() -> None:
    """By the same name as those that flags leave out."""
    Path("freshet.toml").write_text('[sources.web]\ntime = "ms"\nwhere = "event_type != \'login\'"\n')
    Path("log.csv").write_text(f"user_id,item_id,event_type,timestamp\nu,i,view,{MS}\nu,x,login,{MS}\n")
    assert counted(COMMANDS[0], "log.csv", "--source", "web") == {"events": 1, "dead": 0, "skipped": 1}
