"""What a replay that folds the log itself prints."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models.evaluation import merged_errors, merged_json
from tables.digest import digests
from tables.partition import PartitionState


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """Counts, times and digests of one replay.

    Parameters
    ----------
    n_sent
        Records of the log.
    seconds
        From the first record to the last one folded.
    states
        The partitions' states at the end.
    """

    n_sent: int
    seconds: float
    log_sha256: str
    states: Sequence[PartitionState]

    def as_json(self) -> dict[str, Any]:
        """The fields of the command's JSON line."""
        counts = [state.metrics for state in self.states]
        found = digests(self.states)
        return {
            "events": sum(metrics.counts.get("events", 0) for metrics in counts),
            "dead_letters": sum(metrics.total("dead_letters.") for metrics in counts),
            "duplicates": sum(metrics.counts.get("duplicates", 0) for metrics in counts),
            "late": sum(metrics.counts.get("late", 0) for metrics in counts),
            "seconds": round(self.seconds, 3),
            "partitions": len(self.states),
            "log_sha256": self.log_sha256,
            "digest": found.pop("all"),
            "digests": found,
            "ratings": merged_errors([state.evaluator.ratings for state in self.states]),
            "prequential": merged_json([state.evaluator.prequential for state in self.states]),
        }
