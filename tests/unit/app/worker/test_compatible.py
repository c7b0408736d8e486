"""Refusing, or going on with, stored state."""

import logging
from dataclasses import replace
from typing import Any

import pytest

from app.settings import Settings
from app.worker.compatible import check_marker
from models.errors import ResetRequired
from tables.digest import digests
from tables.fold_settings import FoldSettings
from tables.marker import MARKER_KEY, Marker
from tables.partition import PartitionState
from tests.logs import made_log, record
from tests.saved import Topics, folded


def loaded(n: int, n_partitions: int = 1, settings: FoldSettings | None = None, topic: str = "") -> PartitionState:
    """A state of `n` events of a topic `clicks`, saved and loaded again, with other settings if they are given."""
    topics = Topics()
    made = PartitionState(0, 1, FoldSettings(), topic="clicks")
    made.fold_many([record(offset, "u", "i") for offset in range(n)])
    topics.save(made.cut(-1))
    state = PartitionState(0, n_partitions, settings or FoldSettings(), topic=topic)
    return topics.load(state, [(topic, key, value) for (topic, key), value in topics.latest.items()])


def test_state_of_this_log_is_taken(caplog: pytest.LogCaptureFixture) -> None:
    """A state that ends where the log ends, or before, fits, and nothing is said."""
    check_marker(loaded(5, topic="clicks"), 5, 1)
    check_marker(loaded(5), 6, 1)

    assert caplog.text == ""


def test_empty_state_fits_every_log() -> None:
    """A partition never saved starts from nothing."""
    check_marker(PartitionState(0, 1, FoldSettings()), 0, 1)


def test_state_beyond_the_end_is_refused() -> None:
    """A log shorter than what was folded is another log."""
    with pytest.raises(ResetRequired, match=r"up to offset 5, but its log ends at 4.*`freshet reset`"):
        check_marker(loaded(5), 4, 1)


def test_state_of_another_partition_count_is_refused() -> None:
    """With other partitions users have moved."""
    with pytest.raises(ResetRequired, match=r"made of 1 partitions, the topic has 2.*`freshet reset`"):
        check_marker(loaded(5, 2), 5, 2)


def test_state_of_several_partitions_with_factors_of_their_own_is_refused() -> None:
    """A share that an earlier Freshet saved holds a row of factors; of a single partition it is gone on with."""
    earlier = {**FoldSettings().described(), "state_version": 6}
    for n_partitions in (1, 2):
        state = loaded(5)
        assert state.loaded is not None
        state.loaded = replace(state.loaded, n_partitions=n_partitions, settings=earlier)
        if n_partitions == 1:
            check_marker(state, 5, 1)
            continue
        with pytest.raises(ResetRequired, match=r"partition 0 was saved in state version 6.*run `freshet reset`"):
            check_marker(state, 5, 2)


def test_state_of_another_topic_is_refused() -> None:
    """Its offsets would be taken for those of the other one: both topics, the setting and the command are named."""
    said = r"from topic clicks, FRESHET_EVENTS_TOPIC now says views.*FRESHET_EVENTS_TOPIC=clicks again.*`freshet reset`"

    with pytest.raises(ResetRequired, match=said):
        check_marker(loaded(5, topic="views"), 5, 1)


def test_another_partitioner_is_refused() -> None:
    """Old and new value, the variable, why, and the command are named."""
    said = (
        r"FRESHET_PARTITIONER was murmur2 when the state was made and is fnv1a now: .* two people.*"
        r"Set FRESHET_PARTITIONER=murmur2 again, or stop all workers and run `freshet reset`"
    )

    with pytest.raises(ResetRequired, match=said):
        check_marker(loaded(5, settings=FoldSettings(partitioner="fnv1a")), 5, 1)


def test_other_settings_are_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """State made with other settings is kept; each is named by its variable, with both values."""
    changed = Settings(max_seen=17, max_idle_days=3, extra_event_types={"share": (2.0, 1)}, evaluate_fraction=1.0)

    with caplog.at_level(logging.WARNING, "freshet"):
        check_marker(loaded(5, settings=changed.fold), 5, 1)

    for words in (
        "FRESHET_MAX_SEEN (max_seen) was 4096, is 17;",
        "FRESHET_MAX_IDLE_DAYS (max_idle_ms) was 34560000000, is 259200000;",
        "FRESHET_EXTRA_EVENT_TYPES (rules.types.share) was not there, is [2.0, 1]",
        "`freshet reset`",
    ):
        assert words in caplog.text
    assert "PARTITIONER" not in caplog.text
    assert "EVALUATE_FRACTION" not in caplog.text


def test_what_came_with_another_freshet_is_a_warning_too(caplog: pytest.LogCaptureFixture) -> None:
    """A default of a model that no setting changes is named as Freshet's own."""
    state = loaded(5, settings=replace(FoldSettings(), history=replace(FoldSettings().history, seed=17)))

    with caplog.at_level(logging.WARNING, "freshet"):
        check_marker(state, 5, 1)

    assert "Freshet's own history.seed was " in caplog.text


def test_an_unfinished_reset_is_refused() -> None:
    """Whatever the settings are."""
    state = PartitionState(0, 1, FoldSettings())
    state.apply_user(MARKER_KEY, Marker(1, 0, -1, 0, (), 0, "unfinished reset").encode())
    state.finish_load()

    with pytest.raises(ResetRequired, match="begun and not ended"):
        check_marker(state, 0, 1)


SMALL: list[dict[str, Any]] = [
    {"positive_rating": 1.0, "low_rating_weight": 0.1},
    {"history_size": 2},
    {"history_size": 60},
    {"neighbours": 10},
    {"max_seen": 16},
    {"max_users": 10},
    {"max_items": 32},
    {"max_idle_days": 1},
    {"late_grace_s": 0, "evaluate_fraction": 0.0},
    {"extra_event_types": {"share": (2.0, 1)}},
]


@pytest.mark.parametrize("after", SMALL, ids=str)
@pytest.mark.parametrize("before", [{}, {"extra_event_types": {"stare": (1.0, 1)}, "history_size": 50}], ids=str)
def test_what_is_warned_of_can_be_gone_on_with(before: dict[str, Any], after: dict[str, Any]) -> None:
    """State made with other values is loaded, folds on, and what is saved then is loaded again as the same."""
    log = made_log(7, 400, n_users=30, n_items=60)
    stares = [record(400 + n, "u3", f"i{n}", "stare") for n in range(3)] if before else []
    topics = Topics()
    topics.save(folded([*log[:200], *stares], Settings(**before).fold).cut(-1))
    latest = [(topic, key, value) for (topic, key), value in topics.latest.items()]
    states = [Topics.load(PartitionState(0, 1, Settings(**after).fold), latest) for _ in range(2)]
    start = states[0].next_offset

    for state in states:
        check_marker(state, start, 1)
        state.fold_many([each._replace(offset=start + each.offset) for each in log[200:]])
    topics.save(states[0].cut(-1))
    again = Topics.load(
        PartitionState(0, 1, Settings(**after).fold),
        [(topic, key, value) for (topic, key), value in topics.latest.items()],
    )

    assert states[0].metrics.counts["events"] > 200
    assert digests([states[0]]) == digests([states[1]]) == digests([again])
