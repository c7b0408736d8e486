"""`freshet evaluate`: what people and programs see, the file of lists, and what is refused."""

import re
import sys
from pathlib import Path

import orjson
import pytest

from tests.command import freshet
from tests.logs import made_log


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log of some hundred events, in a folder without settings."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"\n".join(record.value or b"" for record in made_log(5, 600, 30, 60)))
    return path


def test_people_see_metrics_differences_and_segments(log: Path) -> None:
    """What was tested, what was not and why, and a row for each list in every table."""
    outcome = freshet("evaluate", str(log), "--partitions", "2", "--delay", "0,100,1h")

    assert outcome.code == 0
    for said in (
        "2 partitions, others' shares seen every 1,000 records",
        "tests on",
        "repeats: items that their user had already",
        "no events: ",
        "; the first: ",
        "The first 10 places",
        "The first 20 places",
        "95 % intervals",
        "cold users",
        "predicted, then learned: MAE ",
        ", RMSE ",
    ):
        assert said in outcome.out
    rows = [line.split("\t") for line in outcome.out.splitlines() if "\t" in line]
    for name in (
        "the list",
        "co-occurrence alone",
        "without history",
        "popularity",
        "recency",
        "last item",
    ):
        assert sum(row[0] == name for row in rows) == (3 if name == "the list" else 4), name
    late = [row[0] for row in rows[[row[0] for row in rows].index("late by") :]]
    assert late[:4] == ["late by", "0, the list", "1h", "100 records"]


def test_programs_get_one_line_of_json(log: Path) -> None:
    """With every list, metric and segment; the same numbers each time."""
    once, again = (orjson.loads(freshet("evaluate", str(log), "--json", "--sample", "0.5").out) for _ in range(2))

    assert {**once, "seconds": 0} == {**again, "seconds": 0}
    assert once["log"] == "log.jsonl" and once["sample"] == 0.5
    assert once["tests"] + sum(once["left_out"].values()) == once["records"] > 500
    assert once["left_out"]["user_not_sampled"] > 0
    assert {"hr@10", "map@20", "gini@10", "novelty@20", "coverage@10"} <= once["lists"]["list"].keys()
    assert set(once["differences"]) == set(once["lists"]) - {"list"}
    assert once["segments"]["warm users"]["list"].keys() == {"hr@10", "hr@20"}


def test_lists_of_all_users_are_written(log: Path) -> None:
    """One line per user, of items in order, as large as lists are; an older file is replaced."""
    file = log.with_name("lists.jsonl")
    file.write_text("old")

    outcome = freshet("evaluate", str(log), "--json", "--lists", str(file))

    lists = [orjson.loads(line) for line in file.read_bytes().splitlines()]
    assert f"{len(lists)} lists written to" in outcome.err
    assert len({each["user_id"] for each in lists}) == len(lists) > 20
    for each in lists:
        assert 0 < len(each["items"]) <= 30
        assert each["items"][0].keys() == {"id", "score", "source", "because"}
    assert [path.name for path in log.parent.iterdir() if path.name.startswith(".")] == []


def test_a_picture_is_written_beside_the_output(log: Path) -> None:
    """As its name says, in either case of letters; the tables are those that people see."""
    page, png = log.with_name("page.HTML"), log.with_name("p.png")

    outcome = freshet("evaluate", str(log), "--picture", str(page), "--delay", "1m")
    drawn = freshet("evaluate", str(log), "--picture", str(png), "--json")

    assert (outcome.code, drawn.code) == (0, 0)
    assert f"picture written to {page}" in outcome.err and f"picture written to {png}" in drawn.err
    assert png.read_bytes().startswith(b"\x89PNG\r\n")
    cells = set(re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", page.read_text("utf-8")))
    shown = {cell for line in outcome.out.splitlines() if "\t" in line for cell in line.split("\t")}
    assert len(shown) > 100 and shown <= cells


def test_a_catalogue_says_how_varied_lists_are(log: Path) -> None:
    """By categories with one, by users without; the table says which."""
    catalogue = log.with_name("items.jsonl")
    catalogue.write_bytes(
        b"\n".join(orjson.dumps({"item_id": f"i{n}", "categories": [f"c{n % 3}"]}) for n in range(60))
    )

    by_users = freshet("evaluate", str(log))
    by_categories = freshet("evaluate", str(log), "--catalogue", str(catalogue))
    refused = freshet("evaluate", str(log), "--catalogue", str(log))

    assert "Diversity: 1 - cosine of the users who had taken to two items" in by_users.out
    assert "Diversity: 1 - Jaccard of two items' categories" in by_categories.out
    assert (refused.code, refused.out) == (1, "")
    assert "log.jsonl: no item has categories" in refused.err or "log.jsonl, row" in refused.err


def test_without_matplotlib_there_is_no_picture(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install, before any work."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    outcome = freshet("evaluate", str(log), "--picture", "page.html")

    assert (outcome.code, outcome.out) == (1, "")
    assert "--picture needs matplotlib, which is not installed: pip install 'freshet[plots]'." in outcome.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("nothing.jsonl",), 1, "nothing.jsonl: cannot be read"),
        (("log.jsonl", "--lists", "no/where.jsonl"), 1, "its folder is not there"),
        (("log.jsonl", "--lists", "."), 1, "it is a folder"),
        (("log.jsonl", "--picture", "log.svg"), 2, "log.svg: the name says which picture: end it with .html or .png"),
        (("log.jsonl", "--picture", "no/where.png"), 1, "--picture no/where.png: cannot be written"),
        (("log.jsonl", "--sample", "0"), 2, "--sample"),
        (("log.jsonl", "--partitions", "0"), 2, "--partitions"),
        (("log.jsonl", "--delay", "1w"), 2, "use numbers of records (1000) and times with one of the units"),
        (("log.jsonl", "--delay", "5,-1"), 2, "'-1' in '5,-1'"),
        (("log.jsonl", "--source", "web", "--event-type", "view"), 2, "leave out --event-type"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_cannot_be_done_is_said_at_once(log: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    """A clear line on standard error, and nothing on standard output."""
    outcome = freshet("evaluate", *arguments)

    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err


def test_a_log_without_tests_says_what_a_test_is(log: Path) -> None:
    """Impressions alone: counts, and why there is no table."""
    event = {"user_id": "u", "item_id": "i", "event_type": "impression", "timestamp": 1_700_000_000_000}
    log.write_bytes(orjson.dumps(event))

    outcome = freshet("evaluate", str(log), "--picture", "none.png")

    assert outcome.code == 0
    assert "none.png not written" in outcome.err and not Path("none.png").exists()
    assert "1 not positive" in outcome.out
    assert "a test is a positive event on an item new to its user" in outcome.out
