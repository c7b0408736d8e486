"""The two values beside the users in `<app>.users`: where a partition's state stands, and what it has counted.

Both are a version byte and JSON with sorted keys. Their keys start with NUL, which no user_id can.

A marker of version 1 has the fields up to `fingerprint`; a Freshet that knows no other refuses version 2. From then on
a field is added without a new version, if it has a default: at its default it is not written, so a marker that does not
use it is read by a Freshet that does not know it, too; one that is used is refused there by name, never dropped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

import orjson

from models.errors import UnknownVersion
from tables.codec import check_version, undamaged

MARKER_KEY = b"\x00marker"
METRICS_KEY = b"\x00metrics"
MARKER = "the marker of a checkpoint"
VERSION = 2
FIRST_VERSION = 1
METRICS_VERSION = 2
NOTHING: Mapping[str, Any] = MappingProxyType({})


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
    settings
        They themselves (`FoldSettings.described`); None in version 1.
    topic
        Where the records came from; empty if it was not kept.
    revision
        How often the lists of its users have been made anew without an event.
    """

    epoch: int
    next_offset: int
    published_offset: int
    n_events: int
    latest: tuple[tuple[int, str], ...]
    n_partitions: int
    fingerprint: str
    settings: Mapping[str, Any] | None = None
    topic: str = ""
    revision: int = 0

    def encode(self) -> bytes:
        """Version byte and JSON, without what is at its default."""
        written = {each.name: getattr(self, each.name) for each in fields(self)}
        given = {each.name: written[each.name] for each in fields(self) if written[each.name] != each.default}
        return bytes((VERSION,)) + orjson.dumps(given, option=orjson.OPT_SORT_KEYS)

    @classmethod
    def decode(cls, data: bytes) -> "Marker":
        """Read a stored marker.

        Raises
        ------
        UnknownVersion
            If the bytes are of another version, or hold what this Freshet does not know.
        """
        if data[:1] != bytes((FIRST_VERSION,)):
            check_version(data, VERSION, MARKER)
        with undamaged(MARKER):
            stored = dict(orjson.loads(data[1:]))
            unknown = sorted(stored.keys() - {each.name for each in fields(cls)})
            if unknown and data[0] == VERSION:
                raise UnknownVersion(
                    f"{MARKER} was written by a newer Freshet: it holds {', '.join(unknown)}, which this one does not "
                    "know. Run the newer one, or rebuild all state from the log with `freshet reset`."
                )
            stored["latest"] = tuple((time_ms, user_id) for time_ms, user_id in stored["latest"])
            return cls(**stored)


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


def encode_metrics(metrics: Metrics, evaluation: Mapping[str, Any], beside: Mapping[str, Any] = NOTHING) -> bytes:
    """Version byte and JSON: the counters, what the evaluation has summed up, and what is kept beside state."""
    stored = {"counts": metrics.counts, "evaluation": evaluation, **({"beside": beside} if beside else {})}
    return bytes((METRICS_VERSION,)) + orjson.dumps(stored, option=orjson.OPT_SORT_KEYS)


def decode_metrics(data: bytes) -> tuple[Metrics, dict[str, Any], dict[str, Any]]:
    """Read what `encode_metrics` wrote.

    Raises
    ------
    UnknownVersion
        If the bytes are of another version.
    """
    check_version(data, METRICS_VERSION, "the counters of a checkpoint")
    with undamaged("the counters of a checkpoint"):
        stored = orjson.loads(data[1:])
        return Metrics(dict(stored["counts"])), dict(stored["evaluation"]), dict(stored.get("beside", {}))
