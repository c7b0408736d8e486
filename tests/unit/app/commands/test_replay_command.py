"""`freshet replay`: flags that go together, what people see, and a broker that goes away."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from aiokafka.errors import KafkaTimeoutError

from app.settings import Settings
from tests.command import freshet
from tests.logs import made_log


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log of some hundred events, in a folder without settings."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"\n".join(record.value or b"" for record in made_log(5, 600, 30, 60)))
    return path


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--partitions", "1"), "--partitions goes with --inline or --isolated"),
        (("--chunk", "1000"), "--chunk goes with --inline."),
        (("--isolated", "--chunk", "7"), "--chunk goes with --inline."),
        (("--isolated", "--beside", "4"), "--beside goes with --inline."),
        (("--isolated", "--partitions", "2", "--shares-every", "9"), "--shares-every goes with --inline."),
        (("--inline", "--shares-every", "1000"), "--shares-every goes with --partitions or --beside"),
        (("--inline", "--local"), "--local goes with --isolated."),
        (("--inline", "--isolated"), "two ways to do it: choose one"),
    ],
    ids=" ".join,
)
def test_flag_that_would_be_ignored_is_refused(log: Path, flags: tuple[str, ...], said: str) -> None:
    """A flag that has no meaning here ends with 2 and says where it has one, whatever its value."""
    outcome = freshet("replay", str(log), *flags)

    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err


def test_people_see_fingerprint_and_main_settings(log: Path) -> None:
    """One line of what shaped the state, and the fingerprint that digests are compared under."""
    outcome = freshet("replay", str(log), "--inline", settings=Settings(history_size=9, evaluate_fraction=1.0))

    lines = dict(line.split(": ", 1) for line in outcome.out.splitlines() if ": " in line)
    assert lines["fingerprint"] == Settings(history_size=9, evaluate_fraction=1.0).fold.fingerprint()
    assert lines["settings"].startswith("history 9, decay 0.9, exponents 0.7 and 0.35")
    assert int(lines["dead_letters.not_json"]) > 0


def stamped(path: Path, *stamps: object) -> Path:
    """A log of one event at each of these times."""
    event = {"user_id": "u", "item_id": "i", "event_type": "view"}
    path.write_bytes(b"\n".join(orjson.dumps({**event, "timestamp": stamp}) for stamp in stamps))
    return path


@pytest.mark.parametrize("command", [("replay", "--inline"), ("evaluate",)], ids=" ".join)
def test_a_log_in_seconds_is_refused(log: Path, command: tuple[str, ...]) -> None:
    """Exit code 1, the first record, what it looks like and the flag; with the flag it is read."""
    path = str(stamped(log.with_name("secs.jsonl"), *range(1_700_000_000, 1_700_000_006)))

    outcome = freshet(*command, path, "--json")

    assert (outcome.code, outcome.out) == (1, "")
    assert "secs.jsonl: none of its first 6 records is an event.\nout_of_range: 6, the first is record 1" in outcome.err
    assert "timestamp has value 1700000000: looks like seconds. Send Unix milliseconds" in outcome.err
    assert "If its times are seconds, say --timestamp-unit s." in outcome.err
    said = freshet(*command, path, "--json", "--timestamp-unit", "s")
    assert (said.code, said.err, orjson.loads(said.out)["dead_letters"] in (0, {})) == (0, "", True)


def test_times_in_seconds_are_dead_letters_among_others(log: Path) -> None:
    """Where some are milliseconds, those are folded, and the others counted."""
    path = stamped(log.with_name("some.jsonl"), 1_700_000_000, 1_700_000_000_000, 99_999_999_999, 100_000_000_000)

    result = orjson.loads(freshet("replay", str(path), "--inline", "--json").out)

    assert (result["events"], result["dead_letters"]) == (2, 2)
    assert result["counters"]["dead_letters.out_of_range"] == 2


@pytest.mark.parametrize("command", [("replay", "--inline"), ("evaluate",)], ids=" ".join)
def test_a_log_of_dead_letters_shows_the_first_of_each_reason(log: Path, command: tuple[str, ...]) -> None:
    """Exit code 1, and for every reason its count, the first record, the message and the fields that there are."""
    path = log.with_name("nested.jsonl")
    path.write_bytes(
        b'{"event": "view", "properties": {"product_id": "p1"}}\n' * 3
        + b"no json\n"
        + b'{"user_id": "u", "item_id": "i", "event_type": "view", "timestamp": 0}\n'
    )

    outcome = freshet(*command, str(path))

    assert (outcome.code, outcome.out) == (1, "")
    heading, missing, *others, deeper, advice = outcome.err.splitlines()
    assert heading.endswith("nested.jsonl: none of its first 5 records is an event.")
    assert missing.startswith("""missing_field: 3, the first is record 1, '{"event": "view", "properties": {"product""")
    assert missing.endswith(": user_id is missing. Send a string or an integer. The record has 'event', 'properties'.")
    assert [line.split(", '")[0] for line in others] == [
        "not_json: 1, the first is record 4",
        "out_of_range: 1, the first is record 5",
    ]
    assert deeper == "What stands deeper is named by its path: e.g. --column item_id=properties.product_id."
    assert advice == "`freshet sniff nested.jsonl` looks for a format or a mapping that fits."


@pytest.mark.parametrize("name", ["missing.jsonl", "missing.csv"])
def test_a_column_that_is_missing_names_those_that_are_there(log: Path, name: str) -> None:
    """A misspelt --column ends with 1 and the names to choose from, in lines of JSON as in tables."""
    path = log.with_name(name)
    row = {"visitor": "u", "item_id": "i", "event_type": "view", "timestamp": 1_700_000_000_000}
    table = ",".join(row) + "\n" + ",".join(map(str, row.values()))
    path.write_bytes(orjson.dumps(row) if name.endswith("jsonl") else table.encode())

    outcome = freshet("replay", str(path), "--inline", "--column", "user_id=visitorid")

    assert outcome.code == 1
    assert "visitor" in outcome.err.replace("visitorid", "") and "event_type" in outcome.err
    assert "'visitorid'" in outcome.err


def test_an_optional_column_that_is_missing_is_told(log: Path) -> None:
    """Lines of JSON have no header: a value that no record has is a word on standard error, and the log is read."""
    path = str(stamped(log.with_name("told.jsonl"), 1_700_000_000_000))

    outcome = freshet("replay", path, "--inline", "--json", "--column", "value=stars", "--column", "user_id=user_id")

    assert (outcome.code, orjson.loads(outcome.out)["events"]) == (0, 1)
    assert "no 'stars' (for value) in the first records; there are 'user_id', 'item_id', " in outcome.err
    assert "for user_id" not in outcome.err


@pytest.mark.timeout(120)  # two more processes start
def test_hit_rates_in_other_numbers_of_partitions(log: Path) -> None:
    """They are those of a replay in so many partitions; nothing else in the result changes."""
    columns = ("--column", "item_id=item_id", "--json", "--inline", "--shares-every", "50")
    alone = orjson.loads(freshet("replay", str(log), *columns, "--partitions", "1").out)
    four = orjson.loads(freshet("replay", str(log), *columns, "--partitions", "4").out)

    both = orjson.loads(freshet("replay", str(log), *columns, "--beside", "4", "--beside", "1").out)

    beside = both.pop("beside")
    rates = {
        name: {k: of["prequential"][k] for k in ("hr@10", "hr@20")}
        | {f"published_{k}": of["published"]["lists"]["list"][k] for k in ("hr@10", "hr@20")}
        for name, of in (("1", alone), ("4", four))
    }
    assert beside == rates
    assert beside["1"] != beside["4"]
    assert {**both, "seconds": 0} == {**alone, "seconds": 0}


@pytest.mark.parametrize(("partitions", "fraction"), [("1", 1.0), ("4", 1.0), ("4", 0.5)])
def test_published_list_is_scored_as_by_evaluate(log: Path, partitions: str, fraction: float) -> None:
    """Partitions named, the list that people would get has the numbers of `freshet evaluate` with the same settings."""
    settings = Settings(evaluate_fraction=fraction)
    how = (str(log), "--partitions", partitions, "--shares-every", "50", "--json")

    published = orjson.loads(freshet("replay", "--inline", *how, settings=settings).out)["published"]

    evaluated = orjson.loads(freshet("evaluate", *how, "--sample", str(fraction), settings=settings).out)
    lists, differences = published.pop("lists"), published.pop("differences")
    assert lists == {name: evaluated["lists"][name] for name in ("list", "popularity", "recency", "last_item")}
    assert differences == {name: evaluated["differences"][name] for name in ("popularity", "recency", "last_item")}
    assert published == {name: evaluated[name] for name in published}
    assert published["tests"] > 20 and published["shares_every"] == 50


def test_published_list_is_scored_where_partitions_are_named(log: Path) -> None:
    """A plain replay, and one that evaluates nobody, score no published list; the digest is the same either way."""
    plain = orjson.loads(freshet("replay", str(log), "--inline", "--json").out)
    named = orjson.loads(freshet("replay", str(log), "--inline", "--partitions", "1", "--chunk", "7", "--json").out)
    nobody = orjson.loads(
        freshet(
            "replay", str(log), "--inline", "--partitions", "1", "--json", settings=Settings(evaluate_fraction=0.0)
        ).out
    )

    assert named.pop("published")["tests"] == plain["prequential"]["n"] > 0
    assert {**named, "seconds": 0} == {**plain, "seconds": 0}
    assert "published" not in nobody and nobody["prequential"]["n"] == 0


def test_people_see_the_published_list_beside_the_folds_own(log: Path) -> None:
    """A row of the table, with what it means below; no such row without partitions named."""
    scored = freshet("replay", str(log), "--inline", "--partitions", "4", "--shares-every", "70")
    plain = freshet("replay", str(log), "--inline")

    assert (scored.code, plain.code) == (0, 0)
    assert "as published" in scored.out and "every 70 records" in " ".join(scored.out.split())
    assert "ublished" not in plain.out


def test_process_beside_that_fails_is_an_error(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last words are ours, and the exit code is 1."""
    monkeypatch.setattr("app.replay.beside.COMMAND", ("sh", "-c", "echo no memory >&2; exit 3"))

    outcome = freshet("replay", str(log), "--inline", "--beside", "2")

    assert (outcome.code, outcome.out) == (1, "")
    assert "the fold in 2 partitions beside ended with code 3: no memory" in outcome.err


def test_broker_that_goes_away_while_sending(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the client raises in the middle of the log is one clear line and exit code 1."""
    n_sent = 0

    async def send(topic: str, **record: Any) -> Any:
        nonlocal n_sent
        n_sent += 1
        raise KafkaTimeoutError("no broker for 40 s")

    async def nothing(*args: object) -> None:
        pass

    @asynccontextmanager
    async def producer(*args: object) -> AsyncIterator[Any]:
        yield SimpleNamespace(send=send)

    monkeypatch.setattr("app.worker.preflight.prepare_topics", nothing)
    monkeypatch.setattr("app.replay.warn.warn_if_old", nothing)
    monkeypatch.setattr("app.replay.send.log_producer", producer)

    outcome = freshet("replay", str(log), settings=Settings(broker="far:9092"))

    assert (outcome.code, outcome.out, n_sent) == (1, "", 1)
    assert outcome.err.startswith("freshet: Kafka at far:9092 refused: KafkaTimeoutError('no broker for 40 s')")
