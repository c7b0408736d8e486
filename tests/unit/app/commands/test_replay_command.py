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


def test_a_log_in_seconds_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is folded as it is, with exit code 0 and a word on standard error; not so where the unit is said."""
    monkeypatch.chdir(tmp_path)
    event = {"user_id": "u", "item_id": "i", "event_type": "view"}
    stamps = [*range(1_790_000_000, 1_790_000_006), 1_790_000_000_000, 1_790_000_000_001]
    path = tmp_path / "secs.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps({**event, "timestamp": stamp}) for stamp in stamps))

    outcome = freshet("replay", str(path), "--inline", "--json")

    assert (outcome.code, orjson.loads(outcome.out)["events"]) == (0, 8)
    assert "6 of the first 8 timestamps of secs.jsonl look like seconds, e.g. 1790000000" in outcome.err
    assert "say --timestamp-unit s." in outcome.err
    path.write_bytes(path.read_bytes().rsplit(b"\n", 2)[0])
    assert "look like" not in freshet("replay", str(path), "--inline", "--timestamp-unit", "s").err


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
