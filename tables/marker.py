"""The two values beside the users in `<app>.users`: where a partition's state stands, and what it has counted.

Both are a version byte and JSON with sorted keys. Their keys start with NUL, which no user_id can.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from tables.codec import check_version, undamaged

MARKER_KEY = b"\x00marker"
METRICS_KEY = b"\x00metrics"
VERSION = 1
METRICS_VERSION = 2


@dataclass(frozen=True, slots=True)
class Marker:
    """What a checkpoint says of itself.

    Parameters
    ----------
    epoch
        Raised by `freshet reset` alone.
    next_offset
        The first record of `user_events` that is not in the state.
    published_offset
        Lists of users whose last event lies at or below it were in Redis.
    n_events
        Events folded.
    latest
        The three greatest (last event time of a user, user_id): the partition's clock.
    n_partitions
        Partitions of `user_events`.
    fingerprint
        Of the settings that shape the state.
    """

    epoch: int
    next_offset: int
    published_offset: int
    n_events: int
    latest: tuple[tuple[int, str], ...]
    n_partitions: int
    fingerprint: str

    def encode(self) -> bytes:
        """Version byte and JSON."""
        return bytes((VERSION,)) + orjson.dumps(self, option=orjson.OPT_SORT_KEYS)

    @classmethod
    def decode(cls, data: bytes) -> "Marker":
        """Read a stored marker.

        Raises
        ------
        UnknownVersion
            If the bytes are of another version.
        """
        check_version(data, VERSION, "the marker of a checkpoint")
        with undamaged("the marker of a checkpoint"):
            fields = orjson.loads(data[1:])
            fields["latest"] = tuple((time_ms, user_id) for time_ms, user_id in fields["latest"])
            return cls(**fields)


@dataclass(slots=True)
class Metrics:
    """Counters of the fold: `events`, `duplicates`, `late`, `dead_letters.<reason>`, `users_evicted` and so on."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, n: int = 1) -> None:
        """Count."""
        self.counts[name] = self.counts.get(name, 0) + n

    def total(self, prefix: str) -> int:
        """Sum of the counters whose names start with a prefix."""
        return sum(n for name, n in self.counts.items() if name.startswith(prefix))


def encode_metrics(metrics: Metrics, evaluation: Mapping[str, Any]) -> bytes:
    """Version byte and JSON: the counters, and what the evaluation has summed up."""
    stored = {"counts": metrics.counts, "evaluation": evaluation}
    return bytes((METRICS_VERSION,)) + orjson.dumps(stored, option=orjson.OPT_SORT_KEYS)


def decode_metrics(data: bytes) -> tuple[Metrics, dict[str, Any]]:
    """Read what `encode_metrics` wrote.

    Raises
    ------
    UnknownVersion
        If the bytes are of another version.
    """
    check_version(data, METRICS_VERSION, "the counters of a checkpoint")
    with undamaged("the counters of a checkpoint"):
        stored = orjson.loads(data[1:])
        return Metrics(dict(stored["counts"])), dict(stored["evaluation"])
