"""What a replay that folds the log itself prints."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from models.evaluation import merged_errors, merged_json
from tables.digest import digests
from tables.partition import PartitionState

SHOWN_APART: Final = ("events", "duplicates", "late")
EVICTIONS: Final = ("items_evicted", "users_evicted", "users_expired", "waiting_evicted")


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
        counts = self._counts()
        settings = self.states[0].settings
        found = digests(self.states)
        return {
            **{name: counts.pop(name) for name in SHOWN_APART},
            "dead_letters": sum(state.metrics.total("dead_letters.") for state in self.states),
            "counters": counts,
            "seconds": round(self.seconds, 3),
            "partitions": len(self.states),
            "log_sha256": self.log_sha256,
            "digest": found.pop("all"),
            "digests": found,
            "fingerprint": settings.fingerprint(),
            "settings": orjson.loads(orjson.dumps(settings)),
            "ratings": merged_errors([state.evaluator.ratings for state in self.states]),
            "prequential": merged_json([state.evaluator.prequential for state in self.states]),
        }

    def _counts(self) -> dict[str, int]:
        """Every counter of the fold over all partitions, by name; those that are always there at 0 at least."""
        total = Counter(dict.fromkeys((*SHOWN_APART, *EVICTIONS), 0))
        for state in self.states:
            total.update(state.metrics.counts)
        return dict(sorted(total.items()))
