"""`--order`: the same bytes give the same numbers, and what comes late is told, by `replay` and `evaluate` alike."""

from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest
from pyarrow import parquet

from app.settings import Settings
from tests.command import Outcome, freshet

COMMANDS = (("replay", "--inline"), ("evaluate",))
START_S = 1_000_000_000
HOUR_S = 3600
N_USERS, N_EACH = 12, 15
HEADER = "userId,movieId,rating,timestamp"
NAMES = ("--column", "user_id=userId", "--column", "item_id=movieId", "--column", "value=rating")
MAPPED = (*NAMES, "--event-type", "rating", "--timestamp-unit", "s")


def ratings() -> list[tuple[int, int, float, int]]:
    """Ratings as MovieLens has them: grouped by user, everybody's spread over months, some at the same second."""
    return [
        (user, (user + 3 * n) % 11 + n, 1 + (user * n) % 9 / 2, START_S + (n * 7 + user) // 2 * 50 * HOUR_S)
        for user in range(N_USERS)
        for n in range(N_EACH)
    ]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without settings, with the log under its own name and under another one."""
    monkeypatch.chdir(tmp_path)
    content = "\n".join([HEADER, *(",".join(map(str, row)) for row in ratings())])
    Path("set").mkdir()
    for path in (Path("set", "ratings.csv"), Path("mine.csv")):
        path.write_text(content + "\n")


def said(outcome: Outcome) -> dict[str, Any]:
    """The result without its name and its times."""
    assert outcome.code == 0, outcome.err
    result: dict[str, Any] = orjson.loads(outcome.out.splitlines()[-1])
    return {name: value for name, value in result.items() if name not in ("seconds", "log")}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("order", ["time", "file"])
def test_the_same_bytes_give_the_same_numbers(command: tuple[str, ...], order: str) -> None:
    """A known set and the same file under another name, mapped by flags: equal in every number, in either order."""
    how = ("--order", order, "--json")
    own = said(freshet(*command, "set", *how, settings=Settings(evaluate_fraction=1.0)))
    mapped = said(freshet(*command, "mine.csv", *MAPPED, *how, settings=Settings(evaluate_fraction=1.0)))
    assert own == mapped
    assert (own.get("order"), own.get("late", 0) > 0) == ((None, False) if order == "time" else ("file", "late" in own))


def test_every_kind_of_file_is_sorted() -> None:
    """Text, lines of JSON, Parquet, by flags and by a source: one log, one digest; that of the file's order differs."""
    rows = [dict(zip(HEADER.split(","), row, strict=True)) for row in ratings()]
    Path("mine.jsonl").write_bytes(b"\n".join(map(orjson.dumps, rows)))
    parquet.write_table(pa.Table.from_pylist(rows), "mine.parquet")
    Path("freshet.toml").write_text(
        '[sources.films]\nuser_id = "userId"\nitem_id = "movieId"\nvalue = "to_number(rating)"\ntime = "s"\n'
        'constants = { event_type = "rating" }\n'
    )
    digests = {
        (name, way[0]): said(freshet("replay", name, *way, "--inline", "--json"))["digest"]
        for name in ("mine.csv", "mine.jsonl", "mine.parquet")
        for way in (MAPPED, ("--source", "films"))
    }
    assert len(set(digests.values())) == 1, digests
    by_file = said(freshet("replay", "mine.csv", *MAPPED, "--order", "file", "--inline", "--json"))
    assert by_file["digest"] not in digests.values()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_an_order_that_is_kept_is_told(command: tuple[str, ...]) -> None:
    """How many events come late, as the fold of one partition counts them; a loud warning that says what to do."""
    outcome = freshet(*command, "mine.csv", *MAPPED, "--order", "file", "--json")
    result = said(outcome)
    n_late, n = result["late_in_file"], N_USERS * N_EACH
    assert n_late > n / 2 and result.get("late", n_late) == n_late
    assert (
        f"WARNING: mine.csv: in the order of the file {n_late} of {n} events ({n_late / n:.1%}) come late"
        in outcome.err
    )
    assert "Leave out --order file: events are then sorted by time." in outcome.err
    assert freshet(*command, "mine.csv", *MAPPED, "--json").err == ""


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_few_late_events_are_no_warning(command: tuple[str, ...]) -> None:
    """One in 250 is a word; none at all is silence."""
    views = [f"u{n % 9},i{n % 5},{START_S + n * 60}" for n in range(250)]
    for rows, words in ((views, 0), ([*views[:-1], f"u1,i1,{START_S}"], 1)):
        Path("views.csv").write_text("\n".join(["user_id,item_id,timestamp", *rows]))
        how = ("views.csv", "--event-type", "view", "--timestamp-unit", "s", "--order", "file", "--json")
        outcome = freshet(*command, *how)
        assert (said(outcome)["late_in_file"], "WARNING" in outcome.err) == (words, False)
        assert outcome.err.count("1 of 250 events (0.4%) come late, more than 3600 s behind others.") == words


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_log_without_times_is_read_in_its_order(command: tuple[str, ...]) -> None:
    """It is refused with the flag to say; with it, events get times, which is told; none is late or a dead letter."""
    Path("films.csv").write_text("\n".join(["userId,movieId,rating", *(f"{u},{i},{r}" for u, i, r, _ in ratings())]))
    how = ("films.csv", *NAMES, "--event-type", "rating", "--json")
    refused = freshet(*command, *how)
    assert refused.code == 1 and "a log without times needs --timestamp-unit none" in refused.err
    outcome = freshet(*command, *how, "--timestamp-unit", "none")
    result = said(outcome)
    assert result["dead_letters"] in (0, {}) and result.get("late", 0) == 0
    assert "the first 2000-01-01T00:00:00Z, each one second later than the one before it" in outcome.err


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_lines_of_json_without_times_name_the_flag(command: tuple[str, ...]) -> None:
    """All of them dead letters for want of a time: what to say if there is none."""
    Path("log.jsonl").write_text('{"user_id":"u","item_id":"i","event_type":"view"}\n' * 3)
    outcome = freshet(*command, "log.jsonl")
    assert outcome.code == 1
    assert "If it has no times at all, say --timestamp-unit none: the order of its rows then counts." in outcome.err


def test_ratings_of_another_scale_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How far they run, what becomes of those outside, and the setting; with it there is nothing to say."""
    log = tmp_path / "books.csv"
    rows = [f"u{n % 5},b{n},{6 + 4 * (n % 2)},{1_700_000_000 + n}" for n in range(20)] + ["u1,b1,4,1700000100"]
    log.write_text("\n".join(["user_id,item_id,value,timestamp", *rows]))
    flags = ("evaluate", str(log), "--event-type", "rating", "--timestamp-unit", "s", "--json")
    refused = freshet(*flags)
    assert "its 21 ratings run from 4 to 10; those outside of 0.5 to 5 are dead letters" in refused.err
    assert "FRESHET_RATING_SCALE='[1, 10]'" in refused.err
    assert orjson.loads(refused.out)["dead_letters"] == {"out_of_range": 20}
    monkeypatch.setenv("FRESHET_RATING_SCALE", "[1, 10]")
    taken = freshet(*flags)
    assert "WARNING" not in taken.err and orjson.loads(taken.out)["ratings"]["n"] == 21
