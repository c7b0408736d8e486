"""`freshet sniff`: what a sample is found to be; its settings, loaded back, read the sample."""

import asyncio
import random
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.sniff.judge import judge, placing
from app.sniff.sample import Sample
from app.sniff.show import finding_json, finding_lines
from app.sniff.sniff import Finding, sniff
from app.sources import SourceRecord, SourceSettings, file_source, make_source
from models.event_types import DEFAULT_TYPES
from models.events import EventRules
from models.partitioner import PARTITIONERS, partition_of
from tests.command import freshet
from tests.sources import record

MS = 1_700_000_000_000
RULES = EventRules()


def sample(rows: Sequence[object], name: str = "clicks.jsonl") -> Sample:
    """A sample of a file."""
    return Sample(name, [[record(row) for row in rows]], is_topic=False)


def topic(records: Sequence[SourceRecord]) -> Sample:
    """A sample of a topic of one partition."""
    return Sample("clicks", [list(records)], is_topic=True)


def found(given: Sample, **words: Any) -> Finding:
    """What is found; its TOML gives the settings that it was judged by, and reads as many events."""
    finding = asyncio.run(sniff(given, RULES, **words))
    if finding.fits:
        text = "\n".join(line for line in finding_lines(finding, given))
        (loaded,) = tomllib.loads(text)["sources"].values()
        settings = SourceSettings.model_validate(loaded)
        make = make_source if given.is_topic else file_source
        source = make(settings, RULES, **({"fetch": words["fetch"]} if "fetch" in words else {}))
        asyncio.run(source.prepare(given.records))
        again = judge(source, settings, given)
        assert (again.events, again.refused) == (finding.verdict.events, finding.verdict.refused)
        assert settings.topics == (("clicks",) if given.is_topic else ())
    return finding


def ga4(name: str, n: int) -> dict[str, object]:
    """A row of a GA4 export."""
    at = str((MS + n) * 1000)
    return {"event_name": name, "user_pseudo_id": f"{n % 7}.1", "event_timestamp": at, "items": [{"item_id": f"i{n}"}]}


def segment(n: int) -> dict[str, object]:
    """A call of Segment's."""
    properties = {"products": [{"product_id": n}]}
    call = {"type": "track", "event": "Order Completed", "messageId": f"m{n}", "userId": f"u{n}"}
    return call | {"timestamp": "2023-11-14T22:13:20Z", "properties": properties}


def plain(n: int) -> dict[str, object]:
    """An event in the plain form."""
    return {"user_id": n, "item_id": f"i{n}", "event_type": "view", "timestamp": MS + n}


def change(row: dict[str, object]) -> dict[str, object]:
    """A change of Debezium's."""
    return {"before": None, "after": row, "source": {"table": "clicks"}, "op": "c", "ts_ms": MS}


FORMATS: dict[str, tuple[Callable[[int], object], str]] = {
    "the plain form": (plain, "freshet"),
    "GA4": (lambda n: ga4("view_item", n), "ga4"),
    "GA4 with page views": (lambda n: ga4("page_view" if n % 3 else "purchase", n), "ga4"),
    "Segment": (segment, "segment"),
    "RudderStack": (
        lambda n: {name if name != "timestamp" else "originalTimestamp": value for name, value in segment(n).items()},
        "rudderstack",
    ),
    "Connect": (lambda n: {"schema": {"type": "struct", "fields": []}, "payload": plain(n)}, "connect"),
    "structured CloudEvents": (
        lambda n: {
            "specversion": "1.0",
            "id": str(n),
            "source": "/shop",
            "type": "com.shop.product.viewed" if n % 2 else "click",
            "time": "2023-11-14T22:13:20Z",
            "data": {"user_id": "u", "item_id": n},
        },
        "cloudevents",
    ),
    "plain events in CloudEvents": (
        lambda n: {"specversion": "1.0", "id": str(n), "source": "/shop", "type": "x", "data": plain(n)},
        "cloudevents+freshet",
    ),
}


@pytest.mark.parametrize("case", FORMATS)
def test_a_known_format_is_named(case: str) -> None:
    """Each format is told by its own fields, and every record that has an event gives it."""
    row, expected = FORMATS[case]
    finding = found(sample([row(n) for n in range(60)]))
    assert finding.words.get("format") == expected
    assert finding.verdict.refused.total() == 0
    assert finding.verdict.n_parsed + finding.verdict.n_left_out == 60


def test_a_mapping_names_paths_unit_and_aliases() -> None:
    """Nested fields, seconds, an array fanned out, types of any characters: each is found, and said why."""
    rows = [
        {
            "visit": {"user": {"id": n % 5}, "session-id": n},
            "hits": [{"sku": f"s{n}", "ts": 1_700_000_000 + n, "action": kind} for kind in ("pv", "Add to cart", "?")],
        }
        for n in range(50)
    ]
    given = sample(rows)
    finding = found(given)
    assert finding.words == {
        "each": "hits",
        "user_id": "visit.user.id",
        "item_id": "each.sku",
        "event_type": "each.action",
        "timestamp": "each.ts",
        "time": "s",
        "types": {"pv": "view", "Add to cart": "add_to_cart", "?": ""},
    }
    assert finding.verdict.n_events == 100
    assert "1700000000 is 2023-11-14 22:13:20 UTC" in finding.unit_said
    said = "\n".join(finding_lines(finding, given))
    assert "Types without a known meaning are left out: '?'" in said
    assert '"Add to cart" = "add_to_cart"' in said


NAMES = [
    ("userId", "itemId", "event", "timestamp", MS, "ms"),
    ("visitorid", "itemid", "event", "timestamp", str(MS), "ms"),
    ("customer_id", "product_id", "action", "created_at", "2023-11-14 22:13:20 UTC", "iso"),
    ("uid", "sku", "behavior", "ts", 1_700_000_000.5, "s"),
    ("session", "movieId", "type", "occurred_at", MS * 1_000_000, "ns"),
    ("user", "asin", "event_type", "time", "11/14/2023 10:13:20 PM", "%m/%d/%Y %I:%M:%S %p"),
    ("user-id", "item id", "event type", "event-time", [2023, 11, 14, 22, 13, 20], "array"),
]


@pytest.mark.parametrize(("user", "item", "kind", "time", "at", "unit"), NAMES)
def test_the_names_that_shops_use_are_known(user: str, item: str, kind: str, time: str, at: Any, unit: str) -> None:
    """Whatever the field is called, and whatever its time is written in."""
    finding = found(sample([{user: "u", item: n, kind: "click", time: at} for n in range(30)]))
    assert finding.words["time"] == unit
    assert finding.verdict.n_parsed == 30


def test_a_rating_without_a_type_is_a_rating() -> None:
    """Reviews have no type: it is a constant, and that is said."""
    rows = [{"user_id": "u", "parent_asin": n, "rating": 4.0, "timestamp": MS, "title": "x"} for n in range(30)]
    given = sample(rows)
    finding = found(given)
    assert finding.words["constants"] == {"event_type": "rating"}
    assert finding.words["value"] == "rating"
    assert "No field tells the type: 'rating' is assumed" in "\n".join(finding_lines(finding, given))


@pytest.mark.parametrize("fraction", [0, 0.25])
def test_plain_events_in_seconds_are_told(fraction: float) -> None:
    """The plain form with 1970 in it is a mapping with time = "s", not the plain form; also with parts of seconds."""
    finding = found(sample([plain(n) | {"timestamp": 1_700_000_000 + n + fraction} for n in range(30)]))
    assert finding.words["time"] == "s" and "format" not in finding.words
    assert finding.verdict.examples[0]["timestamp"] == MS + int(fraction * 1000)


def test_a_date_that_could_be_two_is_refused() -> None:
    """Day first or month first: the sample does not tell, nothing fits, and both forms are named."""
    rows = [{"user_id": 1, "item_id": n, "rating": 4, "date": "03/04/2023 10:00:00"} for n in range(30)]
    given = sample(rows)
    finding = found(given)
    said = "\n".join(finding_lines(finding, given))
    assert not finding.fits and said.startswith("# clicks.jsonl: 30 records looked at\n# Nothing fits")
    assert "could be %m/%d/%Y %H:%M:%S or %d/%m/%Y %H:%M:%S" in said
    assert all(line.startswith("#") or not line for line in said.splitlines())


@pytest.mark.parametrize("rows", [[], [{"a": 1}], [b"\xff\xfe"], [None], [[1]], [{"user_id": 1, "item_id": 2}]])
def test_what_is_no_event_fits_nothing(rows: list[object]) -> None:
    """An empty sample and records without user, item or time are told, with what was seen."""
    given = sample(rows)
    finding = found(given)
    assert not finding.fits and finding.toml == ""
    assert "fits" in (said := "\n".join(finding_lines(finding, given))) or "nothing to look at" in said


def test_a_framed_topic_is_confluents() -> None:
    """Five bytes before each value, and a key in quotes that is left alone."""
    framed = b"\0\0\0\0\7"
    records = [record(framed + orjson.dumps(plain(n)), b'"%d"' % n) for n in range(30)]
    assert found(topic(records)).words == {"topics": ["clicks"], "format": "confluent"}
    both = [record(framed + orjson.dumps(ga4("view_item", n))) for n in range(30)]
    assert found(topic(both)).words["format"] == "confluent+ga4"


def test_a_binary_cloudevent_is_told_by_its_headers() -> None:
    """Attributes in headers: the data alone says nothing."""
    headers = [("ce_specversion", b"1.0"), ("ce_source", b"/s"), ("ce_type", b"product.viewed"), ("ce_subject", b"a")]
    headers += [("ce_time", b"2023-11-14T22:13:20Z")]
    records = [record({"user_id": n}, None, [*headers, ("ce_id", b"%d" % n)]) for n in range(30)]
    finding = found(topic(records))
    assert finding.words == {"topics": ["clicks"], "format": "cloudevents", "types": {"product.viewed": "view"}}
    assert finding.verdict.n_parsed == 30


def test_changes_of_a_table_are_mapped() -> None:
    """Debezium's envelope with columns of other names: paths below `after`, the unit by the schema beside it."""
    columns = [{"field": "created", "type": "int64", "name": "io.debezium.time.MicroTimestamp"}]
    schema = {"type": "struct", "fields": [{"field": "after", "type": "struct", "fields": columns}]}
    rows = [
        {"schema": schema, "payload": change({"customer_id": n, "sku": "a", "kind": "buy", "createdAt": MS})}
        for n in range(30)
    ]
    for row in rows:
        row["payload"]["after"]["created"] = MS * 1000  # type: ignore[index]
    columns.append({"field": "createdAt", "type": "int64", "name": "io.debezium.time.Timestamp"})
    finding = found(sample(rows))
    assert finding.words["format"] == "debezium"
    assert finding.words["user_id"] == "after.customer_id"
    assert finding.unit_said == "its schema says so" and "time" not in finding.words
    assert finding.verdict.examples[0]["timestamp"] == MS


def test_avro_needs_its_registry() -> None:
    """Without one nothing fits, and the message says what to give; with one the record's own schema is the guide."""
    schema = {
        "type": "record",
        "name": "E",
        "fields": [
            {"name": "uid", "type": "string"},
            {"name": "sku", "type": "string"},
            {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        ],
    }

    async def fetch(path: str) -> bytes:
        return orjson.dumps({"schema": orjson.dumps(schema).decode()})

    at = bytes.fromhex("80a0c2e0f962")
    records = [record(b"\0\0\0\0\1" + b"\x04u1" + b"\x02a" + at) for _ in range(30)]
    alone = topic(records)
    assert "set `registry` or `schema_file`" in "\n".join(finding_lines(found(alone), alone))
    finding = found(alone, schema={"registry": "http://registry"}, fetch=fetch)
    assert finding.words["registry"] == "http://registry"
    assert finding.words["user_id"] == "uid" and finding.words["constants"] == {"event_type": "view"}
    assert finding.verdict.n_parsed == 30


def keyed(place: Callable[[bytes, int], int], n_partitions: int = 6) -> Sample:
    """A topic of 300 records of 60 keys, placed by a function of the key and the record's number."""
    partitions: list[list[SourceRecord]] = [[] for _ in range(n_partitions)]
    for n in range(300):
        key = f"user-{n % 60}".encode()
        partitions[place(key, n)].append(record(plain(n), key))
    return Sample("clicks", partitions, is_topic=True)


@pytest.mark.parametrize("name", PARTITIONERS)
def test_the_partitioner_that_fits_all_keys_is_named(name: str) -> None:
    """Each formula that is known is told from the others over six partitions."""
    found = placing(keyed(lambda key, n: partition_of(key, 6, name)))
    assert name in found.names and "all 60 keys fit" in found.said


def test_round_robin_is_no_function_of_the_key() -> None:
    """A key on several partitions names kafka-go's default; one place by an unknown formula is told apart."""
    robin = placing(keyed(lambda key, n: n % 7 % 6))
    assert robin.names == [] and "kafka-go's default round robin" in robin.said
    own = placing(keyed(lambda key, n: sum(key) % 6))
    assert own.names == [] and "by no formula that is known" in own.said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (sample([plain(1)]), "a file has no partitions"),
        (topic([record(plain(1))]), "no keys"),
        (topic([record(plain(1), b"1")]), "one partition holds all keys"),
        (Sample("t", [[record(plain(1), b"1")], []], is_topic=True), "too few to tell"),
    ],
)
def test_what_no_sample_can_tell_is_said(given: Sample, said: str) -> None:
    """No keys, one partition, too few keys, a file."""
    assert said in placing(given).said


def test_the_order_of_time_is_measured_within_partitions() -> None:
    """How many events come behind a later one, and by how much."""
    draw = random.Random(3)
    rows = [plain(n) | {"timestamp": MS + n * 1000} for n in range(100)]
    assert found(sample(rows)).order == (0, 0)
    rows[50], rows[99] = rows[99], rows[50]
    assert found(sample(rows)).order == (49, 49_000)
    draw.shuffle(rows)
    assert found(sample(rows)).order.n_late > 50


def test_the_command_writes_what_can_be_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its output is a settings file; --json has the same; nothing that fits is exit code 1."""
    monkeypatch.chdir(tmp_path)
    Path("My log.csv").write_text(
        "visitorid,itemid,event,timestamp\n" + "".join(f"{n},a,addtocart,{MS}\n" for n in range(20))
    )
    outcome = freshet("sniff", "My log.csv")
    assert outcome.code == 0
    Path("freshet.toml").write_text(outcome.out)
    replayed = freshet("replay", "My log.csv", "--source", "My-log", "--inline", "--json")
    assert replayed.code == 0 and orjson.loads(replayed.out)["events"] == 20
    told = orjson.loads(freshet("sniff", "My log.csv", "--json").out)
    assert (told["fits"], told["parsed"], told["source"]["types"]) == (True, 20, {"addtocart": "add_to_cart"})
    Path("bad.jsonl").write_text('{"a": 1}\n')
    assert freshet("sniff", "bad.jsonl").code == 1


def test_sessions_are_mapped_as_any_lines_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OTTO's own form is known to replay; for sniff, and with a source, its lines are JSON with an array."""
    monkeypatch.chdir(tmp_path)
    Path("otto.jsonl").write_text(
        "".join(f'{{"session":{n},"events":[{{"aid":7,"ts":{MS},"type":"clicks"}}]}}\n' for n in range(20))
    )
    outcome = freshet("sniff", "otto.jsonl")
    assert outcome.code == 0, outcome.err
    Path("freshet.toml").write_text(outcome.out)
    replayed = freshet("replay", "otto.jsonl", "--source", "otto", "--inline", "--json")
    assert replayed.code == 0 and orjson.loads(replayed.out)["events"] == 20


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", '[\n{"user_id": 1}\n]\n', "jq -c '.[]'"),
        ("a.jsonl", "", "the file has no rows"),
    ],
)
def test_a_file_of_another_form_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, said: str
) -> None:
    """An array over many lines, no rows: with what to do, and exit code 1."""
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(text)
    outcome = freshet("sniff", name)
    assert outcome.code == 1 and said in outcome.out + outcome.err


@pytest.mark.parametrize("delimiter", ["\t", ";", "|"], ids=["tab", "semicolon", "pipe"])
def test_columns_between_other_delimiters_are_mapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, delimiter: str
) -> None:
    """Tab, semicolon and pipe are seen as a comma is."""
    monkeypatch.chdir(tmp_path)
    rows = [["visitorid", "itemid", "event", "timestamp"], *([str(n), f"i{n}", "view", str(MS + n)] for n in range(20))]
    Path("a.txt").write_text("".join(delimiter.join(row) + "\n" for row in rows))
    told = orjson.loads(freshet("sniff", "a.txt", "--json").out)
    assert (told["fits"], told["parsed"]) == (True, 20)


def test_a_row_of_another_width_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not as bytes that are no JSON."""
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{n},a,view,{MS}\n" for n in range(20))
    Path("a.csv").write_text(f"user,item,event,timestamp\n{rows}1,2\n")
    outcome = freshet("sniff", "a.csv")
    assert "refused: bad_type: the row has 2 cells, the header 4." in outcome.out


def test_every_alias_is_a_type_of_ours() -> None:
    """What `sniff` proposes is known to a worker."""
    from app.sniff.types import _OURS

    assert set(_OURS.values()) <= set(DEFAULT_TYPES)
    assert finding_json(found(sample([plain(1)])), sample([plain(1)]))["fits"]


def test_what_is_no_file_is_said_where_no_broker_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt file is looked for as a topic, and the message says so."""
    monkeypatch.setenv("FRESHET_BROKER", "127.0.0.1:1")
    outcome = freshet("sniff", "exprot.jsonl")
    assert (
        outcome.code == 1 and "there is no file exprot.jsonl; to look for a topic: Kafka at 127.0.0.1:1" in outcome.err
    )
