"""What `freshet top` works out of two looks."""

import math
from typing import Any

import pytest

from app.commands.top import headlines
from app.kafka_admin import Group
from app.top.look import Look
from app.top.numbers import compare, quantile_ms
from app.top.scrape import Scraped, parse

TEXT = """\
# TYPE freshet_events counter
freshet_events_total{{partition="0"}} {events}
# TYPE freshet_lag_records gauge
freshet_lag_records{{partition="0"}} {lag}
# TYPE freshet_lists_published counter
freshet_lists_published_total {lists}
# TYPE freshet_live_tests counter
freshet_live_tests_total 40
# TYPE freshet_live_hits counter
freshet_live_hits_total{{depth="10"}} 10
freshet_live_hits_total{{depth="20"}} 20
# TYPE freshet_stage_seconds histogram
freshet_stage_seconds_bucket{{stage="total",le="0.01"}} {fast}
freshet_stage_seconds_bucket{{stage="total",le="0.02"}} {all}
freshet_stage_seconds_bucket{{stage="total",le="+Inf"}} {all}
freshet_stage_seconds_count{{stage="total"}} {all}
freshet_stage_seconds_sum{{stage="total"}} 1
freshet_stage_seconds_bucket{{stage="fold",le="+Inf"}} 999
"""


def worker(**values: float) -> Scraped:
    """What one worker says."""
    return parse("w:1", TEXT.format(**values))


def a_look(at_s: float, end: int, *workers: Scraped) -> Look:
    """Two partitions, of which the second is quiet and saved."""
    return Look(at_s, {0: end, 1: 7}, {0: 100, 1: 7}, Group("Stable", ("a at h",)), workers)


FIRST = a_look(10.0, 110, worker(events=100, lag=2, lists=50, fast=1000, all=1000))
SECOND = a_look(12.0, 130, worker(events=120, lag=5, lists=60, fast=1010, all=1020))


def test_rates_are_between_the_looks_and_all_else_is_of_the_second() -> None:
    """Of the twenty lists in between half took at most 10 ms; those from before do not count."""
    found = compare(FIRST, SECOND)

    assert (found.in_per_s, found.folded_per_s, found.lists_per_s) == (10.0, 10.0, 5.0)
    assert (found.lag, found.unsaved, found.hit_rate) == (5, 30, 0.25)
    assert (found.p50_ms, found.p99_ms) == (10.0, 19.8)
    assert [(each.number, each.lag, each.worker) for each in found.partitions] == [(0, 5, "w:1"), (1, None, None)]


def test_a_worker_that_was_started_anew_counts_nothing_backwards() -> None:
    """Its counters begin at nothing."""
    found = compare(SECOND, a_look(14.0, 130, worker(events=3, lag=0, lists=1, fast=0, all=0)))

    assert (found.folded_per_s, found.lists_per_s, found.p50_ms) == (0.0, 0.0, None)


def test_what_nobody_tells_is_not_known() -> None:
    """Without metrics there is what Kafka says, and a dash for the rest; who does not answer is named."""
    found = compare(a_look(1.0, 5), a_look(2.0, 5, Scraped("w:1", error="no metrics")))

    assert (found.lag, found.folded_per_s, found.hit_rate) == (None, None, None)
    assert found.errors == ("w:1: no metrics",)
    assert dict(headlines(found))["hit rate at 10"] == "-"
    assert dict(headlines(found))["in no checkpoint"] == "0"


@pytest.mark.parametrize(
    ("cumulative", "share", "expected"),
    [
        ({}, 0.5, None),
        ({0.01: 4.0, math.inf: 4.0}, 0.5, 5.0),
        ({0.01: 0.0, 0.02: 10.0, math.inf: 10.0}, 0.9, 19.0),
        ({0.01: 1.0, 0.02: 1.0, math.inf: 10.0}, 0.99, 20.0),
    ],
)
def test_quantiles(cumulative: dict[float, float], share: float, expected: Any) -> None:
    """Evenly spread within a bucket; beyond the last bound it is that bound."""
    assert quantile_ms(cumulative, share) == expected
