"""Logs in other people's forms: rows of JSONL, CSV and Parquet through a source of the settings."""

import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from app.replay import open_source_log
from app.replay.fitting import refuse_what_does_not_fit
from app.replay.readers import open_log
from app.settings import Settings
from app.sources import file_source
from models.errors import LogError, SettingsError
from models.events import EventRules
from tests.command import freshet
from tests.sources import settings

MS = 1_700_000_000_000
GA4 = {
    "event_name": "view_item",
    "user_pseudo_id": "1.2",
    "event_timestamp": str(MS * 1000),
    "items": [{"item_id": "a"}, {"item_id": "b"}],
}

Write = Callable[[str, bytes], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a file into the working folder, where no settings are."""
    monkeypatch.chdir(tmp_path)

    def make(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return make


def sent(path: Path, **words: object) -> list[dict[str, object]]:
    """The events of a log by a source."""
    log = open_source_log(path, source=file_source(settings(**words), EventRules()))
    records = list(log)
    assert [each.timestamp_ms for each in records] == [orjson.loads(each.value)["timestamp"] for each in records]
    return [orjson.loads(each.value) for each in records]


def test_nested_lines_are_mapped(write: Write) -> None:
    """A line may be several events, or none; gzip as ever."""
    lines = [GA4, GA4 | {"event_name": "page_view"}, GA4 | {"event_name": "purchase", "user_id": 7}]
    path = write("ga4.jsonl.gz", gzip.compress(b"\n".join(orjson.dumps(each) for each in lines)))
    assert [(each["user_id"], each["item_id"], each["event_type"]) for each in sent(path, format="ga4")] == [
        ("1.2", "a", "view"),
        ("1.2", "b", "view"),
        ("7", "a", "purchase"),
        ("7", "b", "purchase"),
    ]


def test_rows_of_csv_are_objects(write: Write) -> None:
    """Columns are fields, their names quoted where JMESPath wants it; an empty cell is a missing field."""
    path = write("log.csv", b"visitor-id,sku,what,when\n5,a,Product Viewed,2019-10-01 00:00:00 UTC\n6,b,,\n")
    words = {
        "user_id": '"visitor-id"',
        "item_id": "sku",
        "event_type": "what",
        "timestamp": "when",
        "time": "iso",
        "types": {"Product Viewed": "view"},
    }
    log = open_source_log(path, source=file_source(settings(**words), EventRules()))
    (record,) = log
    assert (record.key, record.timestamp_ms) == (b"5", 1_569_888_000_000)
    assert (log.n_rows, log.n_refused) == (2, 1)
    assert log.refused.endswith("the first: row 2: missing_field: event_type is missing: nothing stands at 'what'.")


def test_rows_of_parquet_are_objects(write: Write, tmp_path: Path) -> None:
    """Nested columns are as in JSON; a time column is ISO text."""
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    at = [datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)] * 2
    table = pa.table({"u": [7, 8], "at": at, "items": [[{"item_id": "a"}], [{"item_id": "b"}, {"item_id": "c"}]]})
    parquet.write_table(table, tmp_path / "log.parquet")
    words = {"user_id": "u", "each": "items", "item_id": "each.item_id", "timestamp": "at", "time": "iso"}
    made = sent(tmp_path / "log.parquet", **words, constants={"event_type": "view"})
    assert [(each["user_id"], each["item_id"], each["timestamp"]) for each in made] == [
        ("7", "a", MS),
        ("8", "b", MS),
        ("8", "c", MS),
    ]


def test_a_dump_of_a_framed_topic_has_no_frames(write: Write) -> None:
    """The same source reads the topic and its dump: in a file the values stand without their frames."""
    path = write("dump.jsonl", orjson.dumps(GA4))
    assert len(sent(path, format="confluent+ga4", registry="http://registry", key="confluent")) == 2


def test_replay_reads_by_a_source_and_tells_what_it_refused(write: Write) -> None:
    """Events are folded, bad rows left out and counted, and the first is shown; exit code 1 if there was any."""
    good = orjson.dumps(GA4)
    write("freshet.toml", b'[sources.web]\nformat = "ga4"\n')
    write("ga4.jsonl", good + b"\n" + good)
    outcome = freshet("replay", "ga4.jsonl", "--source", "web", "--inline", "--json")
    result = orjson.loads(outcome.out.splitlines()[-1])
    assert (outcome.code, result["events"], result["rows"], result["rows_refused"]) == (0, 4, 2, 0)
    write("ga4.jsonl", good + b"\n" + orjson.dumps(GA4 | {"items": [{"item_id": "a"}, {}]}))
    outcome = freshet("replay", "ga4.jsonl", "--source", "web", "--inline", "--json")
    assert (outcome.code, orjson.loads(outcome.out)["events"]) == (1, 3)
    assert (
        "1 of the elements of 2 rows were refused and left out, the first: row 2: missing_field: element 1"
        in outcome.err
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--source", "shop"), "[sources.shop] is not in the settings: web, cat."),
        (("--source", "cat"), "[sources.cat] has kind 'items': one of events is wanted here."),
        (("--source", "web", "--column", "user_id=u"), "leave out --column"),
        (("--source", "web", "--timestamp-unit", "s"), "leave out --timestamp-unit"),
        (("--source", "web", "--format", "otto"), "leave out --source"),
    ],
)
def test_what_does_not_go_with_a_source_is_refused(words: tuple[str, ...], said: str, write: Write) -> None:
    """An unknown source, one of another kind, and flags that say it in another way end with 2."""
    write("freshet.toml", b'[sources.web]\nformat = "ga4"\n\n[sources.cat]\nkind = "items"\n')
    write("log.jsonl", orjson.dumps(GA4))
    outcome = freshet("replay", "log.jsonl", "--inline", *words)
    assert outcome.code == 2 and said in outcome.err


def test_a_folder_is_no_log_of_a_source(write: Write, tmp_path: Path) -> None:
    """A source reads files."""
    with pytest.raises(SettingsError, match="--source reads one file"):
        open_source_log(tmp_path, source=file_source(settings(), EventRules()))


def test_a_log_without_a_single_event_is_refused_with_an_example(write: Write) -> None:
    """Nested fields that nobody mapped: exit code 1, the first flaw, and the command that helps."""
    write("ga4.jsonl", b"\n".join([orjson.dumps(GA4)] * 3))
    outcome = freshet("replay", "ga4.jsonl", "--inline")
    assert outcome.code == 1 and outcome.out == ""
    assert "none of its first 3 records is an event.\nmissing_field: 3, the first is record 1, " in outcome.err
    assert 'format = "ga4"' in outcome.err and "freshet sniff ga4.jsonl" in outcome.err


def test_a_log_of_whose_rows_a_source_takes_none_is_refused(write: Write) -> None:
    """Exit code 1, the first row and message per reason, the fields that there are, and what seconds need."""
    rows = [
        {"who": "u", "what": "a", "at": 1_700_000_000},
        {"what": "a", "at": MS},
        {"who": "u", "what": "b", "at": 1_700_000_001},
    ]
    write("shop.jsonl", b"\n".join(map(orjson.dumps, rows)))
    write(
        "freshet.toml",
        b'[sources.shop]\nuser_id = "who"\nitem_id = "what"\ntimestamp = "at"\ntime = "ms"\n'
        b'constants = { event_type = "view" }\n',
    )
    outcome = freshet("replay", "shop.jsonl", "--source", "shop", "--inline")
    assert (outcome.code, outcome.out) == (1, "")
    heading, seconds, missing, advice, _ = outcome.err.splitlines()
    assert heading == "freshet: shop.jsonl: none of its 3 rows is an event, 3 are refused."
    assert seconds.startswith("""out_of_range: 2, the first is record 1, '{"who":"u","what":"a","at":1700000000}'""")
    assert missing.startswith("missing_field: 1, the first is record 2, ")
    assert missing.endswith("user_id is missing: nothing stands at 'who'. The record has 'what', 'at'.")
    assert advice == 'If its times are seconds, say time = "s" in the source.'


def test_sessions_in_seconds_are_refused(write: Write) -> None:
    """Those of OTTO as well, without a flag that does not go with them."""
    write("train.jsonl", b'{"session":1,"events":[{"aid":2,"ts":1661723999,"type":"clicks"}]}\n')
    outcome = freshet("evaluate", "train.jsonl")
    assert (outcome.code, outcome.out) == (1, "")
    assert "out_of_range: 1, the first is record 1, " in outcome.err and "looks like seconds" in outcome.err
    assert "--timestamp-unit" not in outcome.err and "sniff" not in outcome.err


def test_a_log_with_one_event_is_taken(write: Write) -> None:
    """What does not fit becomes dead letters, as ever, where anything does; so does an empty log."""
    event = orjson.dumps({"user_id": 7, "item_id": "a", "event_type": "view", "timestamp": MS})
    for content in (b"{}\n" * 50 + event, b""):
        path = write("log.jsonl", content)
        log = open_log(path, dataset=None, columns={}, event_type=None)
        refuse_what_does_not_fit(log, Settings())
    path.write_bytes(b"{}\n")
    with pytest.raises(LogError, match="none of its first 1 records"):
        refuse_what_does_not_fit(open_log(path, dataset=None, columns={}, event_type=None), Settings())


def test_times_that_end_with_utc_are_read_by_the_flag_too(write: Write) -> None:
    """`--timestamp-unit iso` takes what a database wrote; without it the message names the flag."""
    path = write("log.csv", b"user_id,item_id,event_type,timestamp\nu,a,view,2019-10-01 00:00:00 UTC\n")
    (record,) = open_log(path, dataset=None, columns={}, event_type=None, timestamp_unit="iso")
    assert record.timestamp_ms == 1_569_888_000_000
    outcome = freshet("replay", "log.csv", "--inline")
    assert outcome.code == 1 and "Its times are ISO 8601: say --timestamp-unit iso." in outcome.err
    assert freshet("replay", "log.csv", "--inline", "--timestamp-unit", "iso").code == 0


@pytest.mark.parametrize(
    ("text", "form", "ms"),
    [
        ("11/11/2019 9:05:58 PM", "%m/%d/%Y %I:%M:%S %p", 1_573_506_358_000),
        ("3.4.2019 00:30", "%d.%m.%Y %H:%M", 1_554_251_400_000),
        ("3-4-19 00:30 +0200", "%d-%m-%y %H:%M %z", 1_554_244_200_000),
    ],
)
def test_times_in_a_declared_form_are_read_and_others_are_never_guessed(
    write: Write, text: str, form: str, ms: int
) -> None:
    """UTC unless the form has a zone; without a form the message shows the text and both orders of day and month."""
    path = write("log.csv", f"user_id,item_id,event_type,timestamp\nu,a,view,{text}\n".encode())
    (record,) = open_log(path, dataset=None, columns={}, event_type=None, timestamp_unit=form)
    assert record.timestamp_ms == ms
    for unit in ("s", "ms", "%H:%M"):
        outcome = freshet("replay", "log.csv", "--inline", "--timestamp-unit", unit)
        assert outcome.code == 1 and f"Its times are text, '{text}': say their form, which is never" in outcome.err
        assert "'%m/%d/%Y %I:%M:%S %p' (the month first)" in outcome.err and "(the day first)" in outcome.err


def test_a_form_that_is_none_is_refused(write: Write) -> None:
    """With what is allowed, and an example."""
    write("log.csv", b"user_id,item_id,event_type,timestamp\nu,a,view,1\n")
    outcome = freshet("replay", "log.csv", "--inline", "--timestamp-unit", "day")
    assert outcome.code == 2
    assert (
        "--timestamp-unit has value 'day': use one of s, ms, us, ns, iso, none, or a strptime form with %"
        in outcome.err
    )


def test_lines_with_an_array_in_them_are_told_the_flag(write: Write) -> None:
    """The array that is there, and what its elements hold."""
    write("orders.jsonl", orjson.dumps({"who": "u", "at": MS, "lines": [{"sku": "a"}]}))
    outcome = freshet("evaluate", "orders.jsonl")
    assert outcome.code == 1 and "e.g. --each lines --column item_id=each.sku." in outcome.err
