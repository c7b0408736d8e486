"""`freshet bench stream`."""

import orjson
import pytest

from app.bench import stream
from app.bench.meaning import STREAM
from models.errors import StateError
from tests.command import freshet

RESULT = {"pipeline_events_per_s": 12_000, "stock_events_per_s": None, "max_stall_ms": 8.5}


def test_flags_arrive_and_the_result_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Services given are used; without the plain agent its fields are null in JSON and a dash for people."""
    calls: list[dict[str, object]] = []

    def run(**arguments: object) -> dict[str, object]:
        calls.append(arguments)
        return dict(RESULT)

    monkeypatch.setattr(stream, "run_stream", run)
    flags = ["--copies", "2", "--partitions", "3", "--no-stock", "--broker", "k:1", "--redis", "redis://r"]

    for_programs = freshet("bench", "stream", *flags, "--json")
    for_people = freshet("bench", "stream", *flags)

    assert for_programs.code == for_people.code == 0
    assert orjson.loads(for_programs.out) == RESULT
    assert for_people.out.splitlines() == [
        "what\tnumber\tmeaning",
        *(f"{name}\t{number}\t{STREAM[name]}" for name, number in zip(RESULT, ("12,000", "-", "8.5"))),
    ]
    access = calls[0].pop("access")
    assert isinstance(access, dict)
    assert (access["broker"], access["redis_url"]) == ("k:1", "redis://r")
    assert calls[0] == {
        "copies": 2,
        "partitions": 3,
        "stock": False,
        "broker": "k:1",
        "redis_url": "redis://r",
        "show_progress": False,
    }


def test_wrong_list_fails_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The examples go to standard error, and no number is printed."""

    def run(**_arguments: object) -> dict[str, object]:
        raise StateError("1 of 9 lists in Redis do not answer their user's last event:\n  user 7")

    monkeypatch.setattr(stream, "run_stream", run)

    outcome = freshet("bench", "stream", "--json")

    assert (outcome.code, outcome.out) == (1, "")
    assert "user 7" in outcome.err
