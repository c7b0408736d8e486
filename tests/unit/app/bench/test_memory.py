"""The numbers of `freshet bench memory`, and its command."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from app.bench import memory
from app.bench.meaning import MEMORY
from app.bench.memory import compared, per_one, run_memory
from models.errors import ServiceError, SettingsError
from tests.command import freshet

FIGURES: dict[str, Any] = {
    "n_events": 60,
    "n_items": 20,
    "n_users": 5,
    "resident_bytes": 5000,
    "items": {"a.rows": 2000, "b": 1001, "c": 19},
    "users": {"recent": 1000},
    "rest": {"batch": 400},
    "view": {"ids": 100, "": 60},
    "checkpoint_items": 1200,
    "checkpoint_users": 800,
    "lists": 5,
    "listed": 100,
    "redis": 12_000,
}
PER_ONE: dict[str, Any] = {
    "items": 20,
    "users": 5,
    "events": 60,
    "bytes_per_item": 151.0,
    "resident_bytes_per_item": 200.0,
    "rest_bytes_per_item": 20.0,
    "view_bytes_per_item": 8.0,
    "checkpoint_bytes_per_item": 60.0,
    "bytes_per_user": 200.0,
    "checkpoint_bytes_per_user": 160.0,
    "lists": 5,
    "redis_bytes_per_list": 2400.0,
    "redis_bytes_per_listed_item": 120.0,
    "parts": {"a.rows": 100.0, "b": 50.0},
}


def without_lists(**changes: Any) -> dict[str, Any]:
    """The figures of a checkout whose lists are not asked for."""
    return {name: value for name, value in FIGURES.items() if name not in ("lists", "listed", "redis")} | changes


def test_figures_are_divided_by_what_they_are_of() -> None:
    """Users' arrays are taken off the resident set; parts below a byte an item are left out."""
    assert per_one(FIGURES) == PER_ONE
    assert list(per_one(FIGURES)) == [*MEMORY, "parts"]


def test_a_system_that_does_not_tell_leaves_a_gap() -> None:
    """None, and without lists no numbers of Redis."""
    found = per_one(without_lists(resident_bytes=None))

    assert found["resident_bytes_per_item"] is None
    assert "lists" not in found and "redis_bytes_per_list" not in found
    assert "resident_bytes_per_item" not in compared(PER_ONE, found)["ratio"]


def test_ratio_is_ours_by_theirs() -> None:
    """What only one of them has is in no ratio."""
    theirs = per_one(without_lists(items={"a.rows": 2000}, users={"recent": 500}, resident_bytes=4500))

    found = compared(PER_ONE, theirs)

    assert found["beside"] == theirs
    assert found["ratio"] == {
        "bytes_per_item": 1.51,
        "resident_bytes_per_item": 1.0,
        "rest_bytes_per_item": 1.0,
        "view_bytes_per_item": 1.0,
        "checkpoint_bytes_per_item": 1.0,
        "bytes_per_user": 2.0,
        "checkpoint_bytes_per_user": 1.0,
    }


def test_other_items_are_not_compared() -> None:
    """One that makes room, or refuses events, would look small."""
    with pytest.raises(ServiceError, match="items: 20 are held here, 19 beside it"):
        compared(PER_ONE, per_one(without_lists(n_items=19)))


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    """Before anything is folded."""
    with pytest.raises(SettingsError, match=r"there is no tables/partition\.py in it\. Give the folder"):
        run_memory(items=100, beside=tmp_path, redis_url=None, show_progress=False)


def answering(patch: pytest.MonkeyPatch, result: dict[str, Any]) -> list[dict[str, Any]]:
    """Let a measurement end at once; returns what it is asked."""
    calls: list[dict[str, Any]] = []

    def run(**given: Any) -> dict[str, Any]:
        calls.append(given)
        return result

    patch.setattr(memory, "run_memory", run)
    return calls


def test_flags_arrive_and_tables_compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """People get what is compared with its meaning, then the parts; programs all of it on a line."""
    result = compared(PER_ONE, per_one(without_lists(items={"a.rows": 2000, "d": 20})))
    calls = answering(monkeypatch, result)
    flags = ("--items", "300", "--beside", str(tmp_path), "--redis", "redis://r")

    for_programs = freshet("bench", "memory", *flags, "--json")
    for_people = freshet("bench", "memory", *flags)

    assert orjson.loads(for_programs.out) == result
    assert calls[0].pop("access")["redis_url"] == "redis://r"
    assert calls[0] == {"items": 300, "beside": tmp_path, "redis_url": "redis://r", "show_progress": False}
    lines = for_people.out.splitlines()
    assert lines[0] == "what\there\tbeside\tratio\tmeaning"
    assert f"bytes_per_item\t151.0\t101.0\t1.495\t{MEMORY['bytes_per_item']}" in lines
    assert f"lists\t5\t-\t-\t{MEMORY['lists']}" in lines
    assert lines[-4:] == [
        "bytes per item of\there\tbeside\tratio",
        "a.rows\t100.0\t100.0\t1.0",
        "b\t50.0\t-\t-",
        "d\t-\t1.0\t-",
    ]


def test_without_another_checkout_there_is_one_column(monkeypatch: pytest.MonkeyPatch) -> None:
    """And 200,000 items, as nothing else is said."""
    calls = answering(monkeypatch, PER_ONE)

    outcome = freshet("bench", "memory")

    assert (outcome.code, calls[0]["items"]) == (0, 200_000)
    assert outcome.out.splitlines()[0] == "what\there\tmeaning"
    assert outcome.out.splitlines()[-1] == "b\t50.0"
