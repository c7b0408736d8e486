"""Logs, and their evaluation."""

from collections.abc import Iterable

from app.evaluate.lists import PublishedLists
from app.evaluate.run import Evaluation, EvaluationSettings
from app.replay.records import LogRecord
from tables.fold_settings import FoldSettings
from tables.list_settings import ListSettings
from tests.logs import REPLAY_MS, Record

SETTINGS = FoldSettings()


def log_records(records: Iterable[Record]) -> list[LogRecord]:
    """As a log gives them."""
    return [LogRecord(each.key or b"", each.value or b"", None) for each in records]


def evaluated(
    records: Iterable[LogRecord],
    settings: EvaluationSettings | None = None,
    fold: FoldSettings = SETTINGS,
    lists: PublishedLists | None = None,
) -> Evaluation:
    """The evaluation of a whole log."""
    lists = lists or PublishedLists(ListSettings(), 30)
    evaluation = Evaluation(fold, settings or EvaluationSettings(), lists, REPLAY_MS)
    for each in records:
        evaluation.take(each)
    return evaluation
