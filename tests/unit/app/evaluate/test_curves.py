"""What a picture shows, as numbers."""

from typing import Any

import pytest

from app.evaluate import curves
from app.evaluate.baselines import NAMES, POPULARITY
from app.evaluate.delays import parse_delays
from app.evaluate.lists import ALONE, SERVED, WITHOUT
from app.evaluate.result import result_of
from app.evaluate.run import EvaluationSettings
from tables.list_settings import AGAIN, START
from tests.evaluations import evaluated, log_records
from tests.logs import made_log


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    """Of a log of some thousand events, with delays of both kinds."""
    log = log_records(made_log(21, 2600, 30, 80))
    return result_of(evaluated(log, EvaluationSettings(delays=parse_delays("1m,1d,50,2000"))))


def test_curves_along_the_log_have_the_rates_of_all_tests(result: dict[str, Any]) -> None:
    """The list, the best source alone and popularity; over all blocks, by tests, they are the rates of the tables."""
    found = curves.over_time(result)

    assert [curve.role for curve in found] == [SERVED, ALONE, POPULARITY]
    assert found[0].x == [500.0, 1500.0, 2300.0]
    n = [block["tests"] for block in result["series"]]
    names = (SERVED, result["best_alone"], POPULARITY)
    for curve, name in zip(found, names, strict=True):
        mean = sum(rate * tests for rate, tests in zip(curve.y, n, strict=True)) / sum(n)
        assert mean == pytest.approx(result["lists"][name]["hr@10"], abs=1e-4)
    alone = {name: rates["hr@10"] for name, rates in result["lists"].items() if name.endswith(ALONE)}
    assert alone[result["best_alone"]] == max(alone.values())


def test_weights_go_from_the_start_to_what_they_are(result: dict[str, Any]) -> None:
    """A line for each source that counts, ending at the weights of now; none if nothing was learned."""
    blend = result["blend"]
    found = {each.name: each for each in curves.weights(result)}

    assert {name: (each.known[0], each.new[0]) for name, each in found.items()} == {
        name: (start, start) for name, start in START.items() if start > 0.0 and name not in AGAIN
    }
    for name, each in found.items():
        assert (each.n[0], each.n[-1]) == (0, blend["n"]) and len(each.n) == len(each.known) == len(each.new)
        assert (each.known[-1], each.new[-1]) == (blend["weights"][name]["60"], blend["weights"][name]["0"])
    assert curves.weights({"blend": {}}) == curves.weights({"blend": {**blend, "n": 0}}) == []


def test_blocks_are_joined_until_there_is_something_to_see() -> None:
    """50 tests at least, 60 points at most; what is left joins the last; few tests are one point."""
    series = [
        {"block": number, "tests": 20, "hr@10": number % 2, "best_alone_hr@10": 0.5, "popularity_hr@10": 0.0}
        for number in range(10)
    ]
    (first, *_) = curves.over_time({"series": series, "tests": 200, "records": 10_000, "best_alone": "a alone"})
    assert first.x == [1500.0, 4500.0, 8000.0]
    assert first.y == pytest.approx([1 / 3, 2 / 3, 1 / 2])

    (one, *_) = curves.over_time({"series": series[:1], "tests": 20, "records": 600, "best_alone": "a alone"})
    assert (one.x, one.y) == ([300.0], [0.0])

    many = [{**series[0], "block": number, "tests": 100} for number in range(1000)]
    (long, *_) = curves.over_time({"series": many, "tests": 100_000, "records": 10**6, "best_alone": "a alone"})
    assert 55 <= len(long.x) <= 60


def test_bars_stand_in_order_with_the_interval_around_their_own_rate(result: dict[str, Any]) -> None:
    """The list has none; another's reaches the list's rate just if the difference's interval holds 0."""
    first, *others = curves.bars(result)

    assert (first.name, first.low, first.high) == ("the list", None, None)
    roles = [each.role for each in others]
    n_sources = len(START) - len(AGAIN)
    assert roles == [ALONE] * n_sources + [WITHOUT] * n_sources + [POPULARITY] * len(NAMES)
    differences = [found for name, found in result["differences"].items() if not name.endswith(" ago")]
    for each in others:
        assert each.low is not None and each.high is not None
        assert each.low <= each.rate + 1e-4 and each.rate <= each.high + 1e-4
    reaching = [each for each in others if each.high is not None and each.low is not None]
    by_bars = sum(each.low <= first.rate <= each.high for each in reaching if each.low is not None and each.high)
    by_table = sum(found["hr@10"]["low"] <= 0 <= found["hr@10"]["high"] for found in differences)
    assert by_bars == by_table


def test_freshness_is_a_curve_for_times_and_one_for_records(result: dict[str, Any]) -> None:
    """Both begin with the list, side by side, each point with its name and interval; none without delays."""
    times, records = curves.freshness(result)

    assert (times.x, records.x) == ([0.0, 1.0, 2.0], [4.0, 5.0, 6.0])
    assert curves.ticks(result) == [(0.0, "0"), (1.0, "1m"), (2.0, "1d"), (4.0, "0"), (5.0, "50"), (6.0, "2k")]
    for curve, names in (
        (times, (SERVED, "1m ago", "1d ago")),
        (records, (SERVED, "50 records ago", "2,000 records ago")),
    ):
        assert curve.y == [result["lists"][name]["hr@10"] for name in names]
        assert curve.low is not None and curve.high is not None
        assert all(low <= y + 1e-4 and y <= high + 1e-4 for low, y, high in zip(curve.low, curve.y, curve.high))
    assert curves.freshness({**result, "delays": []}) == []
