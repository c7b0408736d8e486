"""The published list scored beside a fold: the evaluation of `freshet evaluate`, without the lists of its parts."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from app.evaluate.catalogue import Categories
from app.evaluate.lists import PublishedLists
from app.evaluate.result import result_of
from app.evaluate.run import Evaluation, EvaluationSettings
from app.replay.records import LogRecord
from app.settings import Settings

FIELDS: Final = (
    "protocol", "shares_every", "sample", "tests", "lists_tested", "users_tested", "left_out", "lists", "blend",
    "differences", "diversity",
)  # fmt: skip
"""Of the result of `freshet evaluate`; its other fields are said of the fold already, or go further."""


class ScoredBeside:
    """Scores the published list on records that pass by, on their way into a fold.

    It folds them in states of its own, one by one in the order of the log, whatever chunks the fold behind it takes.

    Parameters
    ----------
    settings
        Of the lists, and whose events are scored (`evaluate_fraction`).
    categories
        Of items by id, for the diversity of lists.
    start_ms
        What every record's own time is.
    """

    def __init__(
        self, settings: Settings, categories: Categories, partitions: int, shares_every: int, start_ms: int
    ) -> None:
        how = EvaluationSettings(partitions, shares_every, settings.evaluate_fraction, categories=categories)
        lists = PublishedLists(settings.lists, settings.list_size, parted=False)
        self.evaluation = Evaluation(settings.fold, how, lists, start_ms)

    def passing(self, records: Iterable[LogRecord]) -> Iterator[LogRecord]:
        """The records as they are, each scored and learned before the next."""
        for record in records:
            self.evaluation.take(record)
            yield record

    def as_json(self) -> dict[str, Any]:
        """The fields of a replay's result, by the names of `freshet evaluate --json`."""
        found = result_of(self.evaluation)
        return {name: found[name] for name in FIELDS}
