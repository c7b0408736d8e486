"""The published list scored beside a fold: the numbers of an evaluation, and a fold that nothing has changed."""

from dataclasses import replace

import pytest

from app.evaluate.lists import SERVED
from app.evaluate.published import ScoredBeside
from app.evaluate.result import result_of
from app.evaluate.run import EvaluationSettings
from app.replay.inline import replay_inline
from app.replay.records import LogRecord
from app.settings import Settings
from tables.digest import digests
from tests.evaluations import evaluated, log_records
from tests.logs import REPLAY_MS, made_log

LOG = log_records(made_log(23, 1200, 25, 120))
SETTINGS = Settings(evaluate_fraction=1.0)


def scored(partitions: int, shares_every: int = 100, settings: Settings = SETTINGS) -> ScoredBeside:
    """What scores a bare log."""
    return ScoredBeside(settings, {}, partitions, shares_every, REPLAY_MS)


@pytest.mark.parametrize("chunk", [1, 7, 1000])
@pytest.mark.parametrize("partitions", [1, 4])
def test_a_fold_is_the_same_with_its_published_list_scored(partitions: int, chunk: int) -> None:
    """Digests and the fold's own numbers are those of a plain replay, in any chunks; so is what was folded to score.

    The second without the fold's own evaluation, which nobody asks it for.
    """
    plain = replay_inline(LOG, SETTINGS.fold, partitions=partitions, start_ms=REPLAY_MS).as_json()
    unevaluated = replay_inline(
        LOG, replace(SETTINGS.fold, evaluate_fraction=0.0), partitions=partitions, start_ms=REPLAY_MS
    )
    beside = scored(partitions)

    folded = replay_inline(
        beside.passing(LOG), SETTINGS.fold, partitions=partitions, chunk_records=chunk, start_ms=REPLAY_MS
    ).as_json()

    assert {**folded, "seconds": 0} == {**plain, "seconds": 0}
    assert digests(beside.evaluation.states) == digests(unevaluated.states)
    assert [state.next_offset for state in beside.evaluation.states] == [
        state.next_offset for state in unevaluated.states
    ]
    assert beside.as_json()["tests"] == folded["prequential"]["n"] > 100


@pytest.mark.parametrize(("partitions", "shares_every", "fraction"), [(1, 1000, 1.0), (4, 10, 1.0), (4, 400, 0.5)])
def test_numbers_are_those_of_an_evaluation(partitions: int, shares_every: int, fraction: float) -> None:
    """Everything said of the published list and the baselines is what an evaluation with every part's list says."""
    settings = Settings(evaluate_fraction=fraction)
    beside = scored(partitions, shares_every, settings)

    for _ in beside.passing(LOG):
        pass

    found = beside.as_json()
    expected = result_of(evaluated(LOG, EvaluationSettings(partitions, shares_every, fraction), settings.fold))
    assert found["lists"].keys() == {SERVED, "popularity", "recency", "last_item"} < expected["lists"].keys()
    for name, value in found.items():
        if isinstance(value, dict) and name in ("lists", "differences"):
            assert value == {which: expected[name][which] for which in value}
        else:
            assert value == expected[name]
    assert found["lists"][SERVED]["hr@10"] > 0


def test_each_record_is_scored_before_the_fold_gets_it() -> None:
    """Records pass one by one, as they are, and are learned when they come out."""
    beside = scored(4)

    for n_passed, (before, record) in enumerate(zip(LOG, beside.passing(LOG), strict=True), 1):
        assert record is before
        assert beside.evaluation.n_records == n_passed


def test_others_shares_become_visible_after_so_many_records() -> None:
    """In four partitions the published list differs with how soon others are seen; the fold's own numbers do not."""
    soon, never = scored(4, 1), scored(4, 10_000)
    own = [
        replay_inline(each.passing(LOG), SETTINGS.fold, partitions=4, start_ms=REPLAY_MS).as_json()
        for each in (soon, never)
    ]

    assert soon.as_json()["lists"][SERVED] != never.as_json()["lists"][SERVED]
    assert own[0]["prequential"] == own[1]["prequential"]


def test_records_no_topic_would_take_are_cut_alike() -> None:
    """A record that is too large is a dead letter in both, and counted once."""
    beside = scored(2)
    log = [*LOG[:50], LogRecord(b"u1", b"x" * 2_000_000, None)]

    folded = replay_inline(beside.passing(log), SETTINGS.fold, partitions=2, start_ms=REPLAY_MS).as_json()

    assert beside.as_json()["left_out"]["dead_letter"] == folded["dead_letters"]
    assert folded["counters"]["dead_letters.too_large"] >= 1
