"""Lessons for tests: what several partitions hand over, and learners that take it."""

from collections.abc import Iterable, Sequence

from models.history_factors import HistoryFactorsSettings
from models.partitioner import partition_of
from tables.cutting import Entry
from tables.fold_settings import FoldSettings
from tables.learner import LearnerState
from tables.partition import PartitionState
from tests.logs import REPLAY_MS, made_log

SETTINGS = FoldSettings(evaluate_fraction=0.0, history=HistoryFactorsSettings(n_factors=8, n_negatives=10))


def handed_over(
    n_partitions: int, n_events: int, every: int = 50, seed: int = 3, settings: FoldSettings = SETTINGS
) -> list[bytes]:
    """The topic of lessons, as `n_partitions` write it that are saved every so many events of a log."""
    states = [PartitionState(number, n_partitions, settings) for number in range(n_partitions)]
    topic: list[bytes] = []
    for n, each in enumerate(made_log(seed, n_events, 20, 60), 1):
        state = states[partition_of(each.key or b"", n_partitions)]
        state.fold(state.next_offset, REPLAY_MS, each.key, each.value)
        if n % every == 0 or n == n_events:
            for each_state in states:
                topic += each_state.cut(-1).lessons
    return topic


def learned(values: Iterable[bytes], settings: FoldSettings = SETTINGS) -> LearnerState:
    """A learner that has taken these records."""
    return taking(LearnerState(settings), values)


def taking(learner: LearnerState, values: Iterable[bytes]) -> LearnerState:
    """The learner, with these records taken; it stands behind them."""
    for value in values:
        learner.take(value)
        learner.position += 1
    return learner


def loaded(entries: Sequence[Entry], settings: FoldSettings = SETTINGS) -> LearnerState:
    """A learner that has read what another has saved."""
    learner = LearnerState(settings)
    for key, value in entries:
        learner.apply(key, value)
    learner.finish_load()
    return learner
