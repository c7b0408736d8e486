"""The live gauge: hits of published lists, the rate of late, and what it says when the rate changes."""

import logging
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.worker.gauge import EASE_S, MAX_LISTS, MAX_UNWATCHED, UNWATCHED, LiveGauge
from tables.list_json import ListItem
from tests.unit.models.test_drift import outcomes

ITEMS = [ListItem(f"i{place}", 1.0, "co_occurrence", ()) for place in range(30)]
HIT, NEARLY, MISS = "i3", "i15", "i25"


def gauge() -> LiveGauge:
    """One whose user u has a list."""
    made = LiveGauge()
    made.published("u", ITEMS)
    return made


def watched(hits: list[bool]) -> LiveGauge:
    """One that has taken these outcomes, and whose watch was begun after the first thousand."""
    made = gauge()
    for number, hit in enumerate(hits):
        if number == UNWATCHED:
            begin(made)
        made.test("u", HIT if hit else MISS)
    return made


def begin(made: LiveGauge) -> None:
    """Let a gauge have the time that a watch needs."""
    made.attend(is_behind=False, now=0.0)
    made.attend(is_behind=False, now=EASE_S)
    assert made.beginning is not None
    made.beginning.join()


def test_ranks_decide() -> None:
    """Among the first ten counts for both depths, among the next ten for one; beyond, and without a list, for none."""
    made = gauge()
    assert made.as_json() == {
        "n": 0, "hr@10": None, "hr@20": None, "recent": {"n": 0, "hr@10": None}, "n_drifts": 0, "last_drift": None,
    }  # fmt: skip
    for item_id in (HIT, NEARLY, MISS, "unknown"):
        made.test("u", item_id)
    made.test("nobody", HIT)
    assert made.as_json() == {
        "n": 4, "hr@10": 0.25, "hr@20": 0.5, "recent": {"n": 4, "hr@10": 0.25}, "n_drifts": 0, "last_drift": None,
    }  # fmt: skip


def test_only_the_users_published_last_are_remembered() -> None:
    """One more than there is room for pushes the oldest out."""
    made = gauge()
    for number in range(MAX_LISTS):
        made.published(f"v{number}", ITEMS)
    made.test("u", HIT)
    assert made.n == 0


def test_a_steady_rate(caplog: pytest.LogCaptureFixture) -> None:
    """20,000 tests: no drift, nothing said, the rate of late beside the rate of all."""
    hits = outcomes(1, (20_000, 0.2))
    with caplog.at_level(logging.INFO):
        said = watched(hits).as_json()
    assert said["n"] == 20_000 and said["hr@10"] == round(sum(hits) / 20_000, 5)
    assert said["recent"] == {"n": 1000, "hr@10": sum(hits[-1000:]) / 1000}
    assert (said["n_drifts"], said["last_drift"], caplog.records) == (0, None, [])


def test_a_rate_that_halves(caplog: pytest.LogCaptureFixture) -> None:
    """One drift, told once as a warning with both rates, and shown with them."""
    with caplog.at_level(logging.INFO):
        said = watched(outcomes(2, (6_000, 0.2), (3_000, 0.1))).as_json()
    drift = said["last_drift"]
    assert said["n_drifts"] == 1 and 6_000 < drift["at_test"] <= 7_000
    assert drift["before"] == pytest.approx(0.2, abs=0.02) and drift["now"] == pytest.approx(0.1, abs=0.05)
    assert said["recent"]["hr@10"] < 0.12 < said["hr@10"]
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        f"The live hit rate at 10 (lists as published) fell from {drift['before']:.3f} to {drift['now']:.3f} "
        f"over the last {drift['n_now']} tests, noticed at test {drift['at_test']}."
    )


def test_a_rate_that_rises_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    """It is told as news."""
    with caplog.at_level(logging.INFO):
        assert watched(outcomes(5, (4_000, 0.1), (3_000, 0.3))).as_json()["n_drifts"] == 1
    assert [record.levelno for record in caplog.records] == [logging.INFO]


def test_no_test_is_lost_between_threads() -> None:
    """Tests from four threads, also of the time when the watch begins: all are counted, by gauge and watch alike."""
    made = gauge()
    with ThreadPoolExecutor(4) as pool:
        taken = pool.map(lambda number: made.test("u", HIT if number % 2 else MISS), range(4 * UNWATCHED))
        while made.n < UNWATCHED:
            time.sleep(0.001)
        begin(made)
        list(taken)
    said = made.as_json()
    assert (said["n"], said["hr@10"]) == (4 * UNWATCHED, 0.5)
    assert said["recent"]["n"] == 1000 and made._watch is not None and made._watch.n == 4 * UNWATCHED


def test_a_backlog_is_folded_before_a_watch_is_begun() -> None:
    """It begins once the worker has kept up for ten seconds, with the last of what it has not watched."""
    made = gauge()
    for _ in range(UNWATCHED - 1 + MAX_UNWATCHED):
        made.test("u", MISS)
    for now, is_behind in ((0.0, False), (9.0, True), (10.0, False), (19.0, False)):
        made.attend(is_behind=is_behind, now=now)
        assert made.beginning is None
    made.attend(is_behind=False, now=20.0)
    assert made.beginning is not None
    made.beginning.join()
    assert made._watch is not None and made._watch.n == MAX_UNWATCHED
    before = made.beginning
    made.attend(is_behind=False, now=99.0)
    assert made.beginning is before


def test_few_tests_are_not_watched() -> None:
    """A worker that evaluates nobody never imports what it does not need."""
    made = gauge()
    for _ in range(UNWATCHED - 1):
        made.test("u", HIT)
    made.attend(is_behind=False, now=0.0)
    made.attend(is_behind=False, now=100.0)
    assert made.beginning is None


def test_river_is_imported_only_where_it_is_used() -> None:
    """Neither the commands nor a worker's modules nor a compiled rating model: it comes with hundreds of tests."""
    code = (
        "import sys, app.cli, app.commands.worker, app.worker.run, tables.partition as p, tables.fold_settings as s; "
        "p.PartitionState(0, 1, s.FoldSettings()); assert 'river' not in sys.modules; "
        "p.PartitionState(0, 1, s.FoldSettings(rating_model='river')); assert 'river' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
